#include "engine/channel.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "engine/mail.h"
#include "engine/outbox.h"

enum {
	TURN_MOST = 512 * 1024,             /* bytes of one process a turn: then the others have theirs */
	AT_ONCE = 32 * 1024,                /* bytes that a socket takes whole or not at all */
	LAST_MOST = 64 * 1024 * 1024,       /* bytes taken after its end, from whoever still has the socket */
	FAST_US = 500,                      /* something again this soon … */
	LITTLE = 8192,                      /* … and less than this … */
	LITTLES = 8,                        /* … this often in a row, to one that is not spoken to: … */
	REST_MS = 1,                        /* … it is left alone for so long */
	UTF8_BAD_SIZE = 3,                  /* bytes of what stands for a byte that is no UTF-8 */
	QUARANTINE_MOST = 32 * 1024 * 1024, /* bytes kept of messages that killed engines */
};

/* A message that waits to be sent with a descriptor. */
struct parcel {
	char *json; /* owned */
	size_t size;
	int fd; /* owned */
};

struct channel {
	struct engine *engine;
	uint32_t seat;
	uint32_t life; /* index in the store */
	int fd;
	struct inbox inbox;
	struct outbox outbox;
	struct text batch;                           /* whole messages that are sent at the end of this turn */
	struct parcel parcels[CHANNEL_PARCELS_MOST]; /* sent when nothing else waits */
	unsigned parcel_count;
	int events;        /* that are polled for */
	bool is_awaited;   /* somebody wants to know when it takes more */
	uint64_t received; /* bytes, by this engine */
	uint64_t taken_us; /* when something came last */
	uint64_t acted_us; /* when what came last began to be acted on */
	uint64_t written;  /* messages sent to it, without those that a descriptor came with … */
	uint64_t answered; /* … and as many by then */
	unsigned littles;  /* how often in a row little came, soon after the last */
	unsigned open_handles;
	uv_timer_t rest; /* it says much, in small pieces: they may gather */
	bool has_complained;
	struct channel_counts measured; /* at … */
	uint64_t measured_us;           /* 0: never */
	double in_rate, out_rate;       /* messages a second before that; below 0: not known */
	uv_poll_t poll;
	struct channel *next; /* of those with a batch */
	bool is_listed;
};

/* ---- making ---- */

