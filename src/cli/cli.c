#include "cli/cli.h"

#include <errno.h>
#include <getopt.h>
#include <poll.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "cli/options.h"
#include "client/paths.h"
#include "client/remote.h"
#include "config/load.h"
#include "protocol/method.h"
#include "protocol/value.h"

#ifndef PACKAGE_VERSION
#define PACKAGE_VERSION "0"
#endif

enum {
	LINE_MOST = 64 * 1024,
	COME_BACK_MS = 30000, /* an engine that dies is started again; this long it is waited for */
	RETRY_MS = 100,
};

static int run_help(struct invocation *invocation);
static int run_version(struct invocation *invocation);

// clang-format off
/* p and j are everybody's. */
const struct command commands[] = {
	{ "up", NULL, "[NAME...]", "fPdHFSIELNC543", 0, -1,
	  "Start the project's engine, and its services. On a terminal the dashboard opens; -d goes back to\n"
	  "the shell; --headless stays in front and prints output and events.", cli_up },
	{ "down", NULL, "", "t", 0, 0, "Stop all services, in reverse order of dependency, and end the engine.", cli_down },
	{ "ps", "ls", "[NAME...]", "wG", 0, -1,
	  "List instances: state, pid, uptime, restarts, CPU, memory. Exit status 1 if one failed. --fleet: the services of\n"
	  "all engines that share a Redis server, on whichever machine.", cli_ps },
	{ "start", NULL, "NAME...", "N", 1, -1, "Start services or instances, and what they depend on.", cli_act },
	{ "stop", NULL, "NAME...", "", 1, -1, "Stop: the signal, the grace time, then SIGKILL for every process of it. A second stop kills now.", cli_act },
	{ "restart", NULL, "NAME...", "", 1, -1, "Stop and start again.", cli_act },
	{ "kill", NULL, "NAME...", "", 1, -1, "SIGKILL now, for every process of it; it stays stopped.", cli_act },
	{ "scale", NULL, "NAME [POOL=]N|+N|-N", "", 2, 2,
	  "Change how many instances a service has; or, with POOL=, how many threads a thread pool of libthrum has in each\n"
	  "of its processes, or in the process with that pid.", cli_scale },
	{ "signal", NULL, "SIGNAL NAME...", "T", 2, -1, "Send a signal to the process; with --tree to all of its descendants too.", cli_signal },
	{ "reload", NULL, "NAME...", "dt", 1, -1,
	  "Give each instance a new process, one after another: the next when the former is ready. Where instances\n"
	  "share their sockets (exec_mode: cluster, listen) a spare one stands in, and no connection is refused.", cli_reload },
	{ "send", NULL, "NAME [JSON]", "Bta", 1, 2,
	  "Send a message, any JSON value, down the channel of a service with `ipc: json`; --from sends one a line.\n"
	  "--wait prints the answer: the message with the same requestId.", cli_send },
	{ "submit", NULL, "POOL [JSON...]", "BtaxG", 1, -1,
	  "Give tasks to a pool: values of JSON, or one a line with --from; it waits while the queue is full.\n"
	  "--wait prints each answer as a line of JSON; exit status 1 if one failed. C-c cancels what waits. -t: of one run of a task. --fleet:\n"
	  "to the pools of that name on all machines that share a Redis server.", cli_submit },
	{ "cancel", NULL, "POOL SUBMISSION...|TASK...|all", "", 2, -1,
	  "Answer tasks that wait with an error: those of a submission, as `thrum pool` lists them and `thrum submit --json` names\n"
	  "it; one by its taskId; or all. What a worker has it goes on with.", cli_cancel },
	{ "pool", NULL, "NAME", "", 1, 1,
	  "How a pool is: workers, queue, times, and what each worker has; and the thread pools of libthrum in the processes\n"
	  "of NAME, which may be a pid.", cli_pool },
	{ "drain", NULL, "NAME [POOL]", "o", 1, 2,
	  "Let a pool finish what it has, and take no more; --off ends that. With POOL: a thread pool inside the processes\n"
	  "of NAME, which may be a pid; for that one there is no way back.", cli_drain },
	{ "trigger", NULL, "NAME ACTION [JSON]", "t", 2, 3, "Run an action that the application has named (axm:action, as PM2 has it), and print its answer.", cli_trigger },
	{ "ipc", NULL, "[NAME...]", "yqDZu", 0, -1,
	  "Messages of each channel: how many, how fast, what waits; -f prints them as they pass. --map shows who talks to\n"
	  "whom by sockets and pipes, within the project and with the rest of the machine; with --over 1s also how fast.", cli_ipc },
	{ "run", NULL, "-- COMMAND...", "nmrcX", 1, -1, "Launch a command now, as a service of the project.", cli_run },
	{ "logs", NULL, "[NAME...]", "ylsgM", 0, -1, "Print what was written, merged by time; -f goes on with what comes.", cli_logs },
	{ "history", NULL, "[NAME...]", "lsAO", 0, -1,
	  "Past deaths, each with its cause. --last shows the newest one with what was written last, and with CPU and\n"
	  "memory of its last minute if they were being measured.", cli_history },
	{ "events", NULL, "", "y", 0, 0, "What happened: starts, exits, backoffs …; -f goes on with what comes.", cli_events },
	{ "wait", NULL, "NAME...", "Wt", 1, -1, "Wait until all of these are in a state. Of `all` and globs, who has completed,\n"
	  "or is stopped, disabled or waits for its schedule, is not waited for to be up.", cli_wait },
	{ "info", NULL, "NAME", "", 1, 1, "Everything that is known of an instance, and its resolved configuration.", cli_info },
	{ "check", NULL, "", "fPz", 0, 0,
	  "Validate the configuration and print it resolved, as JSON; or tell all keys that there are.", cli_check },
	{ "dial", NULL, "", "", 0, 0,
	  "Join standard input and output to the control socket. `thrum -H HOST COMMAND` runs it on HOST, by ssh.", cli_dial },
	{ "doctor", NULL, "", "", 0, 0, "Tell what works on this machine, and what to do about the rest.", cli_doctor },
	{ "completion", NULL, "SHELL", "", 1, 1,
	  "Print completions of commands and services for bash, zsh or fish: `source <(thrum completion bash)`.", cli_completion },
	{ "import", NULL, "KIND FILE", "", 2, 2,
	  "Print the thrum.yaml that a file of another tool is: pm2, procfile, supervisord, compose or process-compose.\n"
	  "What has no equivalent is told on standard error. `thrum up -f FILE` runs such a file as it is.", cli_import },
	{ "export", NULL, "KIND", "fPUi", 1, 1,
	  "Print the project as files of systemd (a unit that runs it), systemd-socket (one by which the first client starts it),\n"
	  "kubernetes or compose. What has no equivalent is told on standard error.", cli_export },
	{ "env", NULL, "NAME", "V", 1, 1,
	  "The variables of an instance as its next start has them, and where each is from: secrets, told by\n"
	  "their names, are masked.", cli_env },
	{ "plan", NULL, "", "fPV", 0, 0, "Show what the changed configuration would do to the running project.", cli_plan },
	{ "apply", NULL, "", "fPVY", 0, 0,
	  "Make the running project what the changed configuration says, touching only what has changed:\n"
	  "services are started, stopped, restarted or scaled; all others keep their processes.", cli_apply },
	{ "inspect", NULL, "NAME|PID", "u1", 1, 1,
	  "What a process is doing, and why it is slow: its event loops, thread pools, threads and conversations, of\n"
	  "an instance or of any process of this machine. It is not stopped, and need not know of thrum.", cli_inspect },
	{ "threads", NULL, "NAME|PID", "uQJ", 1, 1,
	  "The threads of a process: what each is for, its CPU, and what it waits in. --stack shows where each is, in the kernel\n"
	  "and in its own code; each is stopped for a moment for that, and some of its system calls may say EINTR.", cli_threads },
	{ "top", NULL, "[PID...]", "ubevgTRC53", 0, -1,
	  "All processes of this machine, or these and what descends from them, as a table that is kept up to date: sort, tree,\n"
	  "search, filter, signals, and for each what it is doing, its threads, files and sockets. Needs no engine. Without a\n"
	  "terminal the table is printed.", cli_top },
	{ "attach", NULL, "[NAME]", "RKGC543", 0, 1,
	  "Open the dashboard on a running engine, or on that of ssh://HOST/PROJECT. With NAME: the terminal of that instance, which has `pty: true`;\n"
	  "it stays attached when the process or the engine is restarted. --fleet: a screen of all engines that share a Redis\n"
	  "server; Enter opens the dashboard of one, by ssh if it is elsewhere.", cli_attach },
	{ "replay", NULL, "FILE", "C5", 1, 1,
	  "Open the dashboard on a file of `thrum up --headless --format json --samples 1s --ipc`: t and b step the whole screen\n"
	  "back and forth, { and } from event to event, `:past 14:02:11` goes to a moment. The file is only read.", cli_replay },
	{ "send-keys", NULL, "NAME KEYS...", "k", 2, -1,
	  "Type into the terminal of an instance. Keys are Enter, C-c, Escape, Up …, as tmux names them; other words are typed as they are.", cli_send_keys },
	{ "advise", NULL, "[NAME|PID] [QUESTION=yes|no...]", "u", 0, -1,
	  "Threads, processes, or neither? From what you answer (cpu, shared, isolated, foreign, short, memory: without any words\n"
	  "they are asked), and from what is measured of a process: its threads, event loop, pools, memory and crashes.", cli_advise },
	{ "bench", NULL, "[primes|files|scaling|transfer|pool|start]...", "2", 0, -1,
	  "Measure threads against processes on this machine: work that is divided, files that are read, ever more threads, memory\n"
	  "that is copied or handed over, tasks of a pool, and how long one takes to begin; and Node beside them, where there is one.",
	  cli_bench },
	{ "upgrade", NULL, "", "", 0, 0, "Let the program that is installed now take over; nothing that runs is touched.", cli_upgrade },
	{ "version", NULL, "", "", 0, 0, "Print the version.", run_version },
	{ "help", NULL, "[COMMAND]", "", 0, 1, "Explain a command.", run_help },
	{ NULL, NULL, NULL, NULL, 0, 0, NULL, NULL },
};

