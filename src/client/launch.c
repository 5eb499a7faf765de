#include "client/launch.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/text.h"
#include "base/utf8.h"
#include "client/inherited.h"
#include "client/paths.h"

#ifndef KEEPER_PATH
#define KEEPER_PATH "/usr/local/libexec/thrum/thrum-keeper"
#endif

enum {
	LOG_MOST = 1024 * 1024, /* engine.log is put aside when it is larger */
	BACKLOG = 128,
	QUOTE_MOST = 300, /* bytes of engine.log in an error */
	AWAIT_STEP_MS = 5,
	FIRST_FREE_FD = 16, /* above every number that the keeper expects something at */
};

/* The keeper's descriptors: 0, 1 and 2, then what keeper/protocol.h calls KEEPER_START_…. */
enum { IN,
	OUT,
	ERR,
	LOCK,
	LISTENER,
	SPEC,
	FD_COUNT };

struct preparation {
	int fds[FD_COUNT];
	int failure[2]; /* pipe: errno of what failed in the child */
	char keeper[PATH_MAX];
	char thrum[PATH_MAX];
};

/* Out of the way of the numbers that the keeper expects. */
static int lift(int fd)
{
	int high = fd < 0 ? -1 : fcntl(fd, F_DUPFD_CLOEXEC, FIRST_FREE_FD);
	int code = errno;

	close_if_open(fd);
	errno = code;
	return high;
}

static bool find_programs(struct preparation *preparation, struct error *err)
{
	static const char *const places[] = { "thrum-keeper", "../libexec/thrum/thrum-keeper" };
	const char *given = getenv("THRUM_KEEPER");
	char *path = preparation->keeper;
	ssize_t length = readlink("/proc/self/exe", preparation->thrum,
		sizeof preparation->thrum - 1);

	if (length < 0)
		return error_errno(err, "finding this program");
	preparation->thrum[length] = '\0';
	snprintf(path, PATH_MAX, "%s", given ? given : "");
	if (given && given[0])
		return true;
	int folder = (int)(strrchr(preparation->thrum, '/') - preparation->thrum);
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		int used =
			snprintf(path, PATH_MAX, "%.*s/%s", folder, preparation->thrum, places[i]);
		if (used < PATH_MAX && access(path, X_OK) == 0)
			return true;
	}
	snprintf(path, PATH_MAX, "%s", KEEPER_PATH);
	return true;
}

static bool take_lock(struct preparation *preparation, int folder, const char *project,
	struct error *err)
{
	int fd = lift(openat(folder, PATHS_LOCK, O_RDWR | O_CREAT | O_NOFOLLOW | O_CLOEXEC, 0600));

	preparation->fds[LOCK] = fd;
	if (fd < 0)
		return error_errno(err, "opening the lock of '%s'", project);
	if (flock(fd, LOCK_EX | LOCK_NB) == 0)
		return true;
	if (errno == EWOULDBLOCK)
		return error_set(err, EBUSY, "'%s' runs already", project);
	return error_errno(err, "locking '%s'", project);
}

/* A socket that is still there is a dead engine's: the lock is ours. */
static bool make_listener(struct preparation *preparation, int folder, struct error *err)
{
	struct sockaddr_un address;
	int given;

	if (!inherited_take(folder, &given, err))
		return false;
	if (given >= 0) {
		preparation->fds[LISTENER] = lift(given);
		return preparation->fds[LISTENER] >= 0 || error_errno(err, "taking the control socket");
	}
	int fd = lift(socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0));

	preparation->fds[LISTENER] = fd;
	paths_socket_address(&address, folder);
	unlinkat(folder, PATHS_SOCKET, 0);
	/* fchmod comes first, so that there is no moment when others could connect */
	if (fd < 0 || fchmod(fd, 0600) < 0 ||
		bind(fd, (struct sockaddr *)&address, sizeof address) < 0 ||
		listen(fd, BACKLOG) < 0)
		return error_errno(err, "making the control socket");
	return true;
}

