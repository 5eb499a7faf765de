#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/socket.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <thrum.h>
#include <unistd.h>
#include "lib/futex.h"
#include "lib/memory.h"

#ifndef P_PIDFD
#define P_PIDFD 3
#endif

enum {
	STREAMS = 3,
	CHANNEL_PLACE = STREAMS, /* of a child's channel, among its descriptors as among our ends */
	ENDS = STREAMS + 1,
	PIDFD = ENDS, /* in an epoll event */
	SAFE = 64,    /* where a child's descriptors are before they are put in their places */
	PATH_ROOM = 4096,
	CHUNK = 64 * 1024,
	SOCKET_ROOM = 1024 * 1024, /* bytes that a child can send at its end without being heard */
	OUTPUT_MOST = 1024 * 1024, /* of exec, if nothing is said */
	TIMEOUT_MS = 30000
};

struct thrum_process {
	pid_t pid;
	int pidfd, poll_fd;
	int ends[ENDS]; /* ours; -1: none */
	bool has_group, has_ended, is_closed;
	char chunk[CHUNK];
};

/* What a child is started with: of ours, but for what is in options. */
struct launch {
	const struct thrum_process_options *options;
	char *const *argv;
	char **environment;                   /* owned; the strings are not */
	int places[ENDS + THRUM_PASSED_MOST]; /* owned copies, all SAFE or above; by the number they get; -1: none */
	char path[PATH_ROOM];
};

static const struct thrum_process_options no_options;

static void close_end(int *fd)
{
	if (*fd >= 0)
		close(*fd);
	*fd = -1;
}

/* -- The program: searched for here, as nothing but itself is to be run -- */

static bool is_program(const char *path)
{
	return access(path, X_OK) == 0;
}

static bool find_program(const char *name, char path[PATH_ROOM])
{
	const char *from = getenv("PATH"), *end;

	errno = ENOENT;
	if (!*name)
		return false;
	if (strchr(name, '/'))
		return snprintf(path, PATH_ROOM, "%s", name) < PATH_ROOM;
	for (from = from ? from : "/usr/local/bin:/bin:/usr/bin"; from; from = *end ? end + 1 : NULL) {
		end = from + strcspn(from, ":");
		if (snprintf(path, PATH_ROOM, "%.*s/%s", end > from ? (int)(end - from) : 1, end > from ? from : ".", name) < PATH_ROOM &&
			is_program(path))
			return true;
	}
	errno = ENOENT;
	return false;
}

/* -- The environment -- */

static const char *const channel_variables[] = { THRUM_ENV_CHANNEL "=3", "NODE_CHANNEL_FD=3", "NODE_CHANNEL_SERIALIZATION_MODE=json" };

enum {
	CHANNEL_VARIABLES = sizeof channel_variables / sizeof *channel_variables
};

static bool has_name_of(const char *variable, const char *other)
{
	size_t size = strcspn(other, "=") + 1;

	return strncmp(variable, other, size) == 0;
}

/* Of a channel that is not this child's: it would take whatever has that number for it. */
static bool is_of_channel(const char *variable)
{
	for (int i = 0; i < CHANNEL_VARIABLES; i++)
		if (has_name_of(variable, channel_variables[i]))
			return true;
	return has_name_of(variable, "NODE_UNIQUE_ID=");
}

static char **make_environment(const struct thrum_process_options *options)
{
	char *const *from = options->environment ? (char *const *)(uintptr_t)options->environment : environ;
	size_t count = 0, have = 0;
	char **to;

	while (from[count])
		count++;
	to = thrum__allocate(count + CHANNEL_VARIABLES + 1, sizeof *to);
	if (!to)
		return NULL;
	for (size_t i = 0; i < count; i++)
		if (!is_of_channel(from[i]))
			to[have++] = from[i];
	for (int i = 0; options->channel && i < CHANNEL_VARIABLES; i++)
		to[have++] = (char *)(uintptr_t)channel_variables[i];
	return to;
}

/* -- Streams -- */

/* The child's end is a copy out of the way of all places that descriptors are put to. */
static bool put_aside(struct launch *launch, int place, int fd)
{
	launch->places[place] = fcntl(fd, F_DUPFD_CLOEXEC, SAFE);
	return launch->places[place] >= 0;
}

