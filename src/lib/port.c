#include <errno.h>
#include <pthread.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <thrum.h>
#include <time.h>
#include <unistd.h>
#include "lib/memory.h"

#define QUEUE_DEFAULT 1024
#define QUEUE_MOST (1U << 24)

struct message {
	void *buffer; /* owned while it waits; NULL if it has no bytes */
	size_t size;
};

/* One end: the messages that wait for its reader. */
struct thrum_port {
	struct link *link;
	struct thrum_port *peer;
	struct message *ring; /* owned; link->size of them */
	unsigned first, count;
	pthread_cond_t readable, writable;
	int event;  /* -1: nobody asked for one */
	int asleep; /* the reader was told that there is nothing, and will look at event */
	int closed;
};

/* Both ends; the lock guards all of it. */
struct link {
	pthread_mutex_t lock;
	unsigned size;
	struct thrum_port ends[2];
};

void *thrum_buffer_create(size_t size)
{
	return thrum__allocate(1, size ? size : 1);
}

void thrum_buffer_destroy(void *buffer)
{
	thrum__free(buffer);
}

static void end_init(struct link *link, int which)
{
	struct thrum_port *end = &link->ends[which];
	pthread_condattr_t attributes;

	end->link = link;
	end->peer = &link->ends[!which];
	end->event = -1;
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&end->readable, &attributes);
	pthread_cond_init(&end->writable, &attributes);
	pthread_condattr_destroy(&attributes);
}

int thrum_port_pair(struct thrum_port *ends[2], unsigned queue_max)
{
	struct link *link;

	if (queue_max > QUEUE_MOST)
		return -EINVAL;
	link = thrum__allocate(1, sizeof(*link));
	if (!link)
		return -ENOMEM;
	link->size = queue_max ? queue_max : QUEUE_DEFAULT;
	link->ends[0].ring = thrum__allocate(link->size, sizeof(struct message));
	link->ends[1].ring = thrum__allocate(link->size, sizeof(struct message));
	if (!link->ends[0].ring || !link->ends[1].ring) {
		thrum__free(link->ends[0].ring);
		thrum__free(link->ends[1].ring);
		thrum__free(link);
		return -ENOMEM;
	}
	pthread_mutex_init(&link->lock, NULL);
	for (int i = 0; i < 2; i++) {
		end_init(link, i);
		ends[i] = &link->ends[i];
	}
	return 0;
}

static struct timespec deadline_after(int timeout_ms)
{
	struct timespec at;

	clock_gettime(CLOCK_MONOTONIC, &at);
	at.tv_sec += timeout_ms / 1000;
	at.tv_nsec += timeout_ms % 1000 * 1000000L;
	if (at.tv_nsec >= 1000000000) {
		at.tv_sec++;
		at.tv_nsec -= 1000000000;
	}
	return at;
}

/* Under the lock; 0, or -ETIMEDOUT. */
static int sleep_until(struct link *link, pthread_cond_t *condition, int timeout_ms, const struct timespec *until)
{
	if (timeout_ms == 0)
		return -ETIMEDOUT;
	if (timeout_ms < 0)
		return -pthread_cond_wait(condition, &link->lock);
	return -pthread_cond_timedwait(condition, &link->lock, until);
}

/* Under the lock. */
static void tell_reader(struct thrum_port *to)
{
	uint64_t one = 1;

	pthread_cond_signal(&to->readable);
	if (to->asleep && to->event >= 0 && write(to->event, &one, sizeof(one)) == (ssize_t)sizeof(one))
		to->asleep = 0;
}

static int put(struct thrum_port *port, struct message message, int timeout_ms)
{
	struct thrum_port *to = port->peer;
	struct link *link = port->link;
	struct timespec until = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
	int result = 0;

	pthread_mutex_lock(&link->lock);
	while (!to->closed && to->count == link->size && result == 0)
		result = sleep_until(link, &to->writable, timeout_ms, &until);
	if (to->closed) {
		result = -EPIPE;
	} else if (to->count < link->size) {
		to->ring[(to->first + to->count++) % link->size] = message;
		tell_reader(to);
		result = 0;
	}
	pthread_mutex_unlock(&link->lock);
	return result;
}

int thrum_port_send(struct thrum_port *port, const void *bytes, size_t size, int timeout_ms)
{
	struct message message = { NULL, size };
	int result;

	if (size) {
		message.buffer = thrum_buffer_create(size);
		if (!message.buffer)
			return -ENOMEM;
		memcpy(message.buffer, bytes, size);
	}
	result = put(port, message, timeout_ms);
	if (result < 0)
		thrum__free(message.buffer);
	return result;
}

int thrum_port_transfer(struct thrum_port *port, void **buffer, size_t size, int timeout_ms)
{
	struct message message = { *buffer, size };
	int result;

	if (!message.buffer)
		return -EINVAL;
	result = put(port, message, timeout_ms);
	if (result == 0)
		*buffer = NULL;
	return result;
}

/* Under the lock: the reader goes away to look at its event. */
static void fall_asleep(struct thrum_port *port)
{
	uint64_t count;

	if (port->event >= 0 && !port->asleep) {
		ssize_t ignored = read(port->event, &count, sizeof(count));

		(void)ignored;
		port->asleep = 1;
	}
}

int thrum_port_receive(struct thrum_port *port, void **buffer, size_t *size, int timeout_ms)
{
	struct link *link = port->link;
	struct timespec until = deadline_after(timeout_ms > 0 ? timeout_ms : 0);
	int result = 0;

	pthread_mutex_lock(&link->lock);
	while (port->count == 0 && !port->peer->closed && result == 0)
		result = sleep_until(link, &port->readable, timeout_ms, &until);
	if (port->count > 0) {
		*buffer = port->ring[port->first].buffer;
		*size = port->ring[port->first].size;
		port->first = (port->first + 1) % link->size;
		port->count--;
		pthread_cond_signal(&port->writable);
		result = 0;
	} else if (port->peer->closed) {
		result = -EPIPE;
	} else {
		fall_asleep(port);
	}
	pthread_mutex_unlock(&link->lock);
	return result;
}

int thrum_port_fd(struct thrum_port *port)
{
	struct link *link = port->link;
	int event;

	pthread_mutex_lock(&link->lock);
	if (port->event < 0) {
		port->event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		port->asleep = 0;
	}
	event = port->event < 0 ? -errno : port->event;
	pthread_mutex_unlock(&link->lock);
	return event;
}

static void link_free(struct link *link)
{
	for (int i = 0; i < 2; i++) {
		pthread_cond_destroy(&link->ends[i].readable);
		pthread_cond_destroy(&link->ends[i].writable);
		thrum__free(link->ends[i].ring);
	}
	pthread_mutex_destroy(&link->lock);
	thrum__free(link);
}

void thrum_port_close(struct thrum_port *port)
{
	struct link *link;
	int last;

	if (!port)
		return;
	link = port->link;
	pthread_mutex_lock(&link->lock);
	port->closed = 1;
	for (; port->count > 0; port->count--) {
		thrum__free(port->ring[port->first].buffer);
		port->first = (port->first + 1) % link->size;
	}
	if (port->event >= 0)
		close(port->event);
	last = port->peer->closed;
	pthread_cond_broadcast(&port->writable);
	pthread_cond_broadcast(&port->peer->readable);
	if (!last)
		tell_reader(port->peer);
	pthread_mutex_unlock(&link->lock);
	if (last)
		link_free(link);
}