/* letter: how the command table names it; short options are the same where `is_short` */
static const struct option_row option_rows[] = {
	{ 'p', true,  "project", "NAME", "the project; else THRUM_PROJECT, the file's `name:`, or the folder's name" },
	{ 'j', false, "json", NULL, "print JSON" },
	{ 'f', true,  "file", "FILE", "the configuration; several are merged, later ones win" },
	{ 'P', false, "profile", "NAME", "merge this profile of the file over it; several, in order; else THRUM_PROFILE" },
	{ 'd', true,  "detach", NULL, "go back to the shell once the engine runs" },
	{ 'H', false, "headless", NULL, "stay in front and print records" },
	{ 'F', false, "format", "text|json", "how records are printed" },
	{ 'S', false, "samples", "TIME", "print samples of CPU and memory this often, such as 1s" },
	{ 'E', false, "exit-when", "WHEN", "all-done (default), any-exit, any-failure, never, or the NAME of a service" },
	{ 'L', false, "linger", "TIME", "stop all this long after this client is lost" },
	{ 'N', false, "no-deps", NULL, "without what they depend on" },
	{ 't', true,  "timeout", "TIME", "wait no longer than this" },
	{ 'w', true,  "watch", NULL, "again every second" },
	{ 'T', false, "tree", NULL, "all processes of the tree" },
	{ 'n', true,  "instances", "N", "how many" },
	{ 'm', false, "name", "NAME", "what it is called; else the command's name" },
	{ 'r', false, "restart", "POLICY", "no (default), on_failure, always" },
	{ 'c', true,  "directory", "DIR", "the folder it runs in" },
	{ 'y', true,  "follow", NULL, "go on with what comes" },
	{ 'l', true,  "lines", "N", "the newest N" },
	{ 's', false, "since", "TIME", "from then on: 10m, or 2026-11-23T12:00:00Z" },
	{ 'g', false, "grep", "PATTERN", "only lines that match this PCRE2 pattern" },
	{ 'M', false, "stream", "out|err", "only this stream" },
	{ 'A', false, "last", NULL, "the newest death, with its record" },
	{ 'O', false, "show", "N", "the Nth newest death, with its record" },
	{ 'W', false, "for", "STATE", "ready, running, completed, stopped" },
	{ 'V', false, "show", NULL, "values of secrets too" },
	{ 'Y', true,  "yes", NULL, "without being asked" },
	{ 'U', false, "user", NULL, "a unit of the user's own systemd" },
	{ 'i', false, "image", "IMAGE", "the image of the containers; else PROJECT:latest" },
	{ 'z', false, "schema", "json|man", "all keys: a JSON Schema for editors, or mdoc for a manual" },
	{ 'R', false, "read-only", NULL, "keys that act do nothing; in a terminal, no keys but those that leave it" },
	{ 'K', false, "detach-keys", "KEYS", "the keys that leave the terminal, instead of 'C-] d'" },
	{ 'k', true,  "literal", NULL, "no word is the name of a key" },
	{ 'B', false, "wait", NULL, "for the answer, and print it" },
	{ 'a', false, "from", "FILE", "read one a line from this file; - is standard input" },
	{ 'x', false, "priority", "N", "0 to 9, of which 9 goes first; else 5" },
	{ 'o', false, "off", NULL, "take tasks again" },
	{ 'q', false, "filter", "PATTERN", "only messages that match this PCRE2 pattern" },
	{ 'I', false, "ipc", NULL, "print messages of channels too" },
	{ 'D', false, "map", NULL, "who talks to whom, and at which ports they listen" },
	{ 'Z', false, "dot", NULL, "the same as a graph for Graphviz" },
	{ 'u', false, "over", "TIME", "measure this long, 1s by default; 0: at once, without rates; 1m and more: leaks too" },
	{ '1', false, "files", NULL, "its open files too, and its memory as it is shared (PSS): that costs it some time" },
	{ 'Q', false, "stack", NULL, "where each thread is, by function; stops it for a moment" },
	{ 'J', false, "tid", "N", "only the stack of this thread" },
	{ 'b', true,  "batch", NULL, "print the table, without a screen" },
	{ 'e', true,  "times", "N", "print it so often; else once" },
	{ 'v', false, "sort", "COLUMN", "cpu (default), memory, time, pid, user, state, threads, queue, loop, lag, command, nice, size …" },
	{ 'G', false, "fleet", NULL, "of all machines that share the Redis server of `redis: {server: …}`, or of THRUM_REDIS" },
	{ '2', false, "rounds", "N", "of which the median counts: 3" },
	{ 'C', false, "color", "never|auto|8|256", "how many colours, in place of what the terminal has and NO_COLOR wants" },
	{ '5', true,  "mouse", NULL, "clicks and the wheel do something, and the terminal no longer selects text by itself" },
	{ '3', false, "plain", NULL, "no screen: lines, and questions with numbered answers, for screen readers; as with ACCESSIBLE=1" },
	{ '4', false, "stop-on-hangup", NULL, "stop all when the terminal hangs up; else it is left as by `detach`" },
	{ 'X', false, "pty", NULL, "with a terminal of its own: `thrum attach NAME` is that" },
};
// clang-format on
enum { OPTION_COUNT = sizeof option_rows / sizeof *option_rows };

