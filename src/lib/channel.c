#include "lib/channel.h"
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/futex.h"
#include "lib/memory.h"
#include "lib/patience.h"

enum {
	CHUNK = 64 * 1024, /* bytes that are read at once, and that are held back */
	KEPT_FIRST = 64,   /* letters */
	PIECES_MOST = 8,   /* of one line */
	CROWDED_NS = 5000, /* for which nothing was looked at: another one had the processor */
};

struct thrum_channel {
	int fd;
	pthread_mutex_t lock; /* for all up to writing, but the bytes in, which are those of who reads */
	pthread_cond_t changed;
	bool is_reading; /* a thread is, without the lock; the others wait for changed */
	int ended;       /* 0, or why nothing comes any more */
	char *in;        /* owned */
	size_t room, start, end;
	struct letter *kept; /* owned, with the letters from first on */
	size_t first, count, kept_room, kept_bytes;
	struct request *requests; /* borrowed */
	uint64_t number;
	struct patience patience;
	int poll_fd, event_fd; /* -1: nobody asked for one */
	bool is_told;          /* event_fd is readable */

	pthread_mutex_t writing; /* for what follows */
	char *held;              /* owned; NULL: nothing was ever held back */
	size_t held_size;
	unsigned holds;
	bool is_torn; /* a line was begun that could not be finished */
};

/* -- Coming and going -- */

static void init_locks(struct thrum_channel *channel)
{
	pthread_condattr_t attributes;

	pthread_mutex_init(&channel->lock, NULL);
	pthread_mutex_init(&channel->writing, NULL);
	pthread_condattr_init(&attributes);
	pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
	pthread_cond_init(&channel->changed, &attributes);
	pthread_condattr_destroy(&attributes);
}

static bool is_stream(int fd)
{
	socklen_t size = sizeof(int);
	int type = 0;

	if (getsockopt(fd, SOL_SOCKET, SO_TYPE, &type, &size) < 0)
		return false;
	errno = EINVAL;
	return type == SOCK_STREAM;
}

struct thrum_channel *thrum_channel_create(int fd)
{
	struct thrum_channel *channel;

	if (!is_stream(fd))
		return NULL;
	channel = thrum__allocate(1, sizeof *channel);
	if (!channel)
		return NULL;
	channel->in = thrum__allocate(1, CHUNK);
	if (!channel->in) {
		thrum__free(channel);
		return NULL;
	}
	fcntl(fd, F_SETFD, FD_CLOEXEC);
	channel->fd = fd;
	channel->room = CHUNK;
	channel->poll_fd = channel->event_fd = -1;
	init_locks(channel);
	return channel;
}

/* A number that is a descriptor, or -1. */
static int read_variable(const char *name)
{
	const char *text = getenv(name);
	char *end;
	long number;

	if (!text || *text < '0' || *text > '9')
		return -1;
	number = strtol(text, &end, 10);
	return *end || number > INT_MAX ? -1 : (int)number;
}

struct thrum_channel *thrum_channel_open(void)
{
	static const char *const names[] = { THRUM_ENV_CHANNEL, "NODE_CHANNEL_FD", "NODE_CHANNEL_SERIALIZATION_MODE" };
	struct thrum_channel *channel;
	int fd = read_variable(names[0]);

	if (fd < 0)
		fd = read_variable(names[1]);
	errno = ENOTCONN;
	channel = fd < 0 ? NULL : thrum_channel_create(fd);
	/* A child of ours would take whatever has this number there for its channel. */
	for (unsigned i = 0; channel && i < sizeof names / sizeof *names; i++)
		unsetenv(names[i]);
	return channel;
}

static void close_if(int fd)
{
	if (fd >= 0)
		close(fd);
}

void thrum_channel_close(struct thrum_channel *channel)
{
	if (!channel)
		return;
	for (size_t i = 0; i < channel->count; i++)
		thrum__free(channel->kept[channel->first + i].text);
	close(channel->fd);
	close_if(channel->poll_fd);
	close_if(channel->event_fd);
	pthread_mutex_destroy(&channel->lock);
	pthread_mutex_destroy(&channel->writing);
	pthread_cond_destroy(&channel->changed);
	thrum__free(channel->kept);
	thrum__free(channel->held);
	thrum__free(channel->in);
	thrum__free(channel);
}

