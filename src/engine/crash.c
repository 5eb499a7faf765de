#include "engine/crash.h"

#include <execinfo.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "engine/engine.h"

static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };

enum { FRAMES_MOST = 64,
	EVENTS_TOLD = 20,
	PATH_MOST = 4096,
	STACK_SIZE = 64 * 1024,
	REPORT_MODE = 0600 };

/* Made ready before: a handler can ask for nothing. */
static char report_path[PATH_MOST];

static void say(int fd, const char *text)
{
	if (write(fd, text, strlen(text)) < 0)
		return; /* a full disk: the signal ends us all the same */
}

/* System calls only, and the walk over the stack. */
static void on_crash(int number)
{
	void *frames[FRAMES_MOST];
	int fd = open(report_path, O_WRONLY | O_CREAT | O_TRUNC | O_NOFOLLOW | O_CLOEXEC, REPORT_MODE);

	if (fd >= 0) {
		say(fd, "the engine ended by signal ");
		say(fd, signal_name(number));
		say(fd, "\n");
		backtrace_symbols_fd(frames, backtrace(frames, FRAMES_MOST), fd);
		close(fd);
	}
	raise(number); /* as it would have been: the action is the default again */
}

bool crash_is_fault(int number)
{
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		if (signals[i] == number)
			return true;
	return false;
}

void crash_prepare(const struct engine *engine)
{
	static char stack[STACK_SIZE];
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int)(SA_ONSTACK | SA_RESETHAND) };
	void *frame;

	if (snprintf(report_path, sizeof report_path, "%s/crash.new", engine->state_dir) >= (int)sizeof report_path)
		return;
	backtrace(&frame, 1); /* the first call loads a library */
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
}

static void write_events(FILE *file, const struct store *store)
{
	uint64_t first = store_first_notice(store), newest = store->notice_count;
	char when[CLOCK_TEXT_SIZE];

	if (newest >= EVENTS_TOLD && newest - EVENTS_TOLD + 1 > first)
		first = newest - EVENTS_TOLD + 1;
	fprintf(file, "the last events before it:\n");
	for (uint64_t seq = first; seq <= newest; seq++) {
		const struct notice *notice = store_notice(store, seq);
		clock_format_iso(when, notice->ts_us);
		fprintf(file, "%s %s %s/%u pid %d %s\n", when, notice_name((enum notice_kind)notice->kind),
			notice->service, notice->instance, (int)notice->pid, notice->detail);
	}
}

static bool read_first_line(const char *path, char *line, size_t size)
{
	FILE *file = fopen(path, "re");
	bool ok = file && fgets(line, (int)size, file);

	if (file)
		fclose(file);
	line[ok ? strcspn(line, "\n") : 0] = '\0';
	return ok;
}

void crash_tell(struct engine *engine)
{
	char line[128];
	char *fresh = memory_format("%s/crash.new", engine->state_dir);
	char *path = memory_format("%s/crash", engine->state_dir);

	if (read_first_line(fresh, line, sizeof line)) {
		FILE *file = fopen(fresh, "ae");
		if (file) {
			write_events(file, engine->store);
			fclose(file);
		}
		if (rename(fresh, path) == 0)
			engine_tell(engine, "%s: the report is in %s", line, path);
	}
	free(fresh);
	free(path);
}