/* Two commands use -f and -n in their customary sense. */
static char short_letter(const struct option_row *row)
{
	return row->letter == 'y' ? 'f' : row->letter == 'l' ? 'n'
				  : row->letter == 'c'       ? 'C'
				  : row->letter == 'Y'       ? 'y'
				  : row->letter == 'k'       ? 'l'
				  : row->letter == 'e'       ? 'n'
				  : row->letter == '5'       ? 'M'
							     : row->letter;
}

static bool takes(const struct command *command, char letter)
{
	return letter == 'p' || letter == 'j' || strchr(command->options, letter);
}

size_t options_count(void)
{
	return OPTION_COUNT;
}

const struct option_row *options_at(size_t index)
{
	return &option_rows[index];
}

bool options_takes(const struct command *command, size_t index)
{
	return takes(command, option_rows[index].letter);
}

static void set_option(struct invocation *invocation, char letter, const char *value)
{
	const struct {
		char letter;
		bool *flag;
		const char **text;
	} places[] = {
		{ 'p', NULL, &invocation->project },
		{ 'j', &invocation->json, NULL },
		{ 'd', &invocation->detach, NULL },
		{ 'H', &invocation->headless, NULL },
		{ 'F', NULL, &invocation->format },
		{ 'S', NULL, &invocation->samples },
		{ 'E', NULL, &invocation->exit_when },
		{ 'L', NULL, &invocation->linger },
		{ 'N', &invocation->no_deps, NULL },
		{ 't', NULL, &invocation->timeout },
		{ 'w', &invocation->watch, NULL },
		{ 'T', &invocation->tree, NULL },
		{ 'n', NULL, &invocation->instances },
		{ 'm', NULL, &invocation->name },
		{ 'r', NULL, &invocation->restart },
		{ 'c', NULL, &invocation->directory },
		{ 'y', &invocation->follow, NULL },
		{ 'l', NULL, &invocation->lines },
		{ 's', NULL, &invocation->since },
		{ 'g', NULL, &invocation->grep },
		{ 'M', NULL, &invocation->stream },
		{ 'A', &invocation->last, NULL },
		{ 'O', NULL, &invocation->show },
		{ 'W', NULL, &invocation->await },
		{ 'V', &invocation->reveal, NULL },
		{ 'Y', &invocation->yes, NULL },
		{ 'U', &invocation->user, NULL },
		{ 'i', NULL, &invocation->image },
		{ 'z', NULL, &invocation->schema },
		{ 'R', &invocation->read_only, NULL },
		{ 'K', NULL, &invocation->detach_keys },
		{ 'k', &invocation->literal, NULL },
		{ 'D', &invocation->map, NULL },
		{ 'Z', &invocation->dot, NULL },
		{ 'u', NULL, &invocation->over },
		{ '1', &invocation->holdings, NULL },
		{ 'Q', &invocation->stack, NULL },
		{ 'J', NULL, &invocation->tid },
		{ 'b', &invocation->batch, NULL },
		{ 'e', NULL, &invocation->times },
		{ 'v', NULL, &invocation->sort },
		{ 'G', &invocation->fleet, NULL },
		{ '2', NULL, &invocation->rounds },
		{ 'X', &invocation->pty, NULL },
		{ 'C', NULL, &invocation->colours },
		{ '5', &invocation->mouse, NULL },
		{ '3', &invocation->plain, NULL },
		{ '4', &invocation->ends_on_hangup, NULL },
		{ 'B', &invocation->wait, NULL },
		{ 'a', NULL, &invocation->from },
		{ 'q', NULL, &invocation->filter },
		{ 'x', NULL, &invocation->priority },
		{ 'o', &invocation->off, NULL },
		{ 'I', &invocation->ipc, NULL },
	};

	if (letter == 'f' && invocation->file_count < CLI_FILES_MOST)
		invocation->files[invocation->file_count++] = value;
	if (letter == 'P' && invocation->profile_count < CLI_PROFILES_MOST)
		invocation->profiles[invocation->profile_count++] = value;
	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		if (places[i].letter != letter)
			continue;
		if (places[i].flag)
			*places[i].flag = true;
		else
			*places[i].text = value;
	}
}

