/*
 * The threads of one process, looked at again and again. Who has not run since the look before is what it was: the roll says
 * so (inspect/roll.h), or else one small file, kept open. As many are kept open as the budget has; the others are opened each
 * time.
 */
#ifndef INSPECT_CREW_H
#define INSPECT_CREW_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "inspect/roll.h"
#include "inspect/task.h"
#include "model/inside.h"

/* What all crews have together: descriptors that may be kept, and, once so many threads were asked that it pays, the roll. */
struct crew_budget {
	size_t used, most;
	size_t asked;               /* threads, so far, each by its file */
	bool is_roll_tried;         /* … and there is one, or will be none */
	struct roll *roll;          /* owned; NULL: none */
	struct roll_entry *entries; /* owned; room for one call of it */
};

/* A part of what this process may have open. */
struct crew_budget crew_budget_of_process(void);
void crew_budget_finish(struct crew_budget *budget);
/* Have the roll from now on, if it can be had. False, and why: it cannot. */
bool crew_budget_roll(struct crew_budget *budget, struct error *err);

struct crew_member {
	int fd;          /* of its schedstat; -1: not kept */
	bool is_asked;   /* in this look … */
	bool is_read;    /* … and there is something new of it */
	bool is_timed;   /* its times are others than in the look before; else it may just have come to rest, and they are old */
	unsigned still;  /* looks since it ran */
	unsigned doubts; /* how often it is read again, since where it waits was not yet to be seen */
	struct task_times times;
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
