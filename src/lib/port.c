/*
 * Pairs of message ports. Each end has a box of messages that wait for its reader: a ring with one end for senders and one for readers,
 * each with a lock of its own, so that the two sides never wait for each other but when it is full or empty.
 *
 * What is small is copied into the ring itself, and gets a buffer when it is received: memory that one thread allocates and
 * another one frees, over and over, costs more than all the rest.
 */
#include <errno.h>
#include <pthread.h>
#include <stdalign.h>
#include <stdbool.h>
#include <stdint.h>
#include <string.h>
#include <sys/eventfd.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/memory.h"
#include "lib/park.h"
#include "lib/stats.h"

#define QUEUE_DEFAULT 1024
#define QUEUE_MOST (1U << 24)

enum {
	LOOKS = PARK_LOOKS(500), /* before it sleeps: some microseconds, as long as it takes to wake it */
	AHEAD = 4,               /* so many places from here on are fetched: the other side had them last */
	SMALL_SIZE = 112,        /* with its head a message has a line then */
	SMALL_MOST = 65536       /* longer queues have room for none */
};

struct message {
	size_t size;
	void *buffer; /* owned while it waits; NULL if it has no bytes, or they follow */
	char bytes[];
};

/* What is to be put. */
struct parcel {
	size_t size;
	void *buffer;
	const void *bytes; /* to be copied, if they are small */
};

/* What each side has for itself; its lock guards it. */
struct side {
	alignas(STATS_LINE) pthread_mutex_t lock;
	unsigned at;                                /* where in the ring it goes on */
	uint64_t other_seen;                        /* how far the other side was when it was last looked at */
	alignas(STATS_LINE) _Atomic uint64_t count; /* messages put, or taken, so far; the other side reads it */
};

/* One end, and the messages that wait for its reader. */
struct thrum_port {
	struct link *link;
	void *memory; /* owned */
	char *ring;   /* in it, at a line: messages, link->size of them */
	struct side senders, readers;
	alignas(STATS_LINE) struct park filled, emptied; /* who waits for a message, and for room */
	_Atomic int event;                               /* -1: nobody asked for one */
	_Atomic bool is_watched;                         /* the reader was told that there is nothing, and will look at event */
	_Atomic bool is_closed, is_ended;                /* by its reader; by its senders */
};

struct link {
	unsigned size;
	size_t small_size;   /* of bytes that have room in the ring */
	size_t message_size; /* there */
	_Atomic int open;
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

static struct thrum_port *peer_of(struct thrum_port *port)
{
	struct link *link = port->link;