int cli_fail(int status, const char *fmt, ...)
{
	char message[1024];
	struct text safe;
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	text_init(&safe, LINE_MOST);
	utf8_append_safe(&safe, message, strlen(message), false);
	fflush(stdout);
	fprintf(stderr, "thrum: %s\n", text_string(&safe));
	text_finish(&safe);
	return status;
}

int cli_status(const struct error *err)
{
	switch (err->code) {
	case ENOENT:
	case ECONNREFUSED:
	case ECONNRESET:
		return EXIT_NO_ENGINE;
	case PROTOCOL_NO_SUCH_SERVICE:
		return EXIT_NO_SERVICE;
	case PROTOCOL_INVALID_PARAMS:
		return EXIT_USAGE;
	default:
		return EXIT_FAILED;
	}
}

static char *project_of_file(const char *path, const char *dir)
{
	struct config_options options = { 0 };
	struct problems problems;
	char *of_folder = config_name_of_folder(path);

	if (of_folder)
		return of_folder;
	problems_init(&problems);
	struct project_spec *spec = config_load_files(&path, 1, &options, &problems);
	problems_finish(&problems);
	const char *folder = strrchr(dir, '/');
	char *name = spec ? memory_copy(spec->name) : config_read_name(path);
	project_spec_destroy(spec);
	return name ? name : config_make_name(folder && folder[1] ? folder + 1 : "root");
}

