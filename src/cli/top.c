/* The table of all processes of the machine: on a screen, or printed. No engine is asked. */
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/pidfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "cli/eyes.h"
#include "cli/tracer.h"
#include "model/sample.h"
#include "model/spec.h"
#include "procfs/file.h"
#include "procfs/muster.h"
#include "procfs/stat.h"
#include "procfs/tune.h"
#include "protocol/inside.h"
#include "tui/settings.h"
#include "tui/top.h"

enum { SPAN_MS = 1000, /* between two passes, unless --over says another */
	LEAST_MS = 50,
	LINE_MOST = 64 * 1024 };

/* ---- the machine, for the screen ---- */

struct watch {
	struct muster *muster;
	struct eyes *eyes;
	struct tracer *tracer;
	int fd; /* readable when either of them has something to say */
};

static bool sample(void *context, struct machine *machine, struct error *err)
{
	struct watch *watch = context;

	return muster_take(watch->muster, machine, err);
}

static void ask(void *context, struct top_quest *quest)
{
	struct watch *watch = context;

	eyes_ask(watch->eyes, quest);
}

static struct top_quest *take(void *context)
{
	struct watch *watch = context;

	return eyes_take(watch->eyes);
}

/* The descriptor is that of one process; that it is the right one is seen once it is open. */
static bool send_signal(void *context, const struct machine_id *id, const char *name, struct error *err)
{
	struct proc_stat stat;
	int fd = pidfd_open(id->pid, 0);

	(void)context;
	if (fd < 0)
		return error_errno(err, "pid %d", (int)id->pid);
	bool is_it = proc_stat_read(id->pid, &stat) && stat.starttime == id->starttime;
	bool ok = is_it && pidfd_send_signal(fd, signal_number(name), NULL, 0) == 0;
	if (!is_it)
		error_set(err, ESRCH, "pid %d: it has ended", (int)id->pid);
	else if (!ok)
		error_errno(err, "pid %d", (int)id->pid);
	close(fd);
	return ok;
}

static bool renice(void *context, const struct machine_id *id, int by, int *now, struct error *err)
{
	(void)context;
	return tune_nice(id->pid, id->starttime, by, now, err);
}

static bool get_processors(void *context, const struct machine_id *id, struct top_processors *processors, struct error *err)
{
	(void)context;
	return tune_get_processors(id->pid, id->starttime, processors->may_use, &processors->count, err);
}

static bool set_processors(void *context, const struct machine_id *id, const struct top_processors *processors, struct error *err)
{
	(void)context;
	return tune_set_processors(id->pid, id->starttime, processors->may_use, err);
}

static bool get_io(void *context, const struct machine_id *id, int *priority, struct error *err)
{
	(void)context;
	return tune_get_io(id->pid, id->starttime, priority, err);
}

static bool set_io(void *context, const struct machine_id *id, int priority, struct error *err)
{
	(void)context;
	return tune_set_io(id->pid, id->starttime, priority, err);
}

static bool trace(void *context, const struct machine_id *id, struct error *err)
{
	struct watch *watch = context;

	return tracer_begin(watch->tracer, id, err);
}

static bool hear(void *context, struct machine_id *id, struct text *out)
{
	struct watch *watch = context;

	return tracer_hear(watch->tracer, id, out);
}

/* ---- printing ---- */

/* Whoever reads it with a program knows which columns there are. */
static const struct top_choices built_in;

static void print_row(const struct machine *machine, const struct machine_row *row, bool is_tree)
{
	const struct top_column *column;
	char cell[TOP_CELL_SIZE];
	struct text line;

	text_init(&line, LINE_MOST);
	for (unsigned i = 0; (column = top_column_at(&built_in, i)); i++) {
		column->format(cell, machine, row->process);
		text_format(&line, "%*s ", column->width, cell);
	}
	top_guides(&line, row, is_tree, false);
	text_puts(&line, row->process->command);
	puts(text_string(&line));
	text_finish(&line);
}

static void print_table(const struct machine *machine, const struct machine_row *rows, size_t count, bool is_tree)
{
	const struct top_column *column;

	for (unsigned i = 0; (column = top_column_at(&built_in, i)); i++)
		printf("%*s ", column->width, column->title);
	puts("COMMAND");
	for (size_t i = 0; i < count; i++)
		print_row(machine, &rows[i], is_tree);
}