static bool make_socket(struct channel_ends *ends)
{
	int pair[2], room = CHANNEL_ROOM;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return false;
	fcntl(pair[0], F_SETFL, O_NONBLOCK);
	/* as much as the machine allows: past wmem_max only root may go */
	if (setsockopt(pair[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
		setsockopt(pair[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	ends->ours = pair[0];
	ends->theirs = pair[1];
	return true;
}

/* What the system grants is twice what counts. */
static uint32_t room_of(int socket)
{
	int room = 0;
	socklen_t size = sizeof room;

	getsockopt(socket, SOL_SOCKET, SO_SNDBUF, &room, &size);
	return (uint32_t)room / 2;
}

bool channel_make(struct channel_ends *ends)
{
	struct inbox inbox;

	*ends = (struct channel_ends){ -1, -1, -1 };
	if (!inbox_make(&inbox))
		return false;
	bool ok = make_socket(ends);
	if (ok)
		inbox.page->room = room_of(ends->theirs);
	ends->inbox = ok ? fcntl(inbox.fd, F_DUPFD_CLOEXEC, 0) : -1;
	inbox_close(&inbox);
	if (ends->inbox >= 0)
		return true;
	int reason = errno;
	channel_unmake(ends);
	errno = reason;
	return false;
}

void channel_unmake(struct channel_ends *ends)
{
	const int all[] = { ends->ours, ends->theirs, ends->inbox };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		close_if_open(all[i]);
	*ends = (struct channel_ends){ -1, -1, -1 };
}

static struct member *member_of_channel(const struct channel *channel)
{
	return channel->engine->members[channel->seat];
}

static struct channel_counts *counts_of(struct channel *channel)
{
	return &channel->inbox.page->counts;
}

static void complain(struct channel *channel, const char *what)
{
	const struct member *member = member_of_channel(channel);

	counts_of(channel)->errors++;
	if (channel->has_complained)
		return;
	channel->has_complained = true;
	engine_tell(channel->engine, "%s/%u: a message on its channel %s; it is passed over, as further ones will be",
		member->now.service, member->now.index, what);
}

/* ---- closing ---- */

static void drop_parcels(struct channel *channel)
{
	for (unsigned i = 0; i < channel->parcel_count; i++) {
		free(channel->parcels[i].json);
		close(channel->parcels[i].fd);
	}
	channel->parcel_count = 0;
}

static void unlist(struct channel *channel)
{
	struct channel **place = &channel->engine->posted;

	if (!channel->is_listed)
		return;
	while (*place != channel)
		place = &(*place)->next;
	*place = channel->next;
	channel->is_listed = false;
}

static void on_closed(uv_handle_t *handle)
{
	struct channel *channel = handle->data;

	if (--channel->open_handles)
		return;
	inbox_close(&channel->inbox);
	outbox_close(&channel->outbox);
	text_finish(&channel->batch);
	free(channel);
}

void channel_close(struct member *member)
{
	static const unsigned kinds[] = { KEEPER_CHANNEL, KEEPER_INBOX, KEEPER_OUTBOX };
	struct channel *channel = member->channel;

	if (!channel)
		return;
	mail_ended(member);
	member->channel = NULL;
	unlist(channel);
	drop_parcels(channel);
	uv_poll_stop(&channel->poll);
	uv_close((uv_handle_t *)&channel->poll, on_closed);
	uv_close((uv_handle_t *)&channel->rest, on_closed);
	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++)
		keeper_link_closed(&channel->engine->keeper, STORE_LIFE_SLOT + channel->life, kinds[i]);
	shutdown(channel->fd, SHUT_RDWR); /* the keeper's copy keeps it open, and nobody reads there */
	close(channel->fd);
}

/* ---- sending ---- */

static void watch(struct channel *channel);

static size_t waiting(const struct channel *channel)
{
	return outbox_waiting(&channel->outbox) + channel->batch.size;
}

/* The keeper holds it before there is anything in it. */
static bool need_outbox(struct channel *channel)
{
	unsigned kind = KEEPER_OUTBOX;

	if (channel->outbox.fd >= 0)
		return true;
	if (!outbox_make(&channel->outbox))
		return false;
	keeper_link_put(&channel->engine->keeper, STORE_LIFE_SLOT + channel->life, &kind, &channel->outbox.fd, 1);
	return true;
}

/* Whole messages from the front of the batch that the socket takes whole or not at all; 0: the first is too large. */
static size_t next_piece(const struct channel *channel)
{
	if (channel->batch.size <= AT_ONCE)
		return channel->batch.size;
	const char *newline = memrchr(channel->batch.data, '\n', AT_ONCE);
	return newline ? (size_t)(newline + 1 - channel->batch.data) : 0;
}

/*
 * What goes out in one piece needs no file: a process never gets half a message because the engine
 * died. False: the process has closed its end. */
static bool send_pieces(struct channel *channel)
{
	size_t piece;

	while ((piece = next_piece(channel)) > 0) {
		ssize_t sent = send(channel->fd, channel->batch.data, piece, MSG_NOSIGNAL | MSG_DONTWAIT);
		if (sent < 0 && errno == EINTR)
			continue;
		if (sent < 0 && errno != EAGAIN)
			return false;
		if (sent > 0)
			text_drop(&channel->batch, (size_t)sent);
		if (sent < (ssize_t)piece)
			break;
	}
	return true;
}

static bool send_batch(struct channel *channel)
{
	if (!outbox_waiting(&channel->outbox) && !send_pieces(channel))
		return false;
	if (channel->batch.size == 0)
		return true;
	if (!need_outbox(channel) || !outbox_add(&channel->outbox, channel->batch.data, channel->batch.size))
		return false;
	text_clear(&channel->batch);
	return true;
}

static enum parcel_fate hand(struct channel *channel, const char *json, size_t size, int fd)
{
	union {
		char bytes[CMSG_SPACE(sizeof(int))];
		struct cmsghdr align;
	} control = { 0 };
	struct iovec pieces[] = { { (void *)json, size }, { "\n", 1 } };
	struct msghdr header = { .msg_iov = pieces,
		.msg_iovlen = 2,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control.bytes };
	struct cmsghdr *rights = CMSG_FIRSTHDR(&header);

	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof fd);
	memcpy(CMSG_DATA(rights), &fd, sizeof fd);
	ssize_t sent = sendmsg(channel->fd, &header, MSG_NOSIGNAL | MSG_DONTWAIT);
	if (sent < 0)
		return errno == EAGAIN || errno == EINTR || errno == ENOBUFS || errno == ETOOMANYREFS ? PARCEL_LATER
												      : PARCEL_NEVER;
	counts_of(channel)->out++;
	counts_of(channel)->out_bytes += size + 1;
	return PARCEL_SENT;
}

static bool send_parcels(struct channel *channel)
{
	unsigned done = 0;
	enum parcel_fate fate = PARCEL_SENT;

	while (done < channel->parcel_count) {
		struct parcel *parcel = &channel->parcels[done];
		fate = hand(channel, parcel->json, parcel->size, parcel->fd);
		if (fate != PARCEL_SENT)
			break;
		free(parcel->json);
		close(parcel->fd);
		done++;
	}
	channel->parcel_count -= done;
	memmove(channel->parcels, channel->parcels + done, channel->parcel_count * sizeof *channel->parcels);
	return fate != PARCEL_NEVER;
}

/* False: the process has closed its end, or nothing can be kept for it. */
static bool flush(struct channel *channel)
{
	bool ok = send_batch(channel) && outbox_flush(&channel->outbox, channel->fd);

	if (ok && channel->parcel_count && !waiting(channel))
		ok = send_parcels(channel);
	if (ok)
		watch(channel);
	return ok;
}

static bool flush_or_close(struct member *member, struct error *err)
{
	if (flush(member->channel))
		return true;
	channel_close(member);
	return error_set(err, EPIPE, "%s/%u has closed its channel", member->now.service, member->now.index);
}

void channel_flush_all(struct engine *engine)
{
	struct error err;

	while (engine->posted) {
		struct channel *channel = engine->posted;
		unlist(channel);
		flush_or_close(member_of_channel(channel), &err);
	}
}

static void list(struct channel *channel)
{
	if (channel->is_listed)
		return;
	channel->next = channel->engine->posted;
	channel->engine->posted = channel;
	channel->is_listed = true;
}

static bool add_to_batch(struct member *member, const char *json, size_t size, struct error *err)
{
	struct channel *channel = member->channel;

	if (!channel)
		return error_set(err, ENOTCONN, "%s/%u has no channel%s", member->now.service, member->now.index,
			member_spec(member)->ipc ? " now" : "; `ipc: json` gives it one");
	size_t before = waiting(channel);
	if (before + size + 1 > CHANNEL_QUEUE_MOST)
		return error_set(err, EAGAIN, "%s/%u does not read: %zu bytes wait for it", member->now.service,
			member->now.index, before);
	text_append(&channel->batch, json, size);
	text_putc(&channel->batch, '\n');
	channel->written++;
	counts_of(channel)->out++;
	counts_of(channel)->out_bytes += size + 1;
	mail_sent(member, json, size);
	return true;
}

bool channel_send(struct member *member, const char *json, size_t size, struct error *err)
{
	return add_to_batch(member, json, size, err) && flush_or_close(member, err);
}

bool channel_post(struct member *member, const char *json, size_t size, struct error *err)
{
	if (!add_to_batch(member, json, size, err))
		return false;
	if (member->channel->batch.size >= AT_ONCE)
		return flush_or_close(member, err);
	list(member->channel);
	return true;
}

bool channel_wants_pause(struct member *member)
{
	struct channel *channel = member->channel;
	struct error err;

	if (!channel || waiting(channel) < CHANNEL_MUCH || !flush_or_close(member, &err) ||
		waiting(channel) < CHANNEL_MUCH)
		return false;
	channel->is_awaited = true;
	watch(channel);
	return true;
}

enum parcel_fate channel_hand(struct member *member, const char *json, size_t size, int fd)
{
	struct channel *channel = member->channel;
	struct error err;

	if (!channel || !flush_or_close(member, &err))
		return PARCEL_NEVER;
	enum parcel_fate fate =
		waiting(channel) || channel->parcel_count ? PARCEL_LATER : hand(channel, json, size, fd);
	if (fate == PARCEL_LATER) {
		channel->is_awaited = true;
		watch(channel);
	}
	return fate;
}

bool channel_hand_later(struct member *member, const char *json, size_t size, int fd)
{
	enum parcel_fate fate = channel_hand(member, json, size, fd);
	struct channel *channel = member->channel;

	if (fate != PARCEL_LATER)
		return fate == PARCEL_SENT;
	int copy = channel->parcel_count < CHANNEL_PARCELS_MOST ? fcntl(fd, F_DUPFD_CLOEXEC, 0) : -1;
	if (copy < 0)
		return false;
	channel->parcels[channel->parcel_count++] = (struct parcel){ memory_copy_n(json, size), size, copy };
	watch(channel);
	return true;
}

/* ---- receiving ---- */

/* Whole, if the file has room; what is larger is not kept. */
static bool keep_line(const char *path, const char *line, size_t size)
{
	int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, 0600);
	struct iovec pieces[] = { { (void *)line, size }, { "\n", 1 } };
	struct stat st;
	bool ok = fd >= 0 && fstat(fd, &st) == 0 && (size_t)st.st_size + size < QUARANTINE_MOST &&
		  writev(fd, pieces, 2) == (ssize_t)size + 1;

	close_if_open(fd);
	return ok;
}

/* Engines died of it: the next is spared, and somebody may look at it. */
static void quarantine(struct channel *channel, const char *line, size_t size)
{
	struct member *member = member_of_channel(channel);
	char *path = memory_format("%s/quarantine.log", channel->engine->state_dir);
	bool is_kept = keep_line(path, line, size);

	counts_of(channel)->errors++;
	engine_tell(channel->engine, "%s/%u: a message of which %d engines died is passed over%s%s",
		member->now.service, member->now.index, INBOX_TRIES,
		is_kept ? "; it is in " : ", and not kept: there is no room in ", path);
	free(path);
}

/* JSON but for bytes that are no UTF-8: as Node reads it, who has said it waits for what follows from it. */
static bool scan_mended(struct message *message, struct text *mended, const char *line, size_t size)
{
	return !utf8_is_valid(line, size) && utf8_append_valid(mended, line, size) &&
	       message_scan(message, mended->data, mended->size);
}

static void take_line(struct channel *channel, const char *line, size_t size)
{
	struct message message;
	struct text mended;

	if (channel->inbox.is_abandoned) {
		quarantine(channel, line, size);
		return;
	}
	text_init(&mended, size * UTF8_BAD_SIZE);
	if (message_scan(&message, line, size) || scan_mended(&message, &mended, line, size))
		mail_take(member_of_channel(channel), &message);
	else
		complain(channel, "is no JSON, or too deep");
	text_finish(&mended);
}

/* Act on what is there. False: the channel is gone after it. */
static bool work(struct channel *channel)
{
	struct member *member = member_of_channel(channel);
	const char *line;
	size_t size;

	channel->acted_us = clock_monotonic_us();
	while (inbox_next(&channel->inbox, &line, &size)) {
		take_line(channel, line, size);
		if (member->channel != channel)
			return false;
		inbox_done(&channel->inbox);
	}
	return true;
}

enum progress { NOTHING_NOW,
	SOMETHING,
	ALL_OF_IT, /* as far as can be seen: there was less than there is room for */
	IS_OVER };

static enum progress take(struct channel *channel)
{
	struct member *member = member_of_channel(channel);
	long size = inbox_receive(&channel->inbox, channel->fd);

	if (size < 0 && (errno == EAGAIN || errno == EINTR))
		return NOTHING_NOW;
	if (size < 0 && errno == ENOBUFS)
		engine_tell(channel->engine, "%s/%u: a message of more than %d bytes: its channel is closed",
			member->now.service, member->now.index, INBOX_LINE_MOST);
	if (size <= 0)
		return IS_OVER;
	channel->received += (uint64_t)size;
	if (!work(channel))
		return NOTHING_NOW; /* it was closed; its owner is gone */
	return size < INBOX_NARROW ? ALL_OF_IT : SOMETHING;
}

static void take_all(struct channel *channel);

static void on_rested(uv_timer_t *timer)
{
	struct channel *channel = timer->data;

	take_all(channel);
	if (member_of_channel(channel)->channel == channel)
		watch(channel);
}

/*
 * A process that says much in small pieces would wake us for each of them. One that is answered waits for
 * the answer, and is not kept waiting.
 */
static void consider_rest(struct channel *channel, uint64_t size)
{
	uint64_t now_us = clock_monotonic_us();
	bool is_fast = now_us - channel->taken_us < FAST_US + REST_MS * 1000 && channel->written == channel->answered;

	if (!is_fast || !size)
		channel->littles = 0;
	else if (size < LITTLE)
		channel->littles++;
	channel->taken_us = now_us;
	channel->answered = channel->written;
	if (channel->littles < LITTLES)
		return;
	uv_update_time(channel->engine->loop);
	uv_timer_start(&channel->rest, on_rested, REST_MS, 0);
	watch(channel);
}

static void take_all(struct channel *channel)
{
	struct member *member = member_of_channel(channel);
	uint64_t before = channel->received;
	enum progress progress = SOMETHING;

	while (member->channel == channel && progress == SOMETHING && channel->received - before < TURN_MOST)
		progress = take(channel);
	if (member->channel != channel)
		return;
	if (progress == IS_OVER) {
		channel_close(member);
		return;
	}
	consider_rest(channel, channel->received - before);
	mail_read(member);
}

static void on_ready(uv_poll_t *poll, int status, int events)
{
	struct channel *channel = poll->data;
	struct member *member = member_of_channel(channel);
	bool is_open = true;

	(void)status;
	if (events & UV_WRITABLE)
		is_open = flush(channel);
	if (events & UV_WRITABLE && is_open && channel->is_awaited && waiting(channel) < CHANNEL_MUCH / 2) {
		channel->is_awaited = false;
		watch(channel);
		mail_room(member);
	}
	if (member->channel == channel && (events & UV_READABLE || !is_open))
		take_all(channel); /* to the end, if it is one */
}

static void watch(struct channel *channel)
{
	bool has_more = outbox_waiting(&channel->outbox) || channel->parcel_count || channel->is_awaited;
	bool is_resting = uv_is_active((uv_handle_t *)&channel->rest);
	int events = (is_resting ? 0 : UV_READABLE) | (has_more ? UV_WRITABLE : 0);

	if (events == channel->events)
		return;
	channel->events = events;
	if (events)
		uv_poll_start(&channel->poll, events, on_ready);
	else
		uv_poll_stop(&channel->poll);
}

/* What a former engine left is looked at in the next turn: by then everybody is there again. */
void channel_open(struct member *member, int ours, int inbox, int outbox)
{
	struct channel *channel = memory_zeroed(1, sizeof *channel);

	channel_close(member);
	if (!inbox_restore(&channel->inbox, inbox)) {
		log_line("%s/%u: what came on its channel cannot be read", member->now.service, member->now.index);
		close(ours);
		close(inbox);
		free(channel);
		return;
	}
	channel->engine = member->engine;
	channel->seat = member->seat;
	channel->life = (uint32_t)member->life;
	channel->fd = ours;
	channel->outbox.fd = -1;
	channel->in_rate = channel->out_rate = -1;
	if (outbox >= 0)
		outbox_restore(&channel->outbox, outbox);
	text_init(&channel->batch, CHANNEL_QUEUE_MOST);
	member->channel = channel;
	uv_poll_init(member->engine->loop, &channel->poll, ours);
	uv_timer_init(member->engine->loop, &channel->rest);
	channel->poll.data = channel->rest.data = channel;
	channel->open_handles = 2;
	watch(channel);
}

void channel_resume(struct member *member)
{
	struct channel *channel = member->channel;

	if (channel && work(channel) && !flush(channel))
		channel_close(member);
}

void channel_end(struct member *member)
{
	struct channel *channel = member->channel;
	enum progress progress = SOMETHING;

	if (!channel)
		return;
	uint64_t before = channel->received;
	while ((progress == SOMETHING || progress == ALL_OF_IT) && channel->received - before < LAST_MOST) {
		progress = take(channel);
		if (member->channel != channel)
			return;
	}
	channel_close(member);
}

uint64_t channel_acted_us(const struct member *member)
{
	return member->channel->acted_us;
}

struct inbox_page *channel_page(const struct member *member)
{
	return member->channel ? member->channel->inbox.page : NULL;
}

void channel_count(const struct member *member, struct channel_counts *counts)
{
	*counts = member->channel ? *counts_of(member->channel) : (struct channel_counts){ 0 };
	if (member->channel)
		counts->queued = waiting(member->channel);
}

void channel_measure(struct member *member, uint64_t now_us)
{
	struct channel *channel = member->channel;

	if (!channel || now_us <= channel->measured_us)
		return;
	const struct channel_counts *now = counts_of(channel), *then = &channel->measured;
	double seconds = (double)(now_us - channel->measured_us) / 1e6;
	if (channel->measured_us) {
		channel->in_rate = (double)(now->in - then->in) / seconds;
		channel->out_rate = (double)(now->out - then->out) / seconds;
	}
	channel->measured = *now;
	channel->measured_us = now_us;
}

void channel_rates(const struct member *member, double *in, double *out)
{
	if (!member->channel)
		return;
	*in = member->channel->in_rate;
	*out = member->channel->out_rate;
}