/* A command on a running engine needs no valid file: its name will do, else the folder's is it. */
char *cli_project(const struct invocation *invocation)
{
	const char *variable = getenv("THRUM_PROJECT");
	char dir[PATH_MAX], path[PATH_MAX] = "";
	struct error err;

	if (invocation->project)
		return memory_copy(invocation->project);
	if (variable && variable[0])
		return memory_copy(variable);
	if (!getcwd(dir, sizeof dir))
		return memory_copy("root");
	if (invocation->file_count)
		return project_of_file(invocation->files[0], dir);
	config_find(dir, path, &err);
	return project_of_file(path, dir);
}

static bool is_same_folder(const char *one, const char *other)
{
	struct stat a, b;

	return stat(one, &a) == 0 && stat(other, &b) == 0 && a.st_dev == b.st_dev &&
	       a.st_ino == b.st_ino;
}

bool cli_is_of_here(struct link *link, const struct invocation *invocation, int *status)
{
	const char *variable = getenv("THRUM_PROJECT");

	if (invocation->project || (variable && variable[0]) || remote_host())
		return true;
	json_t *hello = cli_call(link, "hello", json_pack("{s:s}", "client", "cli"), status);
	const char *dir = json_string_value(json_object_get(hello, "dir"));
	const char *project = json_string_value(json_object_get(hello, "project"));
	bool is_ours = dir && is_same_folder(dir, ".");
	if (hello && !is_ours)
		*status = cli_fail(EXIT_USAGE,
			"project '%s' runs from another folder, %s: -p %s means that one",
			project ? project : "", dir ? dir : "", project ? project : "");
	json_decref(hello);
	return is_ours;
}

