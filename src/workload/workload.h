/*
 * thrum-workload: programs of every kind that thrum looks after, for demos, tests and benches: workers of pools, and
 * processes that do well or badly. It knows nothing of thrum but libthrum. A workload is a row in main.c.
 */
#ifndef WORKLOAD_WORKLOAD_H
#define WORKLOAD_WORKLOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum {
	ENDED_WELL = 0,
	ENDED_BADLY = 1,
	WRONG_USAGE = 2,
	SETTINGS_MOST = 8
};

/* An option that takes a number: --name N, with a unit that is MB for bytes, ms or s for time. */
struct setting {
	const char *name;
	const char *unit; /* "", "ms" or "bytes"; "flag": it takes none */
	double fallback, least, most;
	const char *help;
};

/* What the command line asks for. */
struct order {
	const struct workload *workload;
	double values[SETTINGS_MOST]; /* of the settings, in their order */
	char **words;                 /* what is no option */
	int count;
};

struct workload {
	const char *name, *arguments;   /* "[FILE...]", or "[this|that]": these words alone */
	const struct setting *settings; /* ends with one without a name; NULL: none */
	int words_most;                 /* -1: any number */
	const char *help;
	int (*run)(const struct order *order);
};

/* Is it one of the words, or are there none? Words are those of the arguments, "[this|that]...", and no others. */
bool order_wants(const struct order *order, const char *name);

/* "thrum-workload: …" on standard error; returns the status. */
int workload_fail(int status, const char *format, ...) __attribute__((format(printf, 2, 3)));

/* -- ending.c: SIGTERM, SIGINT and SIGHUP ask a workload to end -- */

/* Blocks them, in threads that are made later too, and returns a descriptor that is readable once one came. */
int ending_fd(void);
/* Sleeps so long; true when it is to end. */
bool ending_comes_within(int ms);
/* Until then. */
void ending_await(void);

/* -- The workloads -- */

int work_fib(const struct order *order);
int work_prime(const struct order *order);
int work_primes(const struct order *order);
int work_checksum(const struct order *order);
int work_echo(const struct order *order);
int work_unstable(const struct order *order);
int work_leak(const struct order *order);
int work_spin(const struct order *order);
int work_block(const struct order *order);
int work_chat(const struct order *order);
int work_http(const struct order *order);
int work_pool(const struct order *order);
int work_bench(const struct order *order);

#endif