static bool put_aside_and_close(struct launch *launch, int place, int fd)
{
	bool done = fd >= 0 && put_aside(launch, place, fd);
	int reason = errno;

	if (fd >= 0)
		close(fd);
	errno = reason;
	return done;
}

static bool make_pipe(struct launch *launch, struct thrum_process *process, int stream)
{
	int fds[2], mine = stream == 0;

	if (pipe2(fds, O_CLOEXEC) < 0)
		return false;
	process->ends[stream] = fds[mine];
	if (stream != 0)
		fcntl(fds[mine], F_SETFL, O_NONBLOCK);
	return put_aside_and_close(launch, stream, fds[!mine]);
}

static bool make_channel(struct launch *launch, struct thrum_process *process)
{
	int fds[2], room = SOCKET_ROOM;

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		return false;
	setsockopt(fds[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	process->ends[CHANNEL_PLACE] = fds[0];
	return put_aside_and_close(launch, CHANNEL_PLACE, fds[1]);
}

static bool make_stream(struct launch *launch, struct thrum_process *process, int stream)
{
	const struct thrum_process_options *options = launch->options;

	switch (options->streams[stream]) {
	case THRUM_INHERIT:
		return true;
	case THRUM_PIPE:
		return make_pipe(launch, process, stream);
	case THRUM_NOTHING:
		return put_aside_and_close(launch, stream, open("/dev/null", O_RDWR | O_CLOEXEC));
	case THRUM_DESCRIPTOR:
		return put_aside(launch, stream, options->descriptors[stream]);
	}
	errno = EINVAL;
	return false;
}

static bool make_streams(struct launch *launch, struct thrum_process *process)
{
	const struct thrum_process_options *options = launch->options;
	int first = options->channel ? CHANNEL_PLACE + 1 : CHANNEL_PLACE;

	for (int i = 0; i < STREAMS; i++)
		if (!make_stream(launch, process, i))
			return false;
	if (options->channel && !make_channel(launch, process))
		return false;
	for (unsigned i = 0; i < options->passed_count; i++)
		if (!put_aside(launch, first + (int)i, options->passed[i]))
			return false;
	return true;
}

/* -- Starting -- */

static int add_actions(posix_spawn_file_actions_t *actions, const struct launch *launch)
{
	int status = launch->options->folder ? posix_spawn_file_actions_addchdir_np(actions, launch->options->folder) : 0;

	for (int i = 0; status == 0 && i < ENDS + THRUM_PASSED_MOST; i++)
		if (launch->places[i] >= 0)
			status = posix_spawn_file_actions_adddup2(actions, launch->places[i], i);
	return status;
}

/* Signals are to a program as if nobody had touched them. */
static void set_attributes(posix_spawnattr_t *attributes, bool has_group)
{
	sigset_t none, all;

	sigemptyset(&none);
	sigfillset(&all);
	posix_spawnattr_setsigmask(attributes, &none);
	posix_spawnattr_setsigdefault(attributes, &all);
	posix_spawnattr_setpgroup(attributes, 0);
	posix_spawnattr_setflags(
		attributes, (short)(POSIX_SPAWN_SETSIGMASK | POSIX_SPAWN_SETSIGDEF | (has_group ? POSIX_SPAWN_SETPGROUP : 0)));
}

static bool start(const struct launch *launch, struct thrum_process *process)
{
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	int status;

	posix_spawn_file_actions_init(&actions);
	posix_spawnattr_init(&attributes);
	set_attributes(&attributes, process->has_group);
	status = add_actions(&actions, launch);
	if (status == 0)
		status = posix_spawn(&process->pid, launch->path, &actions, &attributes, launch->argv, launch->environment);
	posix_spawn_file_actions_destroy(&actions);
	posix_spawnattr_destroy(&attributes);
	errno = status;
	return status == 0;
}

static bool watch(struct thrum_process *process, int fd, unsigned what)
{
	struct epoll_event event = { .events = EPOLLIN, .data.u32 = what };

	return fd < 0 || epoll_ctl(process->poll_fd, EPOLL_CTL_ADD, fd, &event) == 0;
}

/* Before there is a child, as much as can be: what fails behind it has to end it. */
static bool prepare(struct launch *launch, struct thrum_process *process)
{
	process->poll_fd = epoll_create1(EPOLL_CLOEXEC);
	launch->environment = make_environment(launch->options);
	return process->poll_fd >= 0 && launch->environment && find_program(launch->argv[0], launch->path) &&
	       make_streams(launch, process) && watch(process, process->ends[1], 1) && watch(process, process->ends[2], 2);
}

static void finish(struct launch *launch)
{
	for (int i = 0; i < ENDS + THRUM_PASSED_MOST; i++)
		close_end(&launch->places[i]);
	thrum__free(launch->environment);
}

static bool hold(struct thrum_process *process)
{
	process->pidfd = (int)syscall(SYS_pidfd_open, process->pid, 0);
	return process->pidfd >= 0 && watch(process, process->pidfd, PIDFD);
}

static bool launch_it(struct launch *launch, struct thrum_process *process)
{
	bool started = prepare(launch, process) && start(launch, process) && hold(process);
	int reason = errno;

	finish(launch);
	errno = reason;
	return started;
}

struct thrum_process *thrum_process_spawn(const char *const *argv, const struct thrum_process_options *options)
{
	struct launch launch = { .options = options ? options : &no_options, .argv = (char *const *)(uintptr_t)argv };
	struct thrum_process *process;
	int reason;

	errno = EINVAL;
	if (!argv || !argv[0] || launch.options->passed_count > THRUM_PASSED_MOST)
		return NULL;
	process = thrum__allocate(1, sizeof *process);
	if (!process)
		return NULL;
	process->pidfd = process->poll_fd = -1;
	process->has_group = launch.options->group != 0;
	memset(process->ends, -1, sizeof process->ends);
	memset(launch.places, -1, sizeof launch.places);
	if (launch_it(&launch, process))
		return process;
	reason = errno;
	thrum_process_destroy(process);
	errno = reason;
	return NULL;
}

/* -- While it runs -- */

int thrum_process_pid(const struct thrum_process *process)
{
	return process->pid;
}

int thrum_process_fd(const struct thrum_process *process)
{
	return process->poll_fd;
}

int thrum_process_take(struct thrum_process *process, int stream)
{
	int fd;

	if (stream < 0 || stream >= ENDS || process->ends[stream] < 0)
		return -EBADF;
	fd = process->ends[stream];
	process->ends[stream] = -1;
	if (stream == 1 || stream == 2) {
		epoll_ctl(process->poll_fd, EPOLL_CTL_DEL, fd, NULL);
		fcntl(fd, F_SETFL, 0);
	}
	return fd;
}

/* It is not reaped before it is destroyed: until then nobody else has its number, nor that of its group. */
int thrum_process_kill(const struct thrum_process *process, int number)
{
	long status = process->has_group ? kill(-process->pid, number) : syscall(SYS_pidfd_send_signal, process->pidfd, number, NULL, 0);

	return status < 0 ? -errno : 0;
}

/* -- What becomes of it -- */

static void report_end(struct thrum_process *process, struct thrum_process_event *event)
{
	siginfo_t info = { 0 };

	/* Nothing is known of it if somebody else has reaped it. */
	event->kind = THRUM_PROCESS_EXIT;
	event->code = -1;
	if (waitid((idtype_t)P_PIDFD, (id_t)process->pidfd, &info, WEXITED | WNOHANG | WNOWAIT) == 0 && info.si_pid) {
		if (info.si_code == CLD_EXITED)
			event->code = info.si_status;
		else
			event->signal = info.si_status;
	}
	process->has_ended = true;
	epoll_ctl(process->poll_fd, EPOLL_CTL_DEL, process->pidfd, NULL);
}

/* Whether there is something to report. */
static bool read_stream(struct thrum_process *process, int stream, struct thrum_process_event *event)
{
	ssize_t got = read(process->ends[stream], process->chunk, sizeof process->chunk);

	if (got < 0 && (errno == EAGAIN || errno == EINTR))
		return false;
	if (got <= 0) {
		close_end(&process->ends[stream]);
		return false;
	}
	event->kind = THRUM_PROCESS_OUTPUT;
	event->stream = stream;
	event->bytes = process->chunk;
	event->size = (size_t)got;
	return true;
}

static int milliseconds_left(uint64_t deadline_ns)
{
	uint64_t now = thrum__now_ns();

	if (deadline_ns == FUTEX_EVER)
		return -1;
	return deadline_ns > now ? (int)((deadline_ns - now + 999999) / 1000000) : 0;
}

int thrum_process_next(struct thrum_process *process, struct thrum_process_event *event, int timeout_ms)
{
	uint64_t deadline = thrum__deadline_ns(timeout_ms);
	struct epoll_event ready;
	int count;

	*event = (struct thrum_process_event){ 0 };
	while (!process->has_ended || process->ends[1] >= 0 || process->ends[2] >= 0) {
		count = epoll_wait(process->poll_fd, &ready, 1, milliseconds_left(deadline));
		if (count == 0)
			return -ETIMEDOUT;
		if (count < 0)
			continue; /* a signal came */
		if (ready.data.u32 == PIDFD) {
			report_end(process, event);
			return 0;
		}
		if (read_stream(process, (int)ready.data.u32, event))
			return 0;
	}
	if (process->is_closed)
		return -EPIPE;
	process->is_closed = true;
	event->kind = THRUM_PROCESS_CLOSE;
	return 0;
}

static void end(struct thrum_process *process)
{
	siginfo_t info;

	/* What is left of a group goes with it; a child whose pidfd could not be had goes by its number. */
	if (process->has_group || process->pidfd < 0)
		kill(process->has_group ? -process->pid : process->pid, SIGKILL);
	else if (!process->has_ended)
		syscall(SYS_pidfd_send_signal, process->pidfd, SIGKILL, NULL, 0);
	while (waitid(P_PID, (id_t)process->pid, &info, WEXITED) < 0 && errno == EINTR)
		continue;
}

void thrum_process_destroy(struct thrum_process *process)
{
	if (!process)
		return;
	if (process->pid > 0)
		end(process);
	for (int i = 0; i < ENDS; i++)
		close_end(&process->ends[i]);
	close_end(&process->pidfd);
	close_end(&process->poll_fd);
	thrum__free(process);
}

/* -- A program for its output -- */

/* The NUL behind it is always there once there was something. */
static int append(char **text, size_t *size, const struct thrum_process_event *event, size_t most)
{
	size_t take = event->size < most - *size ? event->size : most - *size;
	char *longer = thrum__reallocate(*text, *size + take + 1, 1);

	if (!longer)
		return -ENOMEM;
	memcpy(longer + *size, event->bytes, take);
	*size += take;
	longer[*size] = '\0';
	*text = longer;
	return take < event->size ? -ENOBUFS : 0;
}

static int note(struct thrum_output *output, const struct thrum_process_event *event, size_t most)
{
	if (event->kind == THRUM_PROCESS_EXIT) {
		output->code = event->code;
		output->signal = event->signal;
		return 0;
	}
	if (event->stream == 1)
		return append(&output->out, &output->out_size, event, most);
	return append(&output->err, &output->err_size, event, most);
}

static int collect(struct thrum_process *process, struct thrum_output *output, size_t most, uint64_t deadline)
{
	struct thrum_process_event event = { 0 };
	int status = 0;

	while (status == 0) {
		status = thrum_process_next(process, &event, milliseconds_left(deadline));
		if (status == 0 && event.kind == THRUM_PROCESS_CLOSE)
			return 0;
		if (status == 0)
			status = note(output, &event, most);
	}
	return status;
}

int thrum_exec_file(const char *const *argv, const struct thrum_exec_options *options, struct thrum_output *output)
{
	static const struct thrum_exec_options nothing;
	const struct thrum_exec_options *said = options ? options : &nothing;
	struct thrum_process_options process_options = { .environment = said->environment,
		.folder = said->folder,
		.streams = { THRUM_NOTHING, THRUM_PIPE, THRUM_PIPE },
		.group = 1 };
	uint64_t deadline = thrum__deadline_ns(said->timeout_ms ? said->timeout_ms : TIMEOUT_MS);
	struct thrum_process *process = thrum_process_spawn(argv, &process_options);
	int status = process ? 0 : -errno;

	*output = (struct thrum_output){ .code = -1 };
	if (process)
		status = collect(process, output, said->output_max ? said->output_max : OUTPUT_MOST, deadline);
	thrum_process_destroy(process);
	return status;
}

int thrum_exec(const char *command, const struct thrum_exec_options *options, struct thrum_output *output)
{
	const char *const argv[] = { "/bin/sh", "-c", command, NULL };

	return thrum_exec_file(argv, options, output);
}