static json_t *known(uint64_t value)
{
	return value == SAMPLE_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

static json_t *known_share(double value)
{
	return value < 0 ? json_null() : json_real(value);
}

static json_t *process_to_json(const struct machine_process *process)
{
	char state[2] = { process->state, '\0' };
	struct text name;

	text_init(&name, LINE_MOST);
	utf8_append_safe(&name, process->name, strlen(process->name), false);
	json_t *json = json_pack("{s:i,s:i,s:s,s:s,s:i,s:f,s:o,s:o,s:I,s:I,s:s,s:s}", "pid", process->id.pid, "ppid", process->parent,
		"user", process->user, "state", state, "nice", process->nice, "cpu", process->cpu_pct, "rss", known(process->rss),
		"virtual", known(process->size), "cpu_ms",
		(json_int_t)(process->cpu_ns / 1000000), "threads", (json_int_t)process->threads, "name",
		text_string(&name), "command", process->command);
	inside_put(json, &process->inside);
	text_finish(&name);
	return json;
}

static void print_json(const struct machine *machine, const struct machine_row *rows, size_t count)
{
	json_t *processes = json_array(), *cores = json_array(), *load = json_array();

	for (size_t i = 0; i < count; i++)
		json_array_append_new(processes, process_to_json(rows[i].process));
	for (unsigned i = 0; i < machine->cores; i++)
		json_array_append_new(cores, known_share(machine->core_pct[i]));
	for (int i = 0; i < 3; i++)
		json_array_append_new(load, known_share(machine->load[i]));
	json_t *json = json_pack("{s:o,s:o,s:o,s:o,s:o,s:o,s:I,s:o}", "cores", cores, "load", load, "memory_total",
		known(machine->memory_total), "memory_available", known(machine->memory_available), "swap_total",
		known(machine->swap_total), "swap_free", known(machine->swap_free), "uptime_s",
		(json_int_t)machine->uptime_s, "processes", processes);
	cli_print_json(json);
	json_decref(json);
}

/* Into those that are wanted, and no others. */
static void look(struct watch *watch, struct machine *machine, const struct machine_wish *wish)
{
	size_t count;
	struct machine_row *rows = machine_rows(machine, wish, &count);
	struct top_quest *quest = top_quest_create(rows, count, NULL, TOP_TAB_NONE);

	eyes_look(watch->eyes, quest);
	top_quest_tell(quest, machine);
	top_quest_destroy(quest);
	free(rows);
}

static bool take_pass(struct watch *watch, struct machine *machine, const struct machine_wish *wish, struct error *err)
{
	bool ok = sample(watch, machine, err);

	if (ok)
		look(watch, machine, wish);
	return ok;
}

static void print_machine(const struct machine *machine, const struct machine_wish *wish, bool is_json)
{
	size_t count;
	struct machine_row *rows = machine_rows(machine, wish, &count);

	if (is_json)
		print_json(machine, rows, count);
	else
		print_table(machine, rows, count, wish->is_tree);
	free(rows);
	fflush(stdout);
}

static int print_times(struct watch *watch, const struct machine_wish *wish, const struct top_options *options,
	uint64_t times, bool is_json)
{
	struct machine machine = { .wants_io = wish->sort == MACHINE_BY_READ || wish->sort == MACHINE_BY_WRITTEN,
		.wants_shared = wish->sort == MACHINE_BY_SHARED };
	struct error err = { 0 };
	bool ok = take_pass(watch, &machine, wish, &err);

	for (; ok && times > 0; times--) {
		if (options->interval_ms)
			poll(NULL, 0, (int)options->interval_ms);
		ok = !options->interval_ms || take_pass(watch, &machine, wish, &err);
		if (ok)
			print_machine(&machine, wish, is_json);
	}
	machine_finish(&machine);
	return ok ? EXIT_OK : cli_fail(EXIT_FAILED, "%s", err.text);
}

static int print(struct watch *watch, const struct invocation *invocation, const struct top_options *options)
{
	struct machine_wish *wish = memory_zeroed(1, sizeof *wish);
	struct error err;
	struct pattern *filter = options->filter ? pattern_create(options->filter, &err) : NULL;
	uint64_t times = 1;

	*wish = (struct machine_wish){ .sort = options->sort,
		.is_tree = options->is_tree,
		.filter = filter,
		.pids = options->pids,
		.pid_count = options->pid_count };
	int status = cli_count("times", invocation->times, &times)
			     ? print_times(watch, wish, options, times, invocation->json)
			     : EXIT_USAGE;
	pattern_destroy(filter);
	free(wish);
	return status;
}

/* ---- the command ---- */

static bool take_sort(const char *name, enum machine_sort *sort)
{
	for (*sort = MACHINE_BY_CPU; name && *sort < MACHINE_SORT_COUNT; ++*sort)
		if (strcmp(machine_sort_names[*sort], name) == 0)
			return true;
	if (!name)
		return true;
	struct text all;
	text_init(&all, LINE_MOST);
	for (int i = 0; i < MACHINE_SORT_COUNT; i++)
		text_format(&all, "%s%s", i ? ", " : "", machine_sort_names[i]);
	cli_fail(EXIT_USAGE, "--sort takes %s, not '%s'", text_string(&all), name);
	text_finish(&all);
	return false;
}

static bool take_pids(const struct invocation *invocation, int32_t *pids)
{
	for (int i = 0; i < invocation->name_count; i++) {
		char *end;
		long pid = strtol(invocation->names[i], &end, 10);
		if (!*invocation->names[i] || *end || pid <= 0 || pid > INT32_MAX) {
			cli_fail(EXIT_USAGE, "'%s' is no pid: `thrum ps` tells those of services", invocation->names[i]);
			return false;
		}
		pids[i] = (int32_t)pid;
	}
	return true;
}

static bool take_filter(const char *filter)
{
	struct error err;
	struct pattern *pattern = filter ? pattern_create(filter, &err) : NULL;

	if (filter && !pattern)
		cli_fail(EXIT_USAGE, "--grep: %s", err.text);
	pattern_destroy(pattern);
	return pattern || !filter;
}

static bool take_options(const struct invocation *invocation, struct top_options *options, int32_t *pids)
{
	options->interval_ms = SPAN_MS;
	options->pids = pids;
	options->pid_count = (size_t)invocation->name_count;
	options->is_tree = invocation->tree;
	options->read_only = invocation->read_only;
	options->filter = invocation->grep;
	if (!cli_duration("over", invocation->over, &options->interval_ms) || !take_sort(invocation->sort, &options->sort) ||
		!take_filter(invocation->grep) || !take_pids(invocation, pids))
		return false;
	if (options->interval_ms <= INT_MAX)
		return true;
	cli_fail(EXIT_USAGE, "--over %s is too long", invocation->over);
	return false;
}

static int show(const struct invocation *invocation, struct top_options *options)
{
	struct settings settings = { 0 };
	struct error problem = { 0 };

	if (!cli_settings(invocation, &settings, &problem))
		return EXIT_USAGE;
	if (invocation->sort)
		settings.top.sort = options->sort;
	settings.top.is_tree |= options->is_tree;
	options->settings = &settings;
	options->problem = problem.text[0] ? problem.text : NULL;
	return top_run(options);
}

static int run(struct watch *watch, const struct invocation *invocation, struct top_options *options)
{
	bool is_screen = isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);

	if (invocation->batch || invocation->json || invocation->times || cli_is_plain(invocation) || !is_screen)
		return print(watch, invocation, options);
	if (!invocation->over)
		options->interval_ms = 0;
	else if (options->interval_ms < LEAST_MS)
		options->interval_ms = LEAST_MS;
	return show(invocation, options);
}