bool cli_reconnect(struct link *link, struct error *err)
{
	uint64_t until_ms = clock_monotonic_ms() + COME_BACK_MS;

	while (err->code == ECONNRESET && clock_monotonic_ms() < until_ms) {
		json_t *hello = NULL;
		if (link_reopen(link, err))
			hello = link_call(link, "hello", json_pack("{s:s}", "client", "cli"),
				CALL_MS, err);
		json_decref(hello);
		if (hello) {
			err->code = 0;
			return true;
		}
		poll(NULL, 0, RETRY_MS);
	}
	return false;
}

struct link *cli_connect(const struct invocation *invocation, int *status)
{
	char *project = cli_project(invocation);
	struct error err = { 0 };
	struct link *link = service_name_is_valid(project) ? link_open(project, &err) : NULL;

	if (!link && !service_name_is_valid(project))
		*status = cli_fail(EXIT_USAGE, "'%.80s' cannot be the name of a project", project);
	else if (!link && (err.code == ENOENT || err.code == ECONNREFUSED))
		*status = cli_fail(EXIT_NO_ENGINE,
			"no engine runs for project '%s': `thrum up` starts it, -p NAME names another",
			project);
	else if (!link)
		*status = cli_fail(EXIT_NO_ENGINE, "%s", err.text);
	free(project);
	if (link && !cli_is_of_here(link, invocation, status)) {
		link_close(link);
		link = NULL;
	}
	return link;
}

static bool is_question(const char *method)
{
	static const char *const questions[] = { "death", "env", "hello", "history", "info", "inspect", "list", "log.find",
		"log.list" };

	for (size_t i = 0; i < sizeof questions / sizeof *questions; i++)
		if (strcmp(questions[i], method) == 0)
			return true;
	return false;
}

json_t *cli_call(struct link *link, const char *method, json_t *params, int *status)
{
	struct error err = { 0 };
	json_t *result;

	do
		result = link_call(link, method, json_incref(params), CALL_MS, &err);
	while (!result && is_question(method) && cli_reconnect(link, &err));
	json_decref(params);
	if (!result)
		*status = cli_fail(cli_status(&err), "%s", err.text);
	return result;
}

json_t *cli_ask(const struct invocation *invocation, const char *method, json_t *params, int *status)
{
	struct link *link = cli_connect(invocation, status);
	json_t *result = link ? cli_call(link, method, json_incref(params), status) : NULL;

	json_decref(params);
	link_close(link);
	return result;
}

json_t *cli_names(const struct invocation *invocation)
{
	json_t *names = json_array();

	for (int i = 0; i < invocation->name_count; i++) {
		json_t *name = json_string(invocation->names[i]);
		json_array_append_new(names, name ? name : json_string("?"));
	}
	return json_pack("{s:o}", "names", names);
}

void cli_print_json(const json_t *json)
{
	json_dumpf(json, stdout, JSON_COMPACT | JSON_ENCODE_ANY);
	putchar('\n');
}

void cli_print_safe(const char *string)
{
	struct text safe;

	text_init(&safe, LINE_MOST * 4);
	utf8_append_safe(&safe, string, strlen(string), false);
	fputs(text_string(&safe), stdout);
	text_finish(&safe);
}

/* What failed before is forgotten by stdio but for the fact: one byte more tells why. */
static int why_unwritable(void)
{
	errno = 0;
	if (write(STDOUT_FILENO, "\n", 1) < 0)
		return errno;
	return EIO;
}

int cli_finish(int status)
{
	errno = 0;
	if (fflush(stdout) == 0 && !ferror(stdout))
		return status;
	int code = errno ? errno : why_unwritable();
	if (code == EPIPE)
		return status;
	return cli_fail(EXIT_FAILED, "standard output: %s", strerror(code));
}

bool cli_duration(const char *option, const char *text, uint64_t *ms)
{
	if (!text || units_parse_duration(text, ms))
		return true;
	cli_fail(EXIT_USAGE, "--%s takes a duration such as 500ms, 10s or 5m, not '%s'", option,
		text);
	return false;
}