/* -- The descriptor that is polled: the socket's and, for what was read already, an event's -- */

static bool watch(int poll_fd, int fd)
{
	struct epoll_event event = { .events = EPOLLIN };

	return epoll_ctl(poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

static int make_poll_fd(struct thrum_channel *channel)
{
	int poll_fd = epoll_create1(EPOLL_CLOEXEC), event_fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK), reason;

	if (poll_fd >= 0 && event_fd >= 0 && watch(poll_fd, channel->fd) && watch(poll_fd, event_fd)) {
		channel->poll_fd = poll_fd;
		channel->event_fd = event_fd;
		return 0;
	}
	reason = errno;
	close_if(poll_fd);
	close_if(event_fd);
	return -reason;
}

/* Under the lock. */
static void tell(struct thrum_channel *channel)
{
	bool wanted = channel->count > 0;
	uint64_t number = 1;
	ssize_t ignored;

	if (channel->event_fd < 0 || channel->is_told == wanted)
		return;
	ignored = wanted ? write(channel->event_fd, &number, sizeof number) : read(channel->event_fd, &number, sizeof number);
	(void)ignored;
	channel->is_told = wanted;
}

void thrum__channel_settle(struct thrum_channel *channel)
{
	pthread_mutex_lock(&channel->lock);
	tell(channel);
	pthread_mutex_unlock(&channel->lock);
}

int thrum_channel_fd(struct thrum_channel *channel)
{
	int result;

	pthread_mutex_lock(&channel->lock);
	result = channel->poll_fd >= 0 ? 0 : make_poll_fd(channel);
	tell(channel);
	if (result == 0)
		result = channel->poll_fd;
	pthread_mutex_unlock(&channel->lock);
	return result;
}

/* -- Letters; under the lock -- */

static bool make_room(struct thrum_channel *channel)
{
	size_t room = channel->kept_room ? channel->kept_room * 2 : KEPT_FIRST;
	struct letter *kept;

	if (channel->first + channel->count < channel->kept_room)
		return true;
	if (channel->first > channel->kept_room / 2) {
		memmove(channel->kept, channel->kept + channel->first, channel->count * sizeof *kept);
		channel->first = 0;
		return true;
	}
	kept = thrum__reallocate(channel->kept, room, sizeof *kept);
	if (!kept)
		return false;
	channel->kept = kept;
	channel->kept_room = room;
	return true;
}

static struct request *request_of(struct thrum_channel *channel, struct piece line)
{
	struct request *request = channel->requests;
	struct piece id = { NULL, 0 };

	if (request)
		id = json_member(line, "requestId");
	while (request && !(id.at && !request->is_done && strlen(request->id) == id.size && memcmp(request->id, id.at, id.size) == 0))
		request = request->next;
	return request;
}

static bool deliver(struct thrum_channel *channel, struct piece line)
{
	struct request *request = request_of(channel, line);
	struct letter letter = { NULL, line.size };

	if (!make_room(channel))
		return false;
	letter.text = thrum__allocate(1, line.size + 1);
	if (!letter.text)
		return false;
	memcpy(letter.text, line.at, line.size);
	if (request) {
		request->reply = letter;
		request->is_done = true;
	} else {
		channel->kept[channel->first + channel->count++] = letter;
		channel->kept_bytes += letter.size;
	}
	return true;
}

/* Those of Node's own are none of ours, and an empty line is none at all. Few have these letters: only they are looked into. */
static bool is_letter(struct piece line)
{
	static const char mark[] = "\"NODE_";

	if (line.size > 0 && memmem(line.at, line.size, mark, sizeof mark - 1))
		return !json_goes_on(json_member(line, "cmd"), "NODE_");
	return line.size > 0;
}

/* All whole lines that came in. 1: there were some; 0; -ENOMEM: it is the turn of this line the next time. */
static int sort(struct thrum_channel *channel)
{
	char *from, *newline;
	struct piece line;
	int any = 0;

	for (;; any = 1) {
		from = channel->in + channel->start;
		newline = memchr(from, '\n', channel->end - channel->start);
		if (!newline)
			return any;
		line = (struct piece){ from, (size_t)(newline - from) };
		if (line.size > 0 && newline[-1] == '\r')
			line.size--;
		if (is_letter(line) && !deliver(channel, line))
			return -ENOMEM;
		channel->start += (size_t)(newline + 1 - from);
	}
}

/* -- Reading; by one thread, without the lock -- */

static bool make_space(struct thrum_channel *channel)
{
	char *in;

	if (channel->start > 0) {
		memmove(channel->in, channel->in + channel->start, channel->end - channel->start);
		channel->end -= channel->start;
		channel->start = 0;
	}
	if (channel->end < channel->room)
		return true;
	in = thrum__reallocate(channel->in, channel->room * 2, 1);
	if (!in)
		return false;
	channel->in = in;
	channel->room *= 2;
	return true;
}

/* 0: it is, or a signal came. */
static int await_event(int fd, short event, uint64_t deadline_ns)
{
	struct pollfd polled = { .fd = fd, .events = event };
	uint64_t now = thrum__now_ns(), left = deadline_ns > now ? deadline_ns - now : 0;
	struct timespec span = { (time_t)(left / 1000000000), (long)(left % 1000000000) };

	if (deadline_ns == 0)
		return -ETIMEDOUT;
	return ppoll(&polled, 1, deadline_ns == FUTEX_EVER ? NULL : &span, NULL) == 0 ? -ETIMEDOUT : 0;
}

/* Sets ended when it is over. 0: something came, or may have. */
static int read_some(struct thrum_channel *channel, uint64_t deadline_ns, int *ended)
{
	ssize_t got;

	if (channel->end - channel->start >= THRUM_MESSAGE_MOST) {
		*ended = -EMSGSIZE;
		return 0;
	}
	if (!make_space(channel))
		return -ENOMEM;
	got = recv(channel->fd, channel->in + channel->end, channel->room - channel->end, MSG_DONTWAIT);
	if (got > 0)
		channel->end += (size_t)got;
	else if (got == 0 || (errno != EAGAIN && errno != EINTR))
		*ended = -EPIPE;
	else if (errno == EAGAIN)
		return await_event(channel->fd, POLLIN, deadline_ns);
	return 0;
}

/* Under the lock: sleep until somebody else has read something. */
static int await_reader(struct thrum_channel *channel, uint64_t deadline_ns)
{
	struct timespec until = { (time_t)(deadline_ns / 1000000000), (long)(deadline_ns % 1000000000) };

	if (deadline_ns == FUTEX_EVER)
		return -pthread_cond_wait(&channel->changed, &channel->lock);
	return -pthread_cond_timedwait(&channel->changed, &channel->lock, &until);
}

/* Under the lock: one step towards the next letter. */
static int pump(struct thrum_channel *channel, uint64_t deadline_ns)
{
	int status, ended = 0;

	if (channel->is_reading)
		return await_reader(channel, deadline_ns);
	status = sort(channel);
	if (status != 0)
		return status < 0 ? status : 0;
	channel->is_reading = true;
	pthread_mutex_unlock(&channel->lock);
	status = read_some(channel, deadline_ns, &ended);
	pthread_mutex_lock(&channel->lock);
	channel->is_reading = false;
	if (ended)
		channel->ended = ended;
	if (status == 0 && sort(channel) < 0)
		status = -ENOMEM;
	pthread_cond_broadcast(&channel->changed);
	return status;
}

/* Under the lock. */
static bool take(struct thrum_channel *channel, struct letter *letter)
{
	if (channel->count == 0)
		return false;
	*letter = channel->kept[channel->first++];
	channel->kept_bytes -= letter->size;
	if (--channel->count == 0)
		channel->first = 0;
	return true;
}

bool thrum__channel_take(struct thrum_channel *channel, struct letter *letter)
{
	bool taken;

	pthread_mutex_lock(&channel->lock);
	taken = take(channel, letter);
	pthread_mutex_unlock(&channel->lock);
	return taken;
}

static int flush(struct thrum_channel *channel, uint64_t deadline_ns);

/* Before waiting: what is held back may be what the other side waits for. */
static void say_all(struct thrum_channel *channel, uint64_t deadline_ns)
{
	pthread_mutex_lock(&channel->writing);
	flush(channel, deadline_ns); /* what could not be said is so later, and what is over, the reader is told */
	pthread_mutex_unlock(&channel->writing);
}

int thrum__channel_next(struct thrum_channel *channel, struct letter *letter, uint64_t deadline_ns)
{
	int status = 0;

	if (deadline_ns != 0) {
		if (thrum__channel_take(channel, letter))
			return 0;
		say_all(channel, deadline_ns);
	}
	pthread_mutex_lock(&channel->lock);
	while (channel->count == 0 && !channel->ended && status == 0)
		status = pump(channel, deadline_ns);
	if (take(channel, letter))
		status = 0;
	else if (channel->ended)
		status = channel->ended;
	pthread_mutex_unlock(&channel->lock);
	return status;
}

/* Looks until the time is up, or until somebody else has had the processor meanwhile: then it is theirs. */
static int look_on(struct thrum_channel *channel, struct letter *letter)
{
	uint64_t begin = thrum__now_ns(), now = begin, last;
	int status;

	do {
		last = now;
		status = thrum__channel_next(channel, letter, 0);
		if (status != -ETIMEDOUT)
			return status;
		sched_yield();
		now = thrum__now_ns();
	} while (now - begin < PATIENCE_US * 1000 && now - last < CROWDED_NS);
	return thrum__channel_next(channel, letter, 0);
}

bool thrum__channel_next_awake(struct thrum_channel *channel, struct letter *letter)
{
	bool tries, has_come;

	pthread_mutex_lock(&channel->lock);
	tries = patience_tries(&channel->patience);
	pthread_mutex_unlock(&channel->lock);
	if (!tries)
		return false;
	has_come = look_on(channel, letter) == 0;
	pthread_mutex_lock(&channel->lock);
	if (has_come)
		patience_paid(&channel->patience);
	else
		patience_was_vain(&channel->patience);
	pthread_mutex_unlock(&channel->lock);
	return has_come;
}

int thrum__channel_await(struct thrum_channel *channel, struct request *request, uint64_t deadline_ns)
{
	int status = 0;

	say_all(channel, deadline_ns);
	pthread_mutex_lock(&channel->lock);
	while (!request->is_done && !channel->ended && status == 0)
		status = channel->kept_bytes > THRUM_MESSAGE_MOST ? -ENOBUFS : pump(channel, deadline_ns);
	if (request->is_done)
		status = 0;
	else if (status == 0)
		status = channel->ended;
	tell(channel);
	pthread_mutex_unlock(&channel->lock);
	return status;
}

void thrum__channel_enlist(struct thrum_channel *channel, struct request *request)
{
	pthread_mutex_lock(&channel->lock);
	request->next = channel->requests;
	channel->requests = request;
	pthread_mutex_unlock(&channel->lock);
}

void thrum__channel_delist(struct thrum_channel *channel, struct request *request)
{
	struct request **link = &channel->requests;

	pthread_mutex_lock(&channel->lock);
	while (*link != request)
		link = &(*link)->next;
	*link = request->next;
	pthread_mutex_unlock(&channel->lock);
}

uint64_t thrum__channel_number(struct thrum_channel *channel)
{
	uint64_t number;

	pthread_mutex_lock(&channel->lock);
	number = ++channel->number;
	pthread_mutex_unlock(&channel->lock);
	return number;
}

int thrum_channel_receive(struct thrum_channel *channel, char **text, size_t *size, int timeout_ms)
{
	struct letter letter;
	int status = thrum__channel_next(channel, &letter, thrum__deadline_ns(timeout_ms));

	thrum__channel_settle(channel);
	if (status == 0) {
		*text = letter.text;
		*size = letter.size;
	}
	return status;
}

/* -- Writing; under its lock -- */

static void skip_written(struct msghdr *message, size_t sent)
{
	while (message->msg_iovlen > 0 && sent >= message->msg_iov->iov_len) {
		sent -= message->msg_iov->iov_len;
		message->msg_iov++;
		message->msg_iovlen--;
	}
	if (message->msg_iovlen > 0) {
		message->msg_iov->iov_base = (char *)message->msg_iov->iov_base + sent;
		message->msg_iov->iov_len -= sent;
	}
}

/* The deadline is for the first byte: whoever has begun a line has to end it. */
static int write_vector(struct thrum_channel *channel, struct iovec *vector, size_t count, uint64_t deadline_ns)
{
	struct msghdr message = { .msg_iov = vector, .msg_iovlen = count };
	int status = channel->is_torn ? -EPIPE : 0;
	ssize_t sent;

	while (status == 0 && message.msg_iovlen > 0) {
		sent = sendmsg(channel->fd, &message, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent >= 0) {
			skip_written(&message, (size_t)sent);
			deadline_ns = FUTEX_EVER;
		} else if (errno == EAGAIN) {
			status = await_event(channel->fd, POLLOUT, deadline_ns);
		} else if (errno != EINTR) {
			status = errno == ECONNRESET || errno == ENOTCONN ? -EPIPE : -errno;
			channel->is_torn = true;
		}
	}
	return status;
}

static int flush(struct thrum_channel *channel, uint64_t deadline_ns)
{
	struct iovec vector = { channel->held, channel->held_size };
	int status = channel->held_size ? write_vector(channel, &vector, 1, deadline_ns) : 0;

	if (status == 0)
		channel->held_size = 0;
	return status;
}

static void hold_back(struct thrum_channel *channel, const struct iovec *vector, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		memcpy(channel->held + channel->held_size, vector[i].iov_base, vector[i].iov_len);
		channel->held_size += vector[i].iov_len;
	}
}

