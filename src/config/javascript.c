#include "config/javascript.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <spawn.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum {
	LIMIT_MS = 10000,
	SAID_MOST = 64 * 1024,
	RESULT_FD = 3,
	STDERR_FD = 2,
};

/* What is exported may be a value, a promise of one, or a function that makes one. */
static const char program[] =
	"const fs = require('fs'), path = require('path'), url = require('url');"
	"const file = path.resolve(process.argv[1]);"
	"const load = async () => {"
	"  if (file.endsWith('.mjs')) return (await import(url.pathToFileURL(file))).default;"
	"  try { return require(file); } catch (e) {"
	"    if (e.code !== 'ERR_REQUIRE_ESM' && !/Cannot use import|Unexpected token 'export'/.test(e.message)) throw e;"
	"    return (await import(url.pathToFileURL(file))).default;"
	"  }"
	"};"
	"load().then(async made => {"
	"  if (made && made.default) made = made.default;"
	"  if (typeof made === 'function') made = made();"
	"  const text = Buffer.from(JSON.stringify(await made) || 'null');"
	"  for (let at = 0; at < text.length;) at += fs.writeSync(3, text, at);"
	"  process.exit(0);"
	"}).catch(e => { fs.writeSync(2, String(e && e.stack || e)); process.exit(1); });";

struct run {
	pid_t pid;
	struct pollfd ends[2]; /* what it exports, what it says */
	struct text *json, said;
	bool is_late;
};

static bool spawn(struct run *run, const char *path, const int result[2], const int said[2])
{
	extern char **environ;
	char *argv[] = { (char[]){ "node" }, (char[]){ "-e" }, memory_copy(program),
		(char[]){ "--" }, memory_copy(path), NULL };
	posix_spawn_file_actions_t actions;
	posix_spawnattr_t attributes;

	posix_spawn_file_actions_init(&actions);
	posix_spawn_file_actions_addopen(&actions, STDIN_FILENO, "/dev/null", O_RDONLY, 0);
	posix_spawn_file_actions_addopen(&actions, STDOUT_FILENO, "/dev/null", O_WRONLY, 0);
	posix_spawn_file_actions_adddup2(&actions, said[1], STDERR_FD);
	posix_spawn_file_actions_adddup2(&actions, result[1], RESULT_FD);
	posix_spawnattr_init(&attributes);
	posix_spawnattr_setflags(&attributes, POSIX_SPAWN_SETPGROUP);
	errno = posix_spawnp(&run->pid, "node", &actions, &attributes, argv, environ);
	posix_spawnattr_destroy(&attributes);
	posix_spawn_file_actions_destroy(&actions);
	free(argv[2]);
	free(argv[4]);
	return errno == 0;
}

/* False: that end is closed, or has said too much. */
static bool take(struct pollfd *end, struct text *into)
{
	char bytes[16384];
	ssize_t size = read(end->fd, bytes, sizeof bytes);

	return size > 0 ? text_append(into, bytes, (size_t)size) : size < 0 && errno == EINTR;
}

/* Until it has ended, or its time has. What it left running does not hold us up. */
static void collect(struct run *run)
{
	uint64_t until_ms = clock_monotonic_ms() + LIMIT_MS;

	while (run->ends[0].fd >= 0 || run->ends[1].fd >= 0) {
		uint64_t now_ms = clock_monotonic_ms();
		if (now_ms >= until_ms) {
			run->is_late = true;
			return;
		}
		if (poll(run->ends, 2, (int)(until_ms - now_ms)) < 0 && errno != EINTR)
			return;
		for (int i = 0; i < 2; i++)
			if (run->ends[i].fd >= 0 && run->ends[i].revents &&
				!take(&run->ends[i], i ? &run->said : run->json))
				run->ends[i].fd = -1;
	}
}

/* "/dir/ecosystem.config.js:12:7" somewhere in what node said. */
static void find_place(const char *said, const char *path, struct position *at)
{
	const char *base = strrchr(path, '/'), *found;
	char *name = memory_format("%s:", base ? base + 1 : path);

	found = strstr(said, name);
	if (found) {
		char *end;
		at->line = (unsigned)strtoul(found + strlen(name), &end, 10);
		at->column = *end == ':' ? (unsigned)strtoul(end + 1, NULL, 10) : 1;
	}
	free(name);
}

/* The line with the error's name, without the stack. */
static char *find_message(const char *said)
{
	const char *error = strstr(said, "Error"), *start = said;

	for (const char *c = said; error && c < error; c++)
		if (*c == '\n')
			start = c + 1;
	return memory_copy_n(start, strcspn(start, "\n"));
}

static bool say_failure(struct run *run, const char *path, struct position at, struct problems *problems)
{
	if (run->is_late)
		return problem_error(
			problems, at, "node did not end within %d seconds; what does this file wait for?", LIMIT_MS / 1000);
	find_place(text_string(&run->said), path, &at);
	char *message = find_message(text_string(&run->said));
	problem_error(problems, at, "%s", message[0] ? message : "node failed, and did not say why");
	free(message);
	return false;
}

static bool start(struct run *run, const char *path, struct position at, struct problems *problems)
{
	int result[2] = { -1, -1 }, said[2] = { -1, -1 };
	bool ok = pipe2(result, O_CLOEXEC) == 0 && pipe2(said, O_CLOEXEC) == 0 &&
		  spawn(run, path, result, said);
	int code = errno;

	close(result[1]);
	close(said[1]);
	run->ends[0] = (struct pollfd){ result[0], POLLIN, 0 };
	run->ends[1] = (struct pollfd){ said[0], POLLIN, 0 };
	return ok || problem_error(problems, at, code == ENOENT ? "this is JavaScript, and there is no node here to run it; "
								  "install it, or write JSON or YAML"
								: "node: %s",
			     strerror(code));
}

bool javascript_run(const char *path, struct text *json, struct position at, struct problems *problems)
{
	struct run run = { .pid = 0, .json = json };
	int status = -1;

	text_init(&run.said, SAID_MOST);
	bool ok = start(&run, path, at, problems);
	int ends[2] = { run.ends[0].fd, run.ends[1].fd };
	if (ok) {
		collect(&run);
		kill(-run.pid, SIGKILL); /* also what it may have started; it is over, or too late */
		while (waitpid(run.pid, &status, 0) < 0 && errno == EINTR)
			;
		bool has_ended = json->size && !json->full && !run.is_late;
		ok = has_ended || say_failure(&run, path, at, problems);
	}
	close(ends[0]);
	close(ends[1]);
	text_finish(&run.said);
	return ok;
}
