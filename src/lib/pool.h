/* What the files of the thread pool share: pool.c (its life), submit.c, task.c, worker.c (its threads). */
#ifndef LIB_POOL_H
#define LIB_POOL_H

#include <pthread.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdbool.h>
#include <thrum.h>
#include "lib/claim.h"
#include "lib/crew.h"
#include "lib/park.h"
#include "lib/ring.h"
#include "lib/stats.h"

enum task_state {
	TASK_IDLE, /* answered, or never submitted */
	TASK_SUBMITTED,
	TASK_AWAITED /* and a thread sleeps until it is answered */
};

enum {
	SHORT_TIMING = 16 /* one task in so many is timed, of those that are short */
};

/* A place for a thread. It is the pool's until the pool ends; threads come and go. */
struct worker {
	struct thrum_pool *pool;
	struct stats_worker *figures;
	struct thrum_task *task; /* that it is at */
	unsigned index;
	unsigned picks;
	unsigned looks;       /* for a claim that does not move */
	uint64_t suspect;     /* the claim that was seen then */
	bool searching;       /* counted so in the crew's word */
	bool has_former;      /* former is to be joined by the next one */
	_Atomic bool present; /* a thread is there, or is about to be */
	pthread_t thread, former;
};

struct thrum_pool {
	/* Seldom changed */
	struct ring rings[STATS_PRIORITIES]; /* by urgency: [0] is taken first */
	struct stats_pool *figures;          /* borrowed from the page */
	_Atomic bool ready;                  /* a monitor's wishes are listened to */
	_Atomic uint32_t target;             /* threads that are wanted */
	_Atomic uint32_t timing;             /* one task in so many is timed, a power of two */
	enum thrum_pool_full when_full;
	unsigned index; /* in the page */
	size_t stack_size;
	char name[STATS_NAME_SIZE];

	alignas(STATS_LINE) struct crew crew;

	alignas(STATS_LINE) pthread_mutex_t mutex; /* for what follows, and who comes and goes */
	struct worker **workers;                   /* owned; STATS_THREADS_MOST places, of which worker_count were ever filled */
	_Atomic unsigned worker_count;             /* a place is filled before it is counted */
	_Atomic uint32_t present;                  /* threads that there are; a futex for who waits until there is none */
	bool missing;                              /* a thread could not be made */
	bool closed;
	_Atomic uint32_t guests; /* threads that wait in a submission */
	struct thrum_pool *next; /* of the process's pools, in page.c */
};

/* -- worker.c -- */

/* The thread's place, if this thread is one of a pool's. */
struct worker *thrum__worker_current(void);
/* Starts a thread in this place. The mutex is held. 0, or a negative errno value. */
int thrum__worker_start(struct worker *worker);
/* Runs a task in this thread of the pool, within the one that it is at if there is one, and answers. */
void thrum__worker_run(struct worker *worker, struct thrum_task *task);
/* Takes one task out of the queues, or what was removed from them (NULL); false if there is none. worker: who it is for; NULL: none. */
bool thrum__pool_take(struct thrum_pool *pool, struct worker *worker, struct thrum_task **task);
/* Whether it was closed and all was taken. */
bool thrum__pool_is_over(const struct thrum_pool *pool);

/* -- task.c -- */

/* Writes down the result and tells whoever waits. The task is not the library's any more. */
void thrum__task_answer(struct thrum_task *task, int result);
/* Runs it in a thread that is not the pool's, and answers. */
void thrum__task_run_here(struct thrum_pool *pool, struct thrum_task *task);
/* Answers it without having run it. */
void thrum__task_drop(struct thrum_pool *pool, struct thrum_task *task, int result);
struct ring *thrum__pool_ring(struct thrum_pool *pool, enum thrum_priority priority);

/* -- pool.c, for page.c -- */

/* Does what a monitor wished, and what was left to do; whether it is to be asked again soon. */
bool thrum__pool_attend(struct thrum_pool *pool);

#endif
