#include "server/kept.h"
#include "server/server.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "protocol/method.h"
#include "protocol/value.h"
#include "server/mail.h"
#include "server/method.h"
#include "server/past.h"
#include "server/samples.h"
#include "server/tasks.h"

enum {
	OWNER_GRACE_MS = 5000, /* a new engine gives the owner this long to come back */
	LEAVE_MS = 5000,       /* at the end, clients that read logs get this long a request */
	LARGE = 64 * 1024,     /* bytes of memory, asked for at once */
	TIDY_MS = 1000,
	AGAIN_MS = 1000,       /* between two signals that are two */
	ACCEPT_PAUSE_MS = 100, /* no descriptor for one more client: try again then */
};

/* ---- what the engine tells ---- */

static void on_changed(void *context, struct member *member)
{
	struct hall *hall = context;

	past_take(&hall->past, member);
	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next; /* a session may be closed by being told */
		if (session->is_subscribed)
			session_notify(session, "update", member_to_json(member));
	}
}

static void on_removed(void *context, const char *service, unsigned instance)
{
	struct hall *hall = context;

	past_forget(hall->past, service, instance);
	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (session->is_subscribed)
			session_notify(session, "remove",
				json_pack("{s:s,s:i}", "service", service, "instance",
					(int)instance));
	}
}

static void on_notice(void *context, const struct notice *notice)
{
	struct hall *hall = context;

	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (session->is_subscribed)
			session_notify(session, "event", notice_to_json(notice));
	}
}

/* Said once; again after the client has read to the end. */
static void on_logged(void *context, struct member *member, enum stream stream)
{
	struct hall *hall = context;

	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (!session->wants_logs || session_told(session, member, stream))
			continue;
		session_told_set(session, member, stream, true);
		json_t *params = member_name(member);
		json_object_set_new(params, "stream", json_string(stream_name(stream)));
		json_object_set_new(params, "end",
			json_integer((json_int_t)logfile_end(&member->logs[stream])));
		json_object_set_new(params, "run",
			json_integer((json_int_t)hall->engine.store->seats[member->seat]
					     .run_began[stream]));
		session_notify(session, "log", params);
	}
}

static void answer_lists(struct session *session, uint64_t pass)
{
	unsigned kept = 0;

	for (unsigned i = 0; i < session->list_count; i++) {
		struct waiting_list *waiting = &session->lists[i];
		if (waiting->pass > pass) {
			session->lists[kept++] = *waiting;
			continue;
		}
		json_t *result = waiting->answer(session, waiting->params);
		if (result)
			session_reply(session, waiting->id, result);
		else
			session_refuse(session, waiting->id, PROTOCOL_REFUSED, "its process ended meanwhile");
		json_decref(waiting->id);
		json_decref(waiting->params);
	}
	session->list_count = kept;
}

static void keep_past(struct hall *hall)
{
	const struct engine *engine = &hall->engine;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++) {
		const struct member *member = engine->members[seat];
		if (member && member->sample.pid && member->sample.pid == member->now.pid)
			past_take(&hall->past, member);
	}
}

/* A pass that somebody else asked for is not told of: its figures are of a moment, soon after those of the one before. */
static void on_sampled(void *context)
{
	struct hall *hall = context;

	keep_past(hall);
	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		answer_lists(session, hall->engine.passes_done);
	}
	if (hall->is_sample_due)
		samples_tell(hall);
	hall->is_sample_due = false;
}

static void on_sample_timer(uv_timer_t *timer)
{
	struct hall *hall = timer->data;

	hall->is_sample_due = true;
	engine_sample(&hall->engine);
}

void hall_arrange_sampling(struct hall *hall)
{
	uint64_t wanted_ms = 0;

	for (struct session *session = hall->sessions; session; session = session->next)
		if (session->wants_samples && (!wanted_ms || session->sample_ms < wanted_ms))
			wanted_ms = session->sample_ms;
	if (wanted_ms == hall->sample_ms)
		return;
	hall->sample_ms = wanted_ms;
	uv_timer_stop(&hall->sample_timer);
	if (wanted_ms)
		uv_timer_start(&hall->sample_timer, on_sample_timer, 0, wanted_ms);
}

static void on_tidy(uv_timer_t *timer)
{
	(void)timer;
	malloc_trim(0);
}

void hall_tidy_later(struct hall *hall)
{
	if (!uv_is_active((uv_handle_t *)&hall->tidy_timer))
		uv_timer_start(&hall->tidy_timer, on_tidy, TIDY_MS, 0);
}