static int put(struct thrum_channel *channel, struct iovec *vector, size_t count, uint64_t deadline_ns)
{
	size_t size = 0;
	int status = 0;

	for (size_t i = 0; i < count; i++)
		size += vector[i].iov_len;
	if (size > THRUM_MESSAGE_MOST)
		return -EMSGSIZE;
	if (channel->held_size + size > CHUNK || !channel->holds)
		status = flush(channel, deadline_ns);
	if (status < 0)
		return status;
	if (!channel->holds || size > CHUNK)
		return write_vector(channel, vector, count, deadline_ns);
	hold_back(channel, vector, count);
	return 0;
}

int thrum__channel_write(struct thrum_channel *channel, const struct piece *pieces, unsigned count, int timeout_ms)
{
	struct iovec vector[PIECES_MOST + 1];
	int status;

	for (unsigned i = 0; i < count; i++) {
		if (pieces[i].size > THRUM_MESSAGE_MOST)
			return -EMSGSIZE;
		if (pieces[i].size > 0 && memchr(pieces[i].at, '\n', pieces[i].size))
			return -EINVAL;
		vector[i] = (struct iovec){ (void *)(uintptr_t)pieces[i].at, pieces[i].size };
	}
	vector[count] = (struct iovec){ (void *)(uintptr_t) "\n", 1 };
	pthread_mutex_lock(&channel->writing);
	status = put(channel, vector, count + 1, thrum__deadline_ns(timeout_ms));
	pthread_mutex_unlock(&channel->writing);
	return status;
}

int thrum_channel_send(struct thrum_channel *channel, const char *text, size_t size, int timeout_ms)
{
	struct piece piece = { text, size };

	return size > 0 ? thrum__channel_write(channel, &piece, 1, timeout_ms) : -EINVAL;
}

int thrum_channel_hold(struct thrum_channel *channel)
{
	int status = 0;

	pthread_mutex_lock(&channel->writing);
	if (!channel->held)
		channel->held = thrum__allocate(1, CHUNK);
	if (channel->held)
		channel->holds++;
	else
		status = -ENOMEM;
	pthread_mutex_unlock(&channel->writing);
	return status;
}

int thrum_channel_release(struct thrum_channel *channel, int timeout_ms)
{
	int status = -EINVAL;

	pthread_mutex_lock(&channel->writing);
	if (channel->holds > 0)
		status = --channel->holds > 0 ? 0 : flush(channel, thrum__deadline_ns(timeout_ms));
	pthread_mutex_unlock(&channel->writing);
	return status;
}
