/* `thrum replay FILE`: the dashboard, in front of a process of its own that answers for the file as an engine would. */
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "replay/recording.h"
#include "replay/serve.h"
#include "tui/dashboard.h"
#include "tui/settings.h"

enum { PROGRESS_MS = 200,
	NOTE_SIZE = 200 };

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash && slash[1] ? slash + 1 : path;
}

/* On a terminal, and only when it takes long enough to be noticed. */
struct progress {
	uint64_t told_ms;
	bool is_told;
};

static bool on_progress(void *context, uint64_t done, uint64_t all)
{
	struct progress *progress = context;
	uint64_t now_ms = clock_monotonic_ms();

	if (now_ms - progress->told_ms < PROGRESS_MS || !isatty(STDERR_FILENO))
		return true;
	progress->told_ms = now_ms;
	progress->is_told = true;
	fprintf(stderr, "\rlooking through it: %llu %% ", (unsigned long long)(done * 100 / all));
	return true;
}

/* What is not as it should be is said at once, and not again. */
static const char *note_of(const struct recording *recording, char note[NOTE_SIZE])
{
	int used = 0;

	note[0] = '\0';
	if (recording->garbled)
		used = snprintf(note, NOTE_SIZE, "%llu lines are no records and left out, the first is line %llu",
			(unsigned long long)recording->garbled, (unsigned long long)recording->garbled_at);
	if (recording->left_out)
		used += snprintf(note + used, NOTE_SIZE - (size_t)used, "%s%llu records of instances beyond the first %d are left out",
			used ? "; " : "", (unsigned long long)recording->left_out, RECORDING_INSTANCES);
	if (recording->is_cut)
		snprintf(note + used, NOTE_SIZE - (size_t)used, "%sthe last line is cut", used ? "; " : "");
	return note[0] ? note : NULL;
}

/* Keys of the terminal are not for it, and it goes with the dashboard, however that ends. */
static void answer_for(struct recording *recording, const char *path, int fd, pid_t parent)
{
	signal(SIGINT, SIG_IGN);
	signal(SIGQUIT, SIG_IGN);
	signal(SIGTSTP, SIG_IGN);
	prctl(PR_SET_PDEATHSIG, SIGKILL);
	if (getppid() == parent)
		replay_serve(recording, base_name(path), fd);
	_exit(EXIT_OK);
}

static int show(struct recording *recording, const char *path, const struct settings *settings, int fd, pid_t reader)
{
	char note[NOTE_SIZE];
	struct dashboard_options options = { .project = base_name(path),
		.read_only = true,
		.recording = link_join(fd),
		.newest_us = recording->last_us,
		.settings = settings,
		.problem = note_of(recording, note) };
	int status = dashboard_run(&options);

	while (waitpid(reader, NULL, 0) < 0 && errno == EINTR)
		continue;
	return status;
}

static int replay(struct recording *recording, const char *path, const struct settings *settings)
{
	int pair[2];
	pid_t parent = getpid();

	if (socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, pair) < 0)
		return cli_fail(EXIT_USAGE, "socketpair: %s", strerror(errno));
	pid_t reader = fork();
	if (reader < 0)
		return cli_fail(EXIT_USAGE, "fork: %s", strerror(errno));
	if (reader == 0) {
		close(pair[0]);
		answer_for(recording, path, pair[1], parent);
	}
	close(pair[1]);
	return show(recording, path, settings, pair[0], reader);
}

int cli_replay(struct invocation *invocation)
{
	const char *path = invocation->names[0];
	struct progress progress = { .told_ms = clock_monotonic_ms() };
	struct recording recording;
	struct settings settings = { 0 };
	struct error err, problem;

	if (!cli_settings(invocation, &settings, &problem))
		return EXIT_USAGE;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return cli_fail(EXIT_USAGE, "replay needs a terminal; without one, the file can be read as it is");
	bool ok = recording_open(&recording, path, on_progress, &progress, &err);
	if (progress.is_told)
		fprintf(stderr, "\r%40s\r", "");
	int status = ok ? replay(&recording, path, &settings) : cli_fail(EXIT_USAGE, "%s", err.text);
	recording_finish(&recording);
	return status;
}