/* ---- coming and going ---- */

static void on_owner_lost(uv_timer_t *timer)
{
	struct hall *hall = timer->data;

	log_line("the client in the foreground is gone: stopping all");
	engine_end(&hall->engine, 0);
}

void hall_owner_came(struct hall *hall, uint64_t linger_ms)
{
	atomic_store(&hall->engine.store->linger_ms, (uint32_t)linger_ms);
	atomic_store(&hall->engine.store->is_owned, 1);
	uv_timer_stop(&hall->owner_timer);
}

void hall_owner_left(struct hall *hall)
{
	if (!hall->engine.is_over)
		uv_timer_start(&hall->owner_timer, on_owner_lost, hall->engine.store->linger_ms, 0);
}

/* Ours is bound by way of a descriptor of its folder. Another is systemd's, which goes on to listen there. */
static bool is_listener_ours(const struct hall *hall)
{
	struct sockaddr_un address = { 0 };
	socklen_t size = sizeof address;

	return getsockname(hall->listener_fd, (struct sockaddr *)&address, &size) == 0 &&
	       strncmp(address.sun_path, "/proc/self/fd/", strlen("/proc/self/fd/")) == 0;
}

static void leave(struct hall *hall)
{
	if (hall->is_leaving)
		return;
	hall->is_leaving = true;
	engine_say_goodbye(&hall->engine);
	char *path = memory_format("%s/control", hall->engine.runtime_dir);
	if (is_listener_ours(hall))
		unlink(path);
	free(path);
	uv_stop(&hall->loop);
}

/* Nothing is put in order: the next engine finds all as it is. */
void hall_end_engine(struct hall *hall)
{
	uv_stop(&hall->loop);
}

static void on_leave(uv_timer_t *timer)
{
	leave(timer->data);
}

void hall_left(struct hall *hall)
{
	if (hall->engine.is_over)
		uv_timer_start(&hall->leave_timer, on_leave, 0, 0);
}

void hall_stay(struct hall *hall)
{
	if (hall->engine.is_over)
		uv_timer_start(&hall->leave_timer, on_leave, LEAVE_MS, 0);
}

json_t *hall_bye(const struct hall *hall)
{
	return json_pack("{s:b,s:i}", "fatal", engine_is_fatal(&hall->engine), "status", engine_status(&hall->engine));
}

/* Every client is told; the last one to go turns out the light. */
static void on_over(void *context)
{
	struct hall *hall = context;

	for (struct session *session = hall->sessions, *next; session; session = next) {
		next = session->next;
		if (session->is_subscribed)
			session_notify(session, "bye", hall_bye(hall));
	}
	uv_timer_start(&hall->leave_timer, on_leave,
		hall->sessions || uv_is_active((uv_handle_t *)&hall->owner_timer) ? LEAVE_MS : 0, 0);
}

static bool is_allowed(int fd)
{
	struct ucred peer;
	socklen_t size = sizeof peer;

	return getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &peer, &size) == 0 &&
	       (peer.uid == geteuid() || peer.uid == 0);
}

static void admit(struct hall *hall, int fd)
{
	static const char full[] = "{\"jsonrpc\":\"2.0\",\"id\":null,\"error\":{\"code\":-32011,"
				   "\"message\":\"too many clients are connected\"}}\n";

	if (!is_allowed(fd)) {
		close(fd);
	} else if (hall->session_count >= SESSIONS_MOST) {
		if (send(fd, full, sizeof full - 1, MSG_DONTWAIT | MSG_NOSIGNAL) < 0)
			log_line("a client was turned away: there are %d", SESSIONS_MOST);
		close(fd);
	} else {
		session_open(hall, fd);
	}
}

static void watch_listener(struct hall *hall);

/* The keeper sees that clients knock, and replaces an engine that lets nobody in. */
static void say_well(struct hall *hall)
{
	keeper_link_seen(&hall->engine.keeper, hall->engine.store->exits_seen);
}

static void on_accept_pause(uv_timer_t *timer)
{
	struct hall *hall = timer->data;

	say_well(hall);
	watch_listener(hall);
}

/*
 * A client that cannot be accepted stays in the queue of the socket, which stays readable: without a
 * pause we would try again at once, for ever.
 */
