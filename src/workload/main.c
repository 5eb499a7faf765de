#include <errno.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <thrum.h>

#include "workload/workload.h"

enum { HELP_OPTION = -2 };

static const struct setting worker_settings[] = {
	{ "threads", "", 1, 1, 256, "that do tasks; with more than one, the pool's `concurrency` gives it as many at a time" },
	{ "delay", "ms", 0, 0, 86400e3, "that each task takes longer, so that a queue can be watched" },
	{ 0 },
};

static const struct setting unstable_settings[] = {
	{ "within", "ms", 5000, 0, 86400e3, "it fails at some moment within this time" },
	{ 0 },
};

static const struct setting leak_settings[] = {
	{ "step", "bytes", 1 << 20, 4096, 1 << 30, "how much at a time" },
	{ "most", "bytes", 200 << 20, 0, 1e12, "where it stops to grow" },
	{ "every", "ms", 200, 1, 86400e3, "how often" },
	{ 0 },
};

static const struct setting spin_settings[] = {
	{ "percent", "", 100, 1, 100, "of a processor, each thread" },
	{ "threads", "", 1, 1, 256, "that do so" },
	{ 0 },
};

static const struct setting block_settings[] = {
	{ "threads", "", 1, 1, 64, "for each way to wait" },
	{ 0 },
};

static const struct setting chat_settings[] = {
	{ "every", "ms", 1000, 1, 86400e3, "how often it says something" },
	{ 0 },
};

static const struct setting http_settings[] = {
	{ "port", "", 0, 0, 65535, "on 127.0.0.1; 0: the system finds one, and it is printed. Sockets of LISTEN_FDS come first" },
	{ "threads", "", 4, 1, 256, "that answer" },
	{ 0 },
};

static const struct setting pool_settings[] = {
	{ "threads", "", 4, 1, 4096, "of the pool" },
	{ "tasks", "", 50, 1, 1e6, "that are submitted at once" },
	{ "run", "ms", 300, 0, 86400e3, "how long each takes" },
	{ "every", "ms", 10000, 1, 86400e3, "how often so many are submitted, as far as they are done" },
	{ 0 },
};

static const struct setting bench_settings[] = {
	{ "rounds", "", 3, 1, 99, "of which the median counts" },
	{ "threads", "", 0, 0, 256, "and processes; 0: as many as there are processors, but at least 2" },
	{ "json", "flag", 0, 0, 1, "for programs" },
	{ "no-node", "flag", 0, 0, 1, "in C alone" },
	{ 0 },
};

static const struct workload workloads[] = {
	{ "fib", "[N...]", worker_settings, -1, "Fibonacci numbers, slowly: a worker whose tasks are {\"n\": N}.", work_fib },
	{ "prime", "[N...]", worker_settings, -1, "Is N prime? A worker whose tasks are {\"n\": N}.", work_prime },
	{ "primes", "[BELOW...]", worker_settings, -1,
		"Counts primes: a worker whose tasks are {\"below\": N} or {\"from\": M, \"below\": N}.", work_primes },
	{ "checksum", "[FILE...]", worker_settings, -1,
		"Checksums of files, as `cksum` has them: a worker whose tasks are {\"path\": FILE}.", work_checksum },
	{ "echo", "[WORD...]", worker_settings, -1, "Answers at once with what a task is: a worker for measuring pools.", work_echo },
	{ "unstable", "[exit|abort|fault|kill]", unstable_settings, 1, "Fails after a while, in that way or in any.", work_unstable },
	{ "leak", "", leak_settings, 0, "Grows.", work_leak },
	{ "spin", "", spin_settings, 0, "Burns processors.", work_spin },
	{ "block", "[sleep|pipe|futex|socket|lock]...", block_settings, -1, "Threads that wait, each in another way.", work_block },
	{ "chat", "", chat_settings, 0, "Talks on its channel, and answers: {\"cmd\":\"echo\",\"text\":…} has the text back.", work_chat },
	{ "http", "", http_settings, 0, "A server: /, /health, /sick (which /health is from then on), /slow/MS, /fib/N.", work_http },
	{ "pool", "", pool_settings, 0, "A pool of threads whose queue fills and falls.", work_pool },
	{ "bench", "[primes|files|scaling|transfer|pool|start]...", bench_settings, -1,
		"Measures threads against processes, and Node beside them: `thrum bench`.", work_bench },
};

