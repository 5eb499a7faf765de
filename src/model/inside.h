/*
 * What goes on inside a process: its event loops, its pools of worker threads, its threads, and whom it
 * talks to. Plain data, filled by whoever can know; what is not known is SAMPLE_UNKNOWN, and below 0
 * where it is a double: never 0.
 */
#ifndef MODEL_INSIDE_H
#define MODEL_INSIDE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/growth.h"

enum { INSIDE_LOOPS_MOST = 64,
	INSIDE_POOLS_MOST = 16,
	INSIDE_BUCKETS_MOST = 64,
	INSIDE_THREADS_MOST = 4096,
	INSIDE_POOL_THREADS_MOST = 4096, /* of one of libthrum's pools */
	INSIDE_PEERS_MOST = 1024,
	INSIDE_FILES_MOST = 1024,
	INSIDE_FINDINGS_MOST = 32,
	INSIDE_BLOCKED_MS = 1000, /* a loop that lags that much is worth a word to whoever looks on */
	INSIDE_REASON_SIZE = 160,
	INSIDE_NAME_SIZE = 64 };

/* Of all its loops and pools together: the part of it that every sample carries. */
struct inside {
	uint64_t queue;     /* tasks that wait for a worker */
	uint64_t busy;      /* workers that have a task */
	uint64_t size;      /* workers */
	double utilisation; /* of its main event loop: 0 … 1 */
	uint64_t lag_ms;    /* since its most delayed loop went round last; 0: it waits, or runs well */
	uint64_t worst_ms;  /* the largest lag seen in the last minute */
	bool is_hidden;     /* it may have loops and pools, and we may not look */
};

#define INSIDE_UNKNOWN                                                                \
	{                                                                             \
		UINT64_MAX, UINT64_MAX, UINT64_MAX, -1, UINT64_MAX, UINT64_MAX, false \
	}

/* Those of one more process into the sum. */
void inside_add(struct inside *sum, const struct inside *one);

/* One event loop; each belongs to a thread. */
struct loop_report {
	int32_t tid;
	bool is_main;         /* of the main thread */
	double utilisation;   /* since the reading before; below 0: this is the first one */
	double iterations;    /* a second */
	uint64_t lag_ms;      /* now */
	uint64_t worst_ms;    /* in the last minute */
	uint64_t handles;     /* active */
	uint64_t requests;    /* active */
	uint64_t undelivered; /* done by a worker, and their callbacks have not been called */
};

enum pool_kind { POOL_LIBUV,
	POOL_THRUM, /* of a program that links libthrum, as it says itself */
	POOL_KIND_COUNT };
const char *pool_kind_name(enum pool_kind kind);

/* What is queued in libuv's pool. */
enum work_kind { WORK_FS,
	WORK_DNS,
	WORK_RANDOM,
	WORK_OTHER, /* of uv_queue_work: crypto, zlib, add-ons */
	WORK_KIND_COUNT };
const char *work_kind_name(enum work_kind kind);

struct pool_report {
	enum pool_kind kind;
	char name[INSIDE_NAME_SIZE]; /* or "" */
	uint64_t threads, busy, queued;
	uint64_t by_kind[WORK_KIND_COUNT];
	bool has_kinds;
	bool is_exact;                   /* else queued is the least that there are */
	char reason[INSIDE_REASON_SIZE]; /* why something is not known, or not exact; or "" */
};

/* A thread pool of a program that links libthrum, by all that its stats page tells. */
struct thread_pool {
	char name[INSIDE_NAME_SIZE];
	uint64_t threads, target, queue_max, busy, queued; /* UINT64_MAX: what it says cannot be */
	uint64_t submitted, completed, failed, cancelled;
	bool is_closed;               /* it takes nothing more */
	double wait_ms[3], run_ms[3]; /* below which are half, 95 % and 99 %; -1: nothing was timed */
	struct pool_bucket {
		double below_ms; /* and not below that of the bucket before */
		uint64_t waits, runs;
	} buckets[INSIDE_BUCKETS_MOST]; /* those with something in them */
	size_t bucket_count;
};

/* What is wished of one. */
struct thread_wish {
	const char *pool;
	enum { WISH_SIZE,
		WISH_CHANGE,
		WISH_DRAIN } kind;
	int64_t number; /* of threads, or by how many */
};

