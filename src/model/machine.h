/*
 * All processes of the machine, as a table for people: who is shown, in what order, and whose child each is.
 * Plain data, filled by whoever can read it; nothing in here reads a clock or a file.
 */
#ifndef MODEL_MACHINE_H
#define MODEL_MACHINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/pattern.h"
#include "model/inside.h"

enum { MACHINE_CORES_MOST = 1024,
	MACHINE_NAME_SIZE = 16,
	MACHINE_USER_SIZE = 32,
	MACHINE_CHOSEN_MOST = 256 };

/* A process, and no other that gets its pid later. */
struct machine_id {
	int32_t pid;
	uint64_t starttime; /* ticks since boot */
};

struct machine_process {
	struct machine_id id;
	int32_t parent, group, session;
	char state;      /* 'R' 'S' 'D' 'Z' … */
	bool is_thread;  /* of the process that is its parent here; its id is that of the thread */
	bool is_kernel;  /* a thread of the kernel */
	double cpu_pct;  /* of one core, since the pass before; since its start in the first */
	double cpu_rank; /* what its place is by: machine_rank; below 0: it has none yet, and stands by cpu_pct */
	uint64_t cpu_ns; /* since its start */
	uint64_t rss;    /* bytes; or SAMPLE_UNKNOWN */
	uint64_t shared; /* of them, with files or others; or SAMPLE_UNKNOWN, as where nobody wants it */
	uint64_t size;   /* bytes of its address space */
	uint64_t threads;
	uint64_t faults;                    /* pages that had to come from a disk, since its start */
	uint64_t read_bytes, written_bytes; /* of disks, since its start; or SAMPLE_UNKNOWN, as shared */
	double read_rate, write_rate;       /* bytes a second, since the pass before; below 0: not known */
	int32_t priority, nice;
	int32_t processor;    /* that it ran on last; or -1 */
	int64_t started_s;    /* Unix time */
	bool is_stale;        /* the next pass has to read it anew */
	struct inside inside; /* as it was last looked into: only what is shown is */
	const char *user;     /* borrowed, from whoever fills this */
	char name[MACHINE_NAME_SIZE];
	char *command; /* owned; safe to show */
	uint16_t path; /* bytes of the command before the name of its program */
};

/* Zeroed is empty. */
struct machine {
	struct machine_process *processes; /* owned; sorted by pid */
	size_t count, room;
	/* What whoever reads the machine is to heed: rows for threads, and what costs a further file a process. */
	bool wants_threads, wants_io, wants_shared;
	uint64_t taken_ns; /* monotonic; 0: never */
	unsigned cores;
	double core_pct[MACHINE_CORES_MOST];                            /* below 0: not known */
	uint64_t memory_total, memory_available, swap_total, swap_free; /* bytes; or SAMPLE_UNKNOWN */
	double load[3];                                                 /* below 0: not known */
	uint64_t uptime_s;
	int64_t now_s; /* Unix time of the pass */
};

void machine_finish(struct machine *machine);
/* NULL: there is none. */
const struct machine_process *machine_find(const struct machine *machine, int32_t pid);
/* Of one that is still there. */
void machine_look(struct machine *machine, const struct machine_id *id, const struct inside *inside);
/*
 * For who looks on: rows that are sorted by CPU keep their places from one ordering to the next, so that they can be read, and hit. Once
 * a pass; is_due: now all are put in order anew. Else those only whose CPU has changed by much.
 */
void machine_rank(struct machine *machine, bool is_due);
/* To be read anew, since somebody has changed something of it. */
void machine_touch(struct machine *machine, const struct machine_id *id);
/* Has it anything inside that could be looked at: a process of its own, and none of the kernel? */
bool machine_has_inside(const struct machine_process *process);
bool machine_id_is(const struct machine_id *one, const struct machine_id *other);

enum machine_sort { MACHINE_BY_CPU,
	MACHINE_BY_MEMORY,
	MACHINE_BY_TIME,
	MACHINE_BY_PID,
	MACHINE_BY_USER,
	MACHINE_BY_STATE,
	MACHINE_BY_THREADS,
	MACHINE_BY_QUEUE,
	MACHINE_BY_LOOP,
	MACHINE_BY_LAG,
	MACHINE_BY_COMMAND,
	MACHINE_BY_NICE,
	MACHINE_BY_PRIORITY,
	MACHINE_BY_SIZE,
	MACHINE_BY_SHARED,
	MACHINE_BY_READ,
	MACHINE_BY_WRITTEN,
	MACHINE_BY_FAULTS,
	MACHINE_BY_START,
	MACHINE_BY_PARENT,
	MACHINE_BY_PROCESSOR,
	MACHINE_SORT_COUNT };
extern const char *const machine_sort_names[MACHINE_SORT_COUNT];
/* By what goes on inside: everybody has to be looked into. */
bool machine_sort_is_inside(enum machine_sort sort);

/* A bounded set of processes. */
struct machine_set {
	struct machine_id ids[MACHINE_CHOSEN_MOST];
	size_t count;
};
bool machine_set_has(const struct machine_set *set, const struct machine_id *id);
/* False: it is full. */
bool machine_set_toggle(struct machine_set *set, const struct machine_id *id);
/* One, and all that descends from it; as many as there is room for. False: that was not all. */
bool machine_set_add_tree(struct machine_set *set, const struct machine *machine, const struct machine_id *id);
/* What is gone is in it no more. */
void machine_set_tidy(struct machine_set *set, const struct machine *machine);

/* What of it is wanted, and how. Zeroed: all, by CPU. */
struct machine_wish {
	enum machine_sort sort;
	bool is_inverted, is_tree, hides_kernel;
	const struct pattern *filter; /* of commands; borrowed; NULL: none */
	bool is_filter_inverse;
	char user[MACHINE_USER_SIZE]; /* only this one's; "": everybody's */
	const int32_t *pids;          /* only these and what descends from them; borrowed */
	size_t pid_count;             /* 0: all */
	struct machine_set folded;    /* in the tree, without what descends from them */
};

struct machine_row {
	const struct machine_process *process; /* borrowed */
	unsigned depth;
	uint64_t guides; /* a bit for each depth: more follow there */
	bool is_folded;
};

/* The rows of the table, from the top; free() them. In a tree, who leads to one that is shown is shown too. */
struct machine_row *machine_rows(const struct machine *machine, const struct machine_wish *wish, size_t *count);

/* The place of a process in the rows, or -1. */
long machine_row_of(const struct machine_row *rows, size_t count, const struct machine_id *id);
/* The row whose pid is these figures, else the first whose pid begins with them; or -1. */
long machine_search_pid(const struct machine_row *rows, size_t count, const char *figures);
/* The next row, from `place` on and round, with this text in its command, whatever its case, or with this pid; or -1. */
long machine_search(const struct machine_row *rows, size_t count, long place, int direction, const char *text);

#endif