static bool watch_open(struct watch *watch, struct error *err)
{
	struct epoll_event event = { .events = EPOLLIN };

	*watch = (struct watch){ .muster = muster_create(), .fd = epoll_create1(EPOLL_CLOEXEC) };
	if (watch->fd < 0)
		return error_errno(err, "looking at processes");
	watch->tracer = tracer_create(watch->fd);
	watch->eyes = eyes_create(err);
	return watch->eyes && (epoll_ctl(watch->fd, EPOLL_CTL_ADD, eyes_fd(watch->eyes), &event) == 0 ||
				      error_errno(err, "looking at processes"));
}

static void watch_close(struct watch *watch)
{
	tracer_destroy(watch->tracer);
	eyes_destroy(watch->eyes);
	muster_destroy(watch->muster);
	close_if_open(watch->fd);
}

int cli_top(struct invocation *invocation)
{
	struct error err;
	struct watch watch;
	bool ok = watch_open(&watch, &err);
	struct top_source source = { .context = &watch,
		.sample = sample,
		.ask = ask,
		.take = take,
		.answer_fd = watch.fd,
		.signal = send_signal,
		.renice = renice,
		.get_processors = get_processors,
		.set_processors = set_processors,
		.get_io = get_io,
		.set_io = set_io,
		.trace = trace,
		.hear = hear };
	struct top_options options = { .source = &source };
	int32_t *pids = memory_zeroed((size_t)invocation->name_count + 1, sizeof *pids);
	int status = EXIT_USAGE;

	if (!ok)
		status = cli_fail(EXIT_FAILED, "%s", err.text);
	else if (take_options(invocation, &options, pids))
		status = run(&watch, invocation, &options);
	free(pids);
	watch_close(&watch);
	return status;
}
