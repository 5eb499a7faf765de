#include "engine/notify.h"

#include <errno.h>
#include <stddef.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine.h"
#include "procfs/stat.h"
#include "wire/notification.h"

enum { TURN_MOST = 64, /* datagrams a turn: then the others have theirs */
	FDS_MOST = 16,
	ANCESTORS_MOST = 16,
	COMPLAIN_US = 60 * 1000000 };

/* ---- whose it is ---- */

/* The sender itself, the leader of its session, or somebody above it. */
static struct member *find_sender(struct engine *engine, pid_t pid)
{
	struct proc_stat stat;

	for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++) {
		struct member *member = engine_find_pid(engine, pid);
		if (member || !proc_stat_read(pid, &stat))
			return member;
		member = stat.session > 1 ? engine_find_pid(engine, stat.session) : NULL;
		if (member)
			return member;
		pid = stat.parent;
	}
	return NULL;
}

/* Now and then: who floods us is not to flood the operator. */
static void complain(struct notify *notify, const struct ucred *sender)
{
	uint64_t now_us = clock_monotonic_us();

	if (notify->complained_us && now_us - notify->complained_us < COMPLAIN_US)
		return;
	notify->complained_us = now_us;
	engine_tell(notify->engine, "a notification of pid %d (uid %d) was passed over: it is no process of this project",
		(int)sender->pid, (int)sender->uid);
}

/* ---- what it says ---- */

static void keep_alive(struct member *member)
{
	struct moment now = { .monotonic_ms = clock_monotonic_ms() };

	instance_kept_alive(&member->now, member_spec(member), &now);
	store_commit(member->engine->store, member->seat, &member->now, NULL, 0);
	member_arm(member);
}

static void say(struct member *member, const char *status)
{
	free(member->status);
	member->status = *status ? memory_format("%.*s", DEATH_DETAIL_SIZE - 1, status) : NULL;
	member->engine->listener.on_changed(member->engine->listener.context, member);
}

/* The last that may end its life comes last. */
static void act_on(struct member *member, const struct notification *said)
{
	static const struct eviction trigger = { .cause = CAUSE_WATCHDOG, .why = "it said WATCHDOG=trigger" };
	struct engine *engine = member->engine;

	if (said->is_reloading)
		say(member, "reloading");
	if (said->is_stopping)
		say(member, "stopping");
	if (said->has_status)
		say(member, said->status);
	else if (said->is_ready && member->status && strcmp(member->status, "reloading") == 0)
		say(member, "");
	if (said->extend_us)
		member_extend(member, said->extend_us / 1000);
	if (said->is_alive)
		keep_alive(member);
	if (said->is_ready)
		engine_pass(engine, member, GATE_NOTIFY);
	if (said->is_failing)
		engine_evict(engine, member, &trigger);
}

/* ---- receiving ---- */

/* A descriptor that is sent along is closed once the rest is done: so sd_notify_barrier() is answered. */
static void take_control(struct msghdr *header, struct ucred *sender, int *fds, size_t *count)
{
	for (struct cmsghdr *part = CMSG_FIRSTHDR(header); part; part = CMSG_NXTHDR(header, part)) {
		size_t size = part->cmsg_len - CMSG_LEN(0);
		if (part->cmsg_level != SOL_SOCKET)
			continue;
		if (part->cmsg_type == SCM_CREDENTIALS && size == sizeof *sender)
			memcpy(sender, CMSG_DATA(part), sizeof *sender);
		if (part->cmsg_type == SCM_RIGHTS && size / sizeof(int) <= FDS_MOST) {
			memcpy(fds, CMSG_DATA(part), size);
			*count = size / sizeof(int);
		}
	}
}

static bool receive(struct notify *notify)
{
	char bytes[NOTIFICATION_MOST];
	union {
		char bytes[CMSG_SPACE(sizeof(struct ucred)) + CMSG_SPACE(sizeof(int) * FDS_MOST)];
		struct cmsghdr aligned;
	} control;
	struct iovec vector = { bytes, sizeof bytes };
	struct msghdr header = { .msg_iov = &vector,
		.msg_iovlen = 1,
		.msg_control = control.bytes,
		.msg_controllen = sizeof control };
	struct ucred sender = { 0 };
	int fds[FDS_MOST];
	size_t count = 0;
	ssize_t size = recvmsg(notify->fd, &header, MSG_DONTWAIT | MSG_CMSG_CLOEXEC);

	if (size < 0)
		return errno == EINTR;
	take_control(&header, &sender, fds, &count);
	struct member *member = sender.pid > 0 ? find_sender(notify->engine, sender.pid) : NULL;
	if (member && !(header.msg_flags & MSG_TRUNC)) {
		struct notification said;
		notification_parse(&said, bytes, (size_t)size);
		act_on(member, &said);
	} else if (!member) {
		complain(notify, &sender);
	}
	while (count > 0)
		close(fds[--count]);
	return true;
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct notify *notify = poll->data;

	(void)status;
	(void)events;
	for (int i = 0; i < TURN_MOST && notify->fd >= 0; i++)
		if (!receive(notify))
			break;
}

/* ---- the socket ---- */

static bool find_address(struct notify *notify)
{
	struct sockaddr_un address;
	socklen_t size = sizeof address;

	if (getsockname(notify->fd, (struct sockaddr *)&address, &size) < 0)
		return false;
	size_t length = size - offsetof(struct sockaddr_un, sun_path);
	if (length < 2 || length > sizeof notify->address - 1)
		return false;
	notify->address[0] = '@';
	memcpy(notify->address + 1, address.sun_path + 1, length - 1);
	notify->address[length] = '\0';
	return true;
}

static void watch(struct notify *notify)
{
	uv_poll_init(notify->engine->loop, &notify->poll, notify->fd);
	notify->poll.data = notify;
	uv_poll_start(&notify->poll, UV_READABLE, on_readable);
}

void notify_restore(struct notify *notify, struct engine *engine)
{
	*notify = (struct notify){ .engine = engine };
	notify->fd = keeper_link_take(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_NOTIFY);
	if (notify->fd < 0)
		return;
	if (find_address(notify)) {
		watch(notify);
		return;
	}
	keeper_link_closed(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_NOTIFY);
	close(notify->fd);
	notify->fd = -1;
}

/*
 * An address that the kernel gives, without a file: services of other users reach it too, and
 * what comes is judged by who sent it.
 */
static bool open_socket(struct notify *notify)
{
	struct sockaddr_un nameless = { .sun_family = AF_UNIX };
	unsigned kind = KEEPER_NOTIFY;
	int yes = 1;

	notify->fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
	if (notify->fd < 0)
		return false;
	bool ok = setsockopt(notify->fd, SOL_SOCKET, SO_PASSCRED, &yes, sizeof yes) == 0 &&
		  bind(notify->fd, (struct sockaddr *)&nameless, sizeof nameless.sun_family) == 0 &&
		  find_address(notify) &&
		  keeper_link_put(
			  &notify->engine->keeper, KEEPER_PROJECT_SLOT, &kind, &notify->fd, 1);
	if (ok)
		return true;
	close(notify->fd);
	notify->fd = -1;
	return false;
}

const char *notify_address(struct notify *notify)
{
	if (notify->fd < 0) {
		if (!open_socket(notify))
			return NULL;
		watch(notify);
	}
	return notify->address;
}

void notify_close(struct notify *notify)
{
	if (notify->fd < 0)
		return;
	uv_poll_stop(&notify->poll);
	uv_close((uv_handle_t *)&notify->poll, NULL);
	close(notify->fd);
	notify->fd = -1;
}