static bool make_spec(struct preparation *preparation, const struct launch *launch,
	struct error *err)
{
	int fd = lift(memfd_create("thrum-spec", MFD_CLOEXEC | MFD_ALLOW_SEALING));

	preparation->fds[SPEC] = fd;
	if (fd < 0 || !text_write_all(fd, launch->spec, launch->spec_size) || lseek(fd, 0, SEEK_SET) < 0)
		return error_errno(err, "writing down the configuration");
	return true;
}

static int open_log(int folder)
{
	return openat(folder, PATHS_LOG,
		O_WRONLY | O_CREAT | O_APPEND | O_NOFOLLOW | O_CLOEXEC, 0600);
}

static bool make_log(struct preparation *preparation, struct launch *launch, int folder,
	struct error *err)
{
	struct stat info;
	int fd = open_log(folder);

	if (fd >= 0 && fstat(fd, &info) == 0 && info.st_size > LOG_MOST &&
		renameat(folder, PATHS_LOG, folder, PATHS_LOG ".1") == 0) {
		close(fd);
		fd = open_log(folder);
	}
	preparation->fds[OUT] = fd = lift(fd);
	preparation->fds[ERR] = lift(dup(fd));
	if (fd < 0 || preparation->fds[ERR] < 0 || fstat(fd, &info) < 0)
		return error_errno(err, "opening " PATHS_LOG);
	launch->log_offset = info.st_size;
	if (mkdirat(folder, "logs", 0700) < 0 && errno != EEXIST)
		return error_errno(err, "making the folder of logs");
	return true;
}

/* Keeper and engine read these: the folders that we found, whatever they would find. */
static bool export_folders(struct error *err)
{
	char runtime[PATH_MAX], state[PATH_MAX];

	if (!paths_runtime(runtime, err) || !paths_state(state, err))
		return false;
	if (setenv("THRUM_RUNTIME_DIR", runtime, 1) < 0 ||
		setenv("THRUM_STATE_DIR", state, 1) < 0)
		return error_errno(err, "setting the environment");
	return true;
}

static bool prepare_in_runtime(struct preparation *preparation, const struct launch *launch,
	struct error *err)
{
	int folder = paths_open_runtime(launch->project, PATHS_MAKE, err);

	if (folder < 0)
		return false;
	bool ok = take_lock(preparation, folder, launch->project, err) &&
		  make_listener(preparation, folder, err);
	close(folder);
	return ok;
}

static bool prepare_in_state(struct preparation *preparation, struct launch *launch,
	struct error *err)
{
	int folder = paths_open_state(launch->project, PATHS_MAKE, err);

	if (folder < 0)
		return false;
	bool ok = make_log(preparation, launch, folder, err);
	close(folder);
	return ok;
}

static bool prepare(struct preparation *preparation, struct launch *launch, struct error *err)
{
	if (!export_folders(err) || !find_programs(preparation, err) ||
		!prepare_in_runtime(preparation, launch, err) ||
		!prepare_in_state(preparation, launch, err) ||
		!make_spec(preparation, launch, err))
		return false;
	preparation->fds[IN] = lift(open("/dev/null", O_RDONLY | O_CLOEXEC));
	if (preparation->fds[IN] < 0)
		return error_errno(err, "opening /dev/null");
	if (pipe2(preparation->failure, O_CLOEXEC) < 0)
		return error_errno(err, "making a pipe");
	return true;
}

static void reset_signals(void)
{
	sigset_t none;

	for (int number = 1; number < NSIG; number++)
		signal(number, SIG_DFL);
	sigemptyset(&none);
	sigprocmask(SIG_SETMASK, &none, NULL);
}

