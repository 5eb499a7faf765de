/* The screen of a fleet: the gateway for Redis tells what there is, a line of JSON a second. */
#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/text.h"
#include "cli/cli.h"
#include "client/remote.h"
#include "config/gateway.h"
#include "tui/fleet.h"
#include "tui/settings.h"

enum { LINE_MOST = 16 * 1024 * 1024,
	PIECE = 64 * 1024,
	AGAIN_MS = 1000, /* until one that has ended is started again */
	HOST_SIZE = 256 };

struct teller {
	char *program; /* owned */
	pid_t pid;     /* 0: none runs */
	int fd;        /* what it says; -1: none runs */
	uint64_t ended_ms;
	struct text said; /* not taken yet */
};

/* ---- programs ---- */

static bool start(pid_t *pid, const char *program, const char *const argv[], int out)
{
	extern char **environ;
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;
	sigset_t none;

	sigemptyset(&none);
	posix_spawn_file_actions_init(&actions);
	for (int fd = STDOUT_FILENO; out >= 0 && fd <= STDERR_FILENO; fd++)
		posix_spawn_file_actions_adddup2(&actions, out, fd);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setsigmask(&attributes, &none);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETSIGMASK);
	errno = posix_spawn(pid, program, &actions, &attributes, (char *const *)argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	return errno == 0;
}

static int wait_for(pid_t pid)
{
	int status = 0;

	while (waitpid(pid, &status, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

/* ---- who tells ---- */

static void begin(struct teller *teller)
{
	const char *const argv[] = { teller->program, "ps", "--json", "--watch", NULL };
	int ends[2];

	if (pipe2(ends, O_CLOEXEC) < 0)
		return;
	fcntl(ends[0], F_SETFL, O_NONBLOCK);
	if (start(&teller->pid, teller->program, argv, ends[1]))
		teller->fd = ends[0];
	else
		close(ends[0]);
	close(ends[1]);
	text_clear(&teller->said);
}

static void end(struct teller *teller)
{
	if (teller->fd < 0)
		return;
	close(teller->fd);
	kill(teller->pid, SIGTERM);
	wait_for(teller->pid);
	teller->fd = -1;
	teller->ended_ms = clock_monotonic_ms();
}

/* A line that is no list is what it has to complain of. */
static json_t *take_line(struct teller *teller, char trouble[FLEET_TROUBLE_SIZE])
{
	const char *line_end = teller->said.size ? memchr(teller->said.data, '\n', teller->said.size) : NULL;

	if (!line_end)
		return NULL;
	size_t size = (size_t)(line_end - teller->said.data);
	json_t *engines = json_loadb(teller->said.data, size, 0, NULL);
	if (!json_is_array(engines)) {
		snprintf(trouble, FLEET_TROUBLE_SIZE, "%.*s", (int)(size < INT_MAX ? size : INT_MAX), teller->said.data);
		json_decref(engines);
		engines = NULL;
	}
	text_drop(&teller->said, size + 1);
	return engines;
}

static bool read_more(struct teller *teller)
{
	char piece[PIECE];
	ssize_t size = read(teller->fd, piece, sizeof piece);

	if (size < 0)
		return errno == EAGAIN || errno == EINTR ? false : (end(teller), false);
	if (size == 0 || !text_append(&teller->said, piece, (size_t)size))
		end(teller);
	return size > 0;
}

static json_t *next(void *context, char trouble[FLEET_TROUBLE_SIZE])
{
	struct teller *teller = context;
	json_t *engines;

	if (teller->fd < 0 && (!teller->ended_ms || clock_monotonic_ms() - teller->ended_ms >= AGAIN_MS))
		begin(teller);
	while (!(engines = take_line(teller, trouble)) && !trouble[0] && teller->fd >= 0 && read_more(teller))
		continue;
	return engines;
}

static int fd_of(void *context)
{
	return ((struct teller *)context)->fd;
}

/* ---- the dashboard of one ---- */

/* By ssh, unless it is here. */
static void open_dashboard(const struct fleet_choice *choice, bool is_read_only)
{
	const char *argv[8] = { "thrum", "attach", "-p", choice->project };
	char here[HOST_SIZE] = "";
	int count = 4;
	pid_t pid;

	gethostname(here, sizeof here - 1);
	if (strcmp(here, choice->host) == 0) {
		unsetenv(REMOTE_VARIABLE);
	} else {
		argv[count++] = "-H";
		argv[count++] = choice->host;
	}
	if (is_read_only)
		argv[count++] = "--read-only";
	if (start(&pid, "/proc/self/exe", argv, -1) && wait_for(pid) == 0)
		return;
	cli_fail(EXIT_FAILED, "%s/%s has shown no dashboard; Enter goes back to the fleet", choice->host, choice->project);
	for (char key = 0; key != '\n' && read(STDIN_FILENO, &key, 1) == 1;)
		continue;
}

int cli_fleet_screen(const struct invocation *invocation)
{
	struct teller teller = { .program = gateway_find(GATEWAY_REDIS), .fd = -1 };
	struct fleet_source source = { &teller, getenv("THRUM_REDIS"), fd_of, next };
	struct settings settings = { 0 };
	struct fleet_choice choice;
	struct error problem;
	int status;

	if (!teller.program)
		return cli_fleet_is_missing();
	if (!cli_settings(invocation, &settings, &problem)) {
		free(teller.program);
		return EXIT_USAGE;
	}
	text_init(&teller.said, LINE_MOST);
	do {
		status = fleet_run(&source, &settings.style, &choice);
		if (choice.project[0])
			open_dashboard(&choice, invocation->read_only);
	} while (choice.project[0]);
	end(&teller);
	text_finish(&teller.said);
	free(teller.program);
	return status;
}