/* What a system call waits for. */
enum thread_wait { WAIT_OTHERWISE,
	WAIT_READ, /* these four on a descriptor */
	WAIT_WRITE,
	WAIT_ACCEPT,
	WAIT_CONNECT,
	WAIT_CHILD,
	WAIT_LOCK };

struct thread_report {
	int32_t tid;
	char name[16];
	char role[32];   /* "" when there is no telling */
	char state;      /* 'R' 'S' 'D' … */
	double cpu_pct;  /* of one core, since the reading before */
	uint64_t cpu_ns; /* since its start, as the next ones; not on the wire */
	uint64_t cpu_ms;
	uint64_t run_wait_ms;  /* that it stood in the queue for a processor */
	uint64_t switches;     /* from one thread to another */
	double switch_rate;    /* a second, since the reading before */
	int32_t last_cpu;      /* or -1 */
	char wchan[40];        /* or "" */
	char syscall[32];      /* "running" when it is in none; "" when it is not ours to know */
	enum thread_wait wait; /* not on the wire, as the next ones */
	uint64_t wait_on;      /* the descriptor, the child, or where the lock is */
	int32_t holder;        /* the thread that has the lock; 0: not known */
};

enum peer_transport { PEER_UNIX,
	PEER_TCP,
	PEER_PIPE,
	PEER_TRANSPORT_COUNT };
const char *peer_transport_name(enum peer_transport transport);

/* One conversation, as seen from the process that is looked at. */
struct peer_report {
	enum peer_transport transport;
	int32_t fd;                                             /* of ours */
	bool is_listening;                                      /* nobody yet: it waits for them at `local` */
	bool reads, writes;                                     /* of a pipe: which end is ours */
	int32_t pid;                                            /* who has the other end; 0: not known, or another machine */
	char process[16];                                       /* its name; or "" */
	char local[INSIDE_NAME_SIZE], remote[INSIDE_NAME_SIZE]; /* addresses or paths; or "" */
	uint64_t in_queued;                                     /* bytes, or connections when listening, that we have not taken */
	uint64_t out_queued;                                    /* bytes that the other has not taken */
	uint64_t in_bytes, out_bytes;                           /* of TCP since it was connected, as all that follows */
	double in_rate, out_rate;                               /* bytes a second, since the reading before */
	double rtt_ms;                                          /* there and back, as the kernel has it smoothed */
	uint64_t resent;                                        /* segments that had to be sent again */
	double resent_rate;                                     /* a second */
	uint64_t unanswered;                                    /* how often the oldest of them was sent again, in vain */
	uint64_t inode;                                         /* not on the wire */
};

/* Bytes. */
struct holding_memory {
	uint64_t rss, pss; /* pss: of what it shares with others, its part */
	uint64_t own;      /* that nobody else has */
	uint64_t swap;
};

/* One that it has open. */
struct file_report {
	int32_t fd;
	char kind[12];           /* "file" "pipe" … */
	char mode[4];            /* "r" "w" "rw"; or "" */
	uint64_t position, size; /* of a file */
	char name[INSIDE_REASON_SIZE];
};

/* All that one look at a process brings. Zeroed is empty. */
struct study {
	int32_t pid;
	char process[INSIDE_NAME_SIZE];
	struct inside inside;
	struct loop_report *loops; /* owned, as the next ones */
	size_t loop_count;
	struct pool_report *pools;
	size_t pool_count;
	struct thread_report *threads;
	size_t thread_count;
	struct peer_report *peers;
	size_t peer_count;
	bool has_holdings; /* the following were asked for */
	struct holding_memory memory;
	struct file_report *files; /* owned */
	size_t file_count, files_left_out;
	struct growth growths[GROWTH_FIGURES]; /* of what it leaks */
	size_t growth_count;
	bool is_traced;                       /* that was looked for */
	char *findings[INSIDE_FINDINGS_MOST]; /* sentences */
	size_t finding_count;
};

void study_finish(struct study *study);
void study_find(struct study *study, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* What it leaks, and a sentence on each; once. ceilings: by figure. */
void study_trace(struct study *study, const struct trace *trace, const struct ceiling *ceilings);

/* The sums of what its loops and pools say. */
void study_sum(struct study *study);

#endif