/* In the child. Returns only when something failed. */
static void become_keeper(struct preparation *preparation, const struct launch *launch)
{
	char *argv[] = { (char *)"thrum-keeper", (char *)launch->project, preparation->thrum,
		NULL };
	int failure = fcntl(preparation->failure[1], F_DUPFD_CLOEXEC, FIRST_FREE_FD);

	preparation->failure[1] = failure;
	setsid();
	reset_signals();
	if (failure < 0 || chdir(launch->dir) < 0)
		return;
	for (int fd = 0; fd < FD_COUNT; fd++)
		if (dup2(preparation->fds[fd], fd) < 0)
			return;
	if (close_range(FD_COUNT, ~0u, CLOSE_RANGE_CLOEXEC) < 0)
		return;
	execv(preparation->keeper, argv);
}

static bool start_keeper(struct preparation *preparation, struct launch *launch,
	struct error *err)
{
	int code = 0;

	launch->keeper = fork();
	if (launch->keeper < 0)
		return error_errno(err, "starting the keeper");
	if (launch->keeper == 0) {
		become_keeper(preparation, launch);
		code = errno;
		text_write_all(preparation->failure[1], (char *)&code, sizeof code);
		_exit(127);
	}
	close(preparation->failure[1]);
	preparation->failure[1] = -1;
	while (read(preparation->failure[0], &code, sizeof code) < 0 && errno == EINTR)
		;
	errno = code;
	return !code || error_errno(err, "starting %s in %s", preparation->keeper, launch->dir);
}

static void let_go(const struct preparation *preparation)
{
	for (int i = 0; i < FD_COUNT; i++)
		close_if_open(preparation->fds[i]);
	for (int i = 0; i < 2; i++)
		close_if_open(preparation->failure[i]);
}

bool launch_project(struct launch *launch, struct error *err)
{
	struct preparation preparation = {
		.fds = { -1, -1, -1, -1, -1, -1 },
		.failure = { -1, -1 },
	};
	bool ok = prepare(&preparation, launch, err) && start_keeper(&preparation, launch, err);

	let_go(&preparation);
	return ok;
}

static bool is_locked(const char *project)
{
	struct error ignored;
	int folder = paths_open_runtime(project, PATHS_FAIL, &ignored);
	int fd = folder < 0 ? -1 : openat(folder, PATHS_LOCK, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	bool is_locked = fd >= 0 && flock(fd, LOCK_SH | LOCK_NB) < 0;

	close_if_open(fd);
	close_if_open(folder);
	return is_locked;
}

bool launch_await_end(const char *project, int timeout_ms)
{
	for (int waited_ms = 0; is_locked(project); waited_ms += AWAIT_STEP_MS) {
		if (waited_ms >= timeout_ms)
			return false;
		poll(NULL, 0, AWAIT_STEP_MS);
	}
	return true;
}

/* Reads what stands behind the offset, of that only the end. */
static void read_log_end(const struct launch *launch, struct text *end)
{
	struct error ignored;
	int folder = paths_open_state(launch->project, PATHS_FAIL, &ignored);
	int fd = folder < 0 ? -1 : openat(folder, PATHS_LOG, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	if (fd >= 0) {
		off_t size = lseek(fd, 0, SEEK_END);
		off_t from = size - QUOTE_MOST > launch->log_offset ? size - QUOTE_MOST
								    : launch->log_offset;
		lseek(fd, from, SEEK_SET);
		text_read_fd(end, fd, &ignored);
		close(fd);
	}
	close_if_open(folder);
}

void launch_explain(const struct launch *launch, struct error *err)
{
	struct text end, shown;
	int code = err->code;

	text_init(&end, LOG_MOST);
	text_init(&shown, 4 * QUOTE_MOST);
	read_log_end(launch, &end);
	while (end.size && end.data[end.size - 1] == '\n')
		end.data[--end.size] = '\0';
	for (char *c = end.data; c && *c; c++)
		if (*c == '\n')
			*c = ' ';
	utf8_append_safe(&shown, text_string(&end), end.size, false);
	if (shown.size) {
		char first[sizeof err->text];
		memcpy(first, err->text, sizeof first);
		error_set(err, code, "%.200s; its log ends: %s", first, text_string(&shown));
	}
	text_finish(&end);
	text_finish(&shown);
}