	return &link->ends[port == link->ends];
}

static void link_free(struct link *link)
{
	for (int i = 0; i < 2; i++) {
		pthread_mutex_destroy(&link->ends[i].senders.lock);
		pthread_mutex_destroy(&link->ends[i].readers.lock);
		thrum__free(link->ends[i].memory);
	}
	thrum__free(link);
}

static bool end_init(struct link *link, struct thrum_port *end)
{
	end->link = link;
	atomic_init(&end->event, -1);
	pthread_mutex_init(&end->senders.lock, NULL);
	pthread_mutex_init(&end->readers.lock, NULL);
	end->memory = thrum__allocate(1, link->size * link->message_size + STATS_LINE);
	end->ring = (char *)(((uintptr_t)end->memory + STATS_LINE - 1) & ~(uintptr_t)(STATS_LINE - 1));
	return end->memory;
}

int thrum_port_pair(struct thrum_port *ends[2], unsigned queue_max)
{
	struct link *link;
	bool is_whole = true;

	if (queue_max > QUEUE_MOST)
		return -EINVAL;
	link = thrum__allocate_aligned(alignof(struct link), sizeof *link);
	if (!link)
		return -ENOMEM;
	link->size = queue_max ? queue_max : QUEUE_DEFAULT;
	link->small_size = link->size <= SMALL_MOST ? SMALL_SIZE : 0;
	link->message_size = sizeof(struct message) + link->small_size;
	atomic_init(&link->open, 2);
	for (int i = 0; i < 2; i++)
		is_whole = end_init(link, &link->ends[i]) && is_whole;
	if (!is_whole) {
		link_free(link);
		return -ENOMEM;
	}
	ends[0] = &link->ends[0];
	ends[1] = &link->ends[1];
	return 0;
}

static struct message *message_at(const struct thrum_port *port, unsigned place)
{
	return (struct message *)(void *)(port->ring + place * port->link->message_size);
}

static unsigned place_after(const struct thrum_port *port, unsigned place, unsigned count)
{
	unsigned next = place + count;

	return next < port->link->size ? next : next - port->link->size;
}

/* -- Waiting -- */

static bool has_room(struct thrum_port *to)
{
	uint64_t taken = atomic_load(&to->readers.count); /* before what was put, which is never less */

	return atomic_load(&to->senders.count) - taken < to->link->size || atomic_load(&to->is_closed);
}

static bool has_news(struct thrum_port *port)
{
	return atomic_load(&port->senders.count) != atomic_load(&port->readers.count) || atomic_load(&port->is_ended);
}

/* Until it may be so; 0, or -ETIMEDOUT. */
static int wait_for(struct thrum_port *port, bool (*is_so)(struct thrum_port *port), struct park *park, uint64_t deadline_ns)
{
	for (unsigned i = 0; i < LOOKS; i++) {
		if (is_so(port))
			return 0;
		thrum__relax();
	}
	park_begin(park);
	if (!is_so(port))
		return park_sleep(park, deadline_ns);
	park_end(park);
	return 0;
}

/* -- Sending -- */

/* The senders' lock is held. */
static void tell_reader(struct thrum_port *to)
{
	uint64_t one = 1;
	ssize_t ignored;

	park_wake(&to->filled);
	if (atomic_load(&to->is_watched)) {
		atomic_store(&to->is_watched, false);
		ignored = write(atomic_load(&to->event), &one, sizeof one);
		(void)ignored;
	}
}

static void step(const struct thrum_port *port, struct side *side)
{
	side->at = place_after(port, side->at, 1);
	atomic_store_explicit(&side->count, atomic_load_explicit(&side->count, memory_order_relaxed) + 1, memory_order_seq_cst);
}

static void fill(struct message *message, const struct parcel *parcel)
{
	message->size = parcel->size;
	message->buffer = parcel->buffer;
	if (parcel->bytes)
		memcpy(message->bytes, parcel->bytes, parcel->size);
}

/* 0, -EAGAIN if there is no room, or -EPIPE. */
static int try_put(struct thrum_port *to, const struct parcel *parcel)
{
	struct side *side = &to->senders;
	uint64_t count;
	int result = -EAGAIN;

	pthread_mutex_lock(&side->lock);
	count = atomic_load_explicit(&side->count, memory_order_relaxed);
	if (count - side->other_seen == to->link->size)
		side->other_seen = atomic_load_explicit(&to->readers.count, memory_order_acquire);
	if (atomic_load_explicit(&to->is_closed, memory_order_relaxed)) {
		result = -EPIPE;
	} else if (count - side->other_seen < to->link->size) {
		if (to->link->size > AHEAD)
			__builtin_prefetch(message_at(to, place_after(to, side->at, AHEAD)), 1);
		fill(message_at(to, side->at), parcel);
		step(to, side);
		tell_reader(to);
		result = 0;
	}
	pthread_mutex_unlock(&side->lock);
	return result;
}

static int put(struct thrum_port *port, const struct parcel *parcel, int timeout_ms)
{
	struct thrum_port *to = peer_of(port);
	int result = try_put(to, parcel);
	uint64_t deadline_ns;

	if (result != -EAGAIN)
		return result;
	if (timeout_ms == 0)
		return -ETIMEDOUT;
	deadline_ns = thrum__deadline_ns(timeout_ms);
	do {
		if (wait_for(to, has_room, &to->emptied, deadline_ns) < 0)
			return (result = try_put(to, parcel)) == -EAGAIN ? -ETIMEDOUT : result;
	} while ((result = try_put(to, parcel)) == -EAGAIN);
	return result;
}

static void *copy_of(const void *bytes, size_t size)
{
	void *copy = thrum__reallocate(NULL, 1, size);

	return copy ? memcpy(copy, bytes, size) : NULL;
}

int thrum_port_send(struct thrum_port *port, const void *bytes, size_t size, int timeout_ms)
{
	struct parcel parcel = { .size = size };
	int result;

	if (size > port->link->small_size) {
		parcel.buffer = copy_of(bytes, size);
		if (!parcel.buffer)
			return -ENOMEM;
	} else if (size > 0) {
		parcel.bytes = bytes;
	}
	result = put(port, &parcel, timeout_ms);
	if (result < 0)
		thrum__free(parcel.buffer);
	return result;
}

int thrum_port_transfer(struct thrum_port *port, void **buffer, size_t size, int timeout_ms)
{
	struct parcel parcel = { .size = size, .buffer = *buffer };
	int result;

	if (!parcel.buffer)
		return -EINVAL;
	result = put(port, &parcel, timeout_ms);
	if (result == 0)
		*buffer = NULL;
	return result;
}

/* -- Receiving -- */

/* What one gets. */
struct received {
	void *buffer;
	size_t size;
};

/* False if there is no memory for it. */
static bool unpack(const struct message *message, const struct link *link, struct received *received)
{
	bool is_small = !message->buffer && message->size > 0 && message->size <= link->small_size;

	received->size = message->size;
	received->buffer = is_small ? copy_of(message->bytes, message->size) : message->buffer;
	return received->buffer || !is_small;
}

/* The readers' lock is held. 0, -EAGAIN if there is nothing, or -ENOMEM. */
static int take(struct thrum_port *port, struct received *received)
{
	struct side *side = &port->readers;
	uint64_t count = atomic_load_explicit(&side->count, memory_order_relaxed);

	if (count == side->other_seen)
		side->other_seen = atomic_load_explicit(&port->senders.count, memory_order_seq_cst);
	if (count == side->other_seen)
		return -EAGAIN;
	if (side->other_seen - count > AHEAD)
		__builtin_prefetch(message_at(port, place_after(port, side->at, AHEAD)));
	if (!unpack(message_at(port, side->at), port->link, received)) {
		park_wake(&port->filled); /* another reader may have room for it */
		return -ENOMEM;
	}
	step(port, side);
	park_wake(&port->emptied);
	return 0;
}

/*
 * The readers' lock is held. The reader goes away to look at its event, unless there is something now. No sender is just about to
 * write to it: it would be readable then while it is thought that it is not.
 */
static int take_before_watching(struct thrum_port *port, struct received *received)
{
	int event = atomic_load(&port->event), result;
	uint64_t count;
	ssize_t ignored;

	if (event < 0)
		return -EAGAIN;
	pthread_mutex_lock(&port->senders.lock);
	result = take(port, received);
	if (result == -EAGAIN && atomic_load(&port->is_ended)) {
		result = -EPIPE; /* nobody writes to the event again */
	} else if (result == -EAGAIN && !atomic_load(&port->is_watched)) {
		ignored = read(event, &count, sizeof count);
		(void)ignored;
		atomic_store(&port->is_watched, true);
	}
	pthread_mutex_unlock(&port->senders.lock);
	return result;
}

/* 0, -EAGAIN if there is nothing, -EPIPE or -ENOMEM; is_last: the caller goes away then. */
static int try_take(struct thrum_port *port, struct received *received, bool is_last)
{
	bool is_ended = atomic_load_explicit(&port->is_ended, memory_order_acquire);
	int result;

	pthread_mutex_lock(&port->readers.lock);
	result = take(port, received);
	if (result == -EAGAIN && is_ended)
		result = -EPIPE;
	else if (result == -EAGAIN && is_last)
		result = take_before_watching(port, received);
	pthread_mutex_unlock(&port->readers.lock);
	return result;
}

static int receive(struct thrum_port *port, struct received *received, int timeout_ms)
{
	int result = try_take(port, received, timeout_ms == 0);
	uint64_t deadline_ns;

	if (result != -EAGAIN || timeout_ms == 0)
		return result;
	deadline_ns = thrum__deadline_ns(timeout_ms);
	do {
		if (wait_for(port, has_news, &port->filled, deadline_ns) < 0)
			return try_take(port, received, true);
	} while ((result = try_take(port, received, false)) == -EAGAIN);
	return result;
}

int thrum_port_receive(struct thrum_port *port, void **buffer, size_t *size, int timeout_ms)
{
	struct received received;
	int result = receive(port, &received, timeout_ms);

	if (result == -EAGAIN)
		return -ETIMEDOUT;
	if (result == 0) {
		*buffer = received.buffer;
		*size = received.size;
	}
	return result;
}

int thrum_port_fd(struct thrum_port *port)
{
	int event;

	pthread_mutex_lock(&port->readers.lock);
	event = atomic_load(&port->event);
	if (event < 0) {
		event = eventfd(1, EFD_CLOEXEC | EFD_NONBLOCK);
		if (event >= 0)
			atomic_store(&port->event, event);
		else
			event = -errno;
	}
	pthread_mutex_unlock(&port->readers.lock);
	return event;
}

/* -- The end -- */

/* Nothing is put into it any more. */
static void close_box(struct thrum_port *port)
{
	uint64_t waiting;

	pthread_mutex_lock(&port->senders.lock);
	atomic_store(&port->is_closed, true);
	waiting = atomic_load(&port->senders.count) - atomic_load(&port->readers.count);
	for (; waiting > 0; waiting--) {
		thrum__free(message_at(port, port->readers.at)->buffer);
		port->readers.at = place_after(port, port->readers.at, 1);
	}
	if (atomic_load(&port->event) >= 0)
		close(atomic_load(&port->event));
	park_wake_all(&port->emptied);
	pthread_mutex_unlock(&port->senders.lock);
}

/* Its reader, if it has one still, takes what is there, and is told then. */
static void end_box(struct thrum_port *port)
{
	pthread_mutex_lock(&port->senders.lock);
	if (!atomic_load(&port->is_closed)) {
		atomic_store(&port->is_ended, true);
		tell_reader(port);
		park_wake_all(&port->filled);
	}
	pthread_mutex_unlock(&port->senders.lock);
}

void thrum_port_close(struct thrum_port *port)
{
	struct link *link;

	if (!port)
		return;
	link = port->link;
	close_box(port);
	end_box(peer_of(port));
	if (atomic_fetch_sub(&link->open, 1) == 1)
		link_free(link);
}