enum { WORKLOADS = sizeof workloads / sizeof *workloads };

int workload_fail(int status, const char *format, ...)
{
	va_list args;

	fputs("thrum-workload: ", stderr);
	va_start(args, format);
	vfprintf(stderr, format, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

/* ---- help ---- */

static const struct unit {
	const char *name, *argument, *example;
	const char *suffix; /* of values that are printed, which are divided by factor */
	double factor;
} units[] = {
	{ "", "N", "number", "", 1 },
	{ "ms", "TIME", "time such as 500ms or 10s,", "ms", 1 },
	{ "bytes", "SIZE", "size such as 64KB or 10MB,", "MB", 1 << 20 },
	{ "flag", "", "", "", 1 },
};

static const struct unit *unit_of(const struct setting *setting)
{
	const struct unit *unit = units;

	while (strcmp(unit->name, setting->unit) != 0)
		unit++;
	return unit;
}

static void print_setting(const struct setting *setting)
{
	const struct unit *unit = unit_of(setting);

	printf("  --%s %-*s %s", setting->name, (int)(16 - strlen(setting->name)), unit->argument, setting->help);
	if (*unit->argument)
		printf(" (%g%s)", setting->fallback / unit->factor, unit->suffix);
	putchar('\n');
}

static void print_workload(const struct workload *workload)
{
	printf("thrum-workload %s%s%s\n%s\n", workload->name, *workload->arguments ? " " : "", workload->arguments, workload->help);
	if (workload->settings)
		putchar('\n');
	for (const struct setting *setting = workload->settings; setting && setting->name; setting++)
		print_setting(setting);
}

static void print_help(void)
{
	puts("Programs of many kinds for thrum to look after.\n");
	for (unsigned i = 0; i < WORKLOADS; i++)
		printf("  thrum-workload %-9s %s\n", workloads[i].name, workloads[i].help);
	puts("\n`thrum-workload help NAME` tells of options. As a command of a service, `thrum-workload NAME` is found wherever thrum is.");
}

static const struct workload *find_workload(const char *name)
{
	for (unsigned i = 0; i < WORKLOADS; i++)
		if (strcmp(workloads[i].name, name) == 0)
			return &workloads[i];
	return NULL;
}

static int help(const char *name)
{
	const struct workload *workload = name ? find_workload(name) : NULL;

	if (name && !workload)
		return workload_fail(WRONG_USAGE, "no such workload: '%.60s'; `thrum-workload help` lists them", name);
	if (workload)
		print_workload(workload);
	else
		print_help();
	return ENDED_WELL;
}

/* ---- arguments ---- */

/* 5, 500ms, 10s, 2m; 4096, 64KB, 10MB, 1GB. A time without a unit is in seconds, as everywhere. */
static bool read_value(const struct setting *setting, const char *text, double *value)
{
	static const struct {
		const char *of, *suffix;
		double factor;
	} suffixes[] = {
		{ "", "", 1 },
		{ "flag", "", 1 },
		{ "ms", "", 1e3 },
		{ "ms", "ms", 1 },
		{ "ms", "s", 1e3 },
		{ "ms", "m", 60e3 },
		{ "bytes", "", 1 },
		{ "bytes", "KB", 1 << 10 },
		{ "bytes", "MB", 1 << 20 },
		{ "bytes", "GB", 1 << 30 },
	};
	char *end;
	double number = strtod(text, &end);

	for (size_t i = 0; end > text && i < sizeof suffixes / sizeof *suffixes; i++)
		if (strcmp(suffixes[i].of, setting->unit) == 0 && strcasecmp(suffixes[i].suffix, end) == 0) {
			*value = number * suffixes[i].factor;
			return *value >= setting->least && *value <= setting->most;
		}
	return false;
}

static int find_setting(const struct workload *workload, const char *name)
{
	for (int i = 0; workload->settings && workload->settings[i].name; i++)
		if (strcmp(workload->settings[i].name, name) == 0)
			return i;
	return -1;
}

/* -1: go on; else the status to end with. is_alone: it takes no value. */
static int take_option(struct order *order, const char *name, const char *value, bool *is_alone)
{
	const struct workload *workload = order->workload;
	int which = find_setting(workload, name);

	if (which < 0)
		return workload_fail(WRONG_USAGE, "%s: no such option: '--%.60s'; `thrum-workload help %s` lists them",
			workload->name, name, workload->name);
	const struct setting *setting = &workload->settings[which];
	const struct unit *unit = unit_of(setting);
	*is_alone = !*unit->argument;
	if (*is_alone)
		value = "1";
	if (!value || !read_value(setting, value, &order->values[which]))
		return workload_fail(WRONG_USAGE, "%s: --%s takes a %s from %g to %g%s, not '%.60s'", workload->name, name, unit->example,
			setting->least / unit->factor, setting->most / unit->factor, unit->suffix, value ? value : "");
	return -1;
}

bool order_wants(const struct order *order, const char *name)
{
	bool is_wanted = order->count == 0;

	for (int i = 0; i < order->count; i++)
		is_wanted |= strcmp(order->words[i], name) == 0;
	return is_wanted;
}

/* Is it among "[this|that]"? */
static bool is_known(const struct workload *workload, const char *word)
{
	size_t length;

	if (!strchr(workload->arguments, '|'))
		return true;
	for (const char *name = workload->arguments + 1; (length = strcspn(name, "|]")) > 0; name += length + 1)
		if (strncmp(name, word, length) == 0 && !word[length])
			return true;
		else if (name[length] == ']')
			return false;
	return false;
}

static int check_words(const struct order *order)
{
	const struct workload *workload = order->workload;

	if (workload->words_most >= 0 && order->count > workload->words_most)
		return workload_fail(WRONG_USAGE, "%s: too many arguments; usage: thrum-workload %s %s", workload->name, workload->name,
			workload->arguments);
	for (int i = 0; i < order->count; i++)
		if (!is_known(workload, order->words[i]))
			return workload_fail(WRONG_USAGE, "%s: one of %s, not '%.60s'", workload->name, workload->arguments,
				order->words[i]);
	return -1;
}

static int read_order(struct order *order, int argc, char **argv)
{
	int status = -1;

	order->words = argv;
	for (int i = 0; i < argc && status < 0; i++) {
		if (strncmp(argv[i], "--", 2) != 0 || !argv[i][2])
			order->words[order->count++] = argv[i];
		else if (strcmp(argv[i], "--help") == 0)
			status = help(order->workload->name);
		else {
			bool is_alone = false;
			status = take_option(order, argv[i] + 2, i + 1 < argc ? argv[i + 1] : NULL, &is_alone);
			i += !is_alone;
		}
	}
	return status < 0 ? check_words(order) : status;
}

int main(int argc, char **argv)
{
	struct order order = { 0 };
	const char *name = argc > 1 ? argv[1] : "help";

	if (strcmp(name, "help") == 0 || strcmp(name, "--help") == 0 || strcmp(name, "-h") == 0)
		return help(argc > 2 ? argv[2] : NULL);
	if (strcmp(name, "--version") == 0)
		return puts(thrum_version()) < 0;
	order.workload = find_workload(name);
	if (!order.workload)
		return help(name);
	for (int i = 0; order.workload->settings && order.workload->settings[i].name; i++)
		order.values[i] = order.workload->settings[i].fallback;
	int status = read_order(&order, argc - 2, argv + 2);
	return status < 0 ? order.workload->run(&order) : status;
}