bool cli_count(const char *option, const char *text, uint64_t *count)
{
	char *end;

	if (!text)
		return true;
	errno = 0;
	unsigned long long number = strtoull(text, &end, 10);
	if (*text >= '0' && *text <= '9' && !*end && !errno) {
		*count = number;
		return true;
	}
	cli_fail(EXIT_USAGE, "--%s takes a number, not '%s'", option, text);
	return false;
}

bool cli_since(const char *text, uint64_t *since_us)
{
	uint64_t ago_ms;

	if (!text || time_parse(text, since_us))
		return true;
	if (units_parse_duration(text, &ago_ms)) {
		*since_us = clock_wall_us() - ago_ms * 1000;
		return true;
	}
	cli_fail(EXIT_USAGE,
		"--since takes a duration such as 10m or a time such as 2026-11-23T12:00:00Z, not '%s'",
		text);
	return false;
}

/* ---- help ---- */

static void print_option(const struct option_row *row)
{
	char left[48];

	snprintf(left, sizeof left, "%s%c%s--%s%s%s", row->is_short ? "-" : " ",
		row->is_short ? short_letter(row) : ' ', row->is_short ? ", " : "  ", row->name,
		row->argument ? " " : "", row->argument ? row->argument : "");
	printf("  %-26s %s\n", left, row->help);
}

static void print_command_help(const struct command *command)
{
	printf("thrum %s%s%s\n%s\n\n", command->name, command->arguments[0] ? " " : "",
		command->arguments, command->help);
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (takes(command, option_rows[i].letter))
			print_option(&option_rows[i]);
}

/* Its first clause; what is quoted has points of its own. */
static int summary_size(const char *help)
{
	bool is_quoted = false;
	const char *at = help;

	for (; *at && (is_quoted || !strchr(".:;?", *at) || !strchr(" \n", at[1])); at++)
		is_quoted ^= *at == '`';
	return (int)(at - help);
}

static void print_help(void)
{
	printf("thrum launches, supervises and inspects processes.\n\n"
	       "  thrum                        the dashboard of this folder's project\n"
	       "  thrum -H HOST COMMAND        … of the engine on another machine, by ssh\n");
	for (const struct command *command = commands; command->name; command++) {
		char left[96];
		snprintf(left, sizeof left, "%s %s", command->name, command->arguments);
		printf("  thrum %-22s %.*s\n", left, summary_size(command->help), command->help);
	}
	printf("\nNames are web, web/0, ns:NAME, globs, or all. `thrum help COMMAND` and thrum(1) say more.\n"
	       "Exit status: 0 fine, 1 failed, 2 usage or configuration, 3 no engine, 4 no such service.\n");
}

static const struct command *find_command(const char *name)
{
	if (strcmp(name, "status") == 0)
		name = "ps";
	for (const struct command *command = commands; command->name; command++)
		if (strcmp(command->name, name) == 0 ||
			(command->alias && strcmp(command->alias, name) == 0))
			return command;
	return NULL;
}

static int say_unknown(const char *name)
{
	const char *known[sizeof commands / sizeof *commands] = { NULL };

	for (size_t i = 0; commands[i].name; i++)
		known[i] = commands[i].name;
	const char *nearest = problem_nearest(name, known);
	if (nearest)
		return cli_fail(
			EXIT_USAGE, "no such command: '%s' (did you mean '%s'?)", name, nearest);
	return cli_fail(EXIT_USAGE, "no such command: '%s'; `thrum help` lists them", name);
}

static int run_help(struct invocation *invocation)
{
	const struct command *command =
		invocation->name_count ? find_command(invocation->names[0]) : NULL;

	if (invocation->name_count && !command)
		return say_unknown(invocation->names[0]);
	if (command)
		print_command_help(command);
	else
		print_help();
	return EXIT_OK;
}

static int run_version(struct invocation *invocation)
{
	if (invocation->json)
		printf("{\"version\":\"%s\",\"protocol\":%d}\n", PACKAGE_VERSION, PROTOCOL_VERSION);
	else
		printf("thrum %s\n", PACKAGE_VERSION);
	return EXIT_OK;
}

/* ---- arguments ---- */

enum { HELP_OPTION = 1 };