static void on_connection(uv_poll_t *poll, int status, int events)
{
	struct hall *hall = poll->data;
	int fd;

	(void)status;
	(void)events;
	while ((fd = accept4(hall->listener_fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK)) >= 0)
		admit(hall, fd);
	say_well(hall);
	if (errno == EAGAIN || errno == EINTR || errno == ECONNABORTED)
		return;
	uv_poll_stop(&hall->listener);
	uv_timer_start(&hall->accept_timer, on_accept_pause, ACCEPT_PAUSE_MS, 0);
}

static void watch_listener(struct hall *hall)
{
	uv_poll_start(&hall->listener, UV_READABLE, on_connection);
}

/* Asked again, it kills. Not at once: a manager may send the signal to keeper and engine, and the keeper hands it on. */
static void on_signal(uv_signal_t *signal, int number)
{
	struct hall *hall = signal->data;
	uint64_t now_ms = clock_monotonic_ms();

	(void)number;
	if (!hall->told_to_end_ms)
		hall->told_to_end_ms = now_ms;
	engine_end(&hall->engine, now_ms - hall->told_to_end_ms < AGAIN_MS ? 0 : 1);
}

static bool open_hall(struct hall *hall, struct error *err)
{
	struct engine *engine = &hall->engine;

	engine->listener = (struct engine_listener){
		hall, on_changed, on_removed, on_notice, on_logged, on_sampled, mail_on_message, mail_on_room, tasks_on_pool, on_over
	};
	uv_timer_init(&hall->loop, &hall->sample_timer);
	uv_timer_init(&hall->loop, &hall->tidy_timer);
	uv_timer_init(&hall->loop, &hall->owner_timer);
	uv_timer_init(&hall->loop, &hall->leave_timer);
	uv_timer_init(&hall->loop, &hall->accept_timer);
	hall->accept_timer.data = hall;
	hall->sample_timer.data = hall->owner_timer.data = hall->leave_timer.data = hall;
	if (!engine_open(engine, &hall->loop, err))
		return false;
	hall->listener_fd = keeper_link_take(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_LISTENER);
	if (hall->listener_fd < 0)
		return error_set(err, 0, "no control socket was given");
	/* held as long as this engine lives, should the keeper die before it */
	(void)keeper_link_take(&engine->keeper, KEEPER_PROJECT_SLOT, KEEPER_LOCK);
	fcntl(hall->listener_fd, F_SETFL, O_NONBLOCK);
	return true;
}

/* logrotate has moved them away */
static void on_reopen(uv_signal_t *handle, int number)
{
	struct hall *hall = handle->data;

	(void)number;
	engine_reopen_logs(&hall->engine);
}

static void watch_signals(struct hall *hall)
{
	signal(SIGPIPE, SIG_IGN);
	signal(SIGHUP, SIG_IGN);
	signal(SIGXFSZ, SIG_IGN);
	uv_signal_init(&hall->loop, &hall->sigterm);
	uv_signal_init(&hall->loop, &hall->sigint);
	hall->sigterm.data = hall->sigint.data = hall;
	uv_signal_start(&hall->sigterm, on_signal, SIGTERM);
	uv_signal_start(&hall->sigint, on_signal, SIGINT);
	uv_signal_init(&hall->loop, &hall->sigusr2);
	hall->sigusr2.data = hall;
	uv_signal_start(&hall->sigusr2, on_reopen, SIGUSR2);
}

static void begin(struct hall *hall)
{
	uv_poll_init(&hall->loop, &hall->listener, hall->listener_fd);
	hall->listener.data = hall;
	watch_listener(hall);
	if (hall->engine.store->is_owned)
		uv_timer_start(&hall->owner_timer, on_owner_lost,
			hall->engine.store->linger_ms + OWNER_GRACE_MS, 0);
	engine_begin(&hall->engine);
}

int server_run(const char *project)
{
	struct hall *hall;
	struct error err;

	/* what was large goes back to the system at once: an engine runs for months after its busy start */
	mallopt(M_MMAP_THRESHOLD, LARGE);
	mallopt(M_TRIM_THRESHOLD, LARGE);
	hall = memory_zeroed(1, sizeof *hall);
	uv_loop_init(&hall->loop);
	watch_signals(hall);
	if (!open_hall(hall, &err)) {
		log_line("engine of %s: %s", project, err.text);
		return 1;
	}
	begin(hall);
	uv_run(&hall->loop, UV_RUN_DEFAULT);
	engine_close(&hall->engine);
	past_destroy(hall->past);
	kept_destroy(hall->kept);
	free(hall->told_samples);
	return 0;
}

int server_print_abi(void)
{
	char abi[ABI_TEXT_SIZE];

	store_describe_abi(abi);
	puts(abi);
	return 0;
}
