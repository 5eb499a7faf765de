/*
 * The threads of one process, looked at again and again. Who has not run since the look before is what it was: one small
 * file, kept open, says so. As many are kept open as the budget has; the others are opened each time.
 */
#ifndef INSPECT_CREW_H
#define INSPECT_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

/* Descriptors that may be kept, of all crews together. */
struct crew_budget {
	size_t used, most;
};

/* A part of what this process may have open. */
struct crew_budget crew_budget_of_process(void);

struct crew_member {
	int fd;          /* of its schedstat; -1: not kept */
	bool is_asked;   /* in this look … */
	bool is_read;    /* … and there is something new of it */
	unsigned still;  /* looks since it ran */
	unsigned doubts; /* how often it is read again, since where it waits was not yet to be seen */
	uint64_t run_ns, wait_ns, turns;
	struct thread_report report; /* of the last look */
};

/* Zeroed is empty. */
struct crew {
	struct crew_budget *budget;  /* borrowed; of the first look */
	struct crew_member *members; /* owned; by tid */
	size_t count;
	bool is_open;     /* some descriptors are kept */
	uint64_t cpu_ns;  /* of the process, at the last look; SAMPLE_UNKNOWN */
	uint64_t gone_ns; /* … but for that of its threads: of those that have ended */
	uint64_t taken_ns;
};

/*
 * Into out, in the order of their numbers, with rates since the look before; how many, at most `most`. now_ns is
 * monotonic. Of roles nothing is said.
 */
size_t crew_take(struct crew *crew, struct crew_budget *budget, int32_t pid, uint64_t now_ns, struct thread_report *out, size_t most);

/* Keep nothing open, but forget nothing. */
void crew_close(struct crew *crew);
void crew_finish(struct crew *crew);

#endif