static void make_options(const struct command *command, struct option *longs, char *shorts)
{
	size_t count = 0, letters = 0;

	if (command->run == cli_run)
		shorts[letters++] = '+'; /* options behind the first word are the command's own */
	shorts[letters++] = ':';
	shorts[letters++] = 'h';
	longs[count++] = (struct option){ "help", no_argument, NULL, HELP_OPTION };
	for (size_t i = 0; i < OPTION_COUNT; i++) {
		const struct option_row *row = &option_rows[i];
		if (!takes(command, row->letter))
			continue;
		longs[count++] = (struct option){ row->name,
			row->argument ? required_argument : no_argument, NULL, 256 + (int)i };
		if (row->is_short)
			shorts[letters++] = short_letter(row);
		if (row->is_short && row->argument)
			shorts[letters++] = ':';
	}
	longs[count] = (struct option){ 0 };
	shorts[letters] = '\0';
}

static const struct option_row *find_option(const struct command *command, int code)
{
	if (code >= 256)
		return &option_rows[code - 256];
	for (size_t i = 0; i < OPTION_COUNT; i++)
		if (option_rows[i].is_short && takes(command, option_rows[i].letter) &&
			short_letter(&option_rows[i]) == code)
			return &option_rows[i];
	return NULL;
}

/* "scale web -1": a number is no option */
static void protect_numbers(int argc, char **argv)
{
	for (int i = 1; i < argc; i++)
		if (argv[i][0] == '-' && argv[i][1] >= '0' && argv[i][1] <= '9')
			argv[i] = memory_format("=%s", argv[i]);
}

static int parse(struct invocation *invocation, int argc, char **argv)
{
	const struct command *command = invocation->command;
	struct option longs[OPTION_COUNT + 2];
	char shorts[OPTION_COUNT * 2 + 8];
	int code;

	if (command->run == cli_scale)
		protect_numbers(argc, argv);
	make_options(command, longs, shorts);
	opterr = 0;
	while ((code = getopt_long(argc, argv, shorts, longs, NULL)) != -1) {
		if (code == 'h' || code == HELP_OPTION) {
			print_command_help(command);
			return EXIT_OK;
		}
		if (code == '?')
			return cli_fail(EXIT_USAGE,
				"%s: no such option: '%s'; `thrum help %s` lists them",
				command->name, argv[optind - 1], command->name);
		if (code == ':')
			return cli_fail(EXIT_USAGE, "%s: '%s' takes a value", command->name,
				argv[optind - 1]);
		set_option(invocation, find_option(command, code)->letter, optarg);
	}
	invocation->names = argv + optind;
	invocation->name_count = argc - optind;
	if (invocation->name_count < command->least)
		return cli_fail(EXIT_USAGE, "%s: which? usage: thrum %s %s", command->name,
			command->name, command->arguments);
	if (command->most >= 0 && invocation->name_count > command->most)
		return cli_fail(EXIT_USAGE, "%s: too many arguments; usage: thrum %s %s",
			command->name, command->name, command->arguments);
	return -1;
}

/* `thrum -p NAME ps`: options of everybody may stand before the command. */
static int take_leading(struct invocation *invocation, int argc, char **argv)
{
	int at = 1;

	for (; at < argc && argv[at][0] == '-'; at++) {
		if (strcmp(argv[at], "--json") == 0)
			invocation->json = true;
		else if ((strcmp(argv[at], "-p") == 0 || strcmp(argv[at], "--project") == 0) &&
			 at + 1 < argc)
			invocation->project = argv[++at];
		else if ((strcmp(argv[at], "-H") == 0 || strcmp(argv[at], "--host") == 0) && at + 1 < argc)
			setenv(REMOTE_VARIABLE, argv[++at], 1);
		else
			break;
	}
	return at;
}

int cli_main(int argc, char **argv)
{
	static char up[] = "up";
	struct invocation invocation = { 0 };
	int at = take_leading(&invocation, argc, argv);
	const char *name = at < argc ? argv[at] : NULL;

	if (!name)
		return cli_dashboard(&invocation);
	if (strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		name = "help";
	if (strcmp(name, "--version") == 0 || strcmp(name, "-V") == 0)
		name = "version";
	if (name[0] == '-') /* `thrum -f FILE`: as `thrum up -f FILE` */
		name = argv[--at] = up;
	invocation.command = find_command(name);
	if (!invocation.command)
		return say_unknown(name);
	int status = parse(&invocation, argc - at, argv + at);
	if (status < 0)
		cli_take_host(&invocation);
	if (status < 0 && !cli_is_possible_remotely(&invocation))
		status = cli_fail(EXIT_USAGE, "%s: this is done on the machine of the engine: log in there", name);
	if (status < 0)
		status = invocation.command->run(&invocation);
	return cli_finish(status);
}
