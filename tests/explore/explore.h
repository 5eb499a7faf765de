/*
 * Runs a scenario of a few threads under every interleaving of their atomic operations, as far as some bounds go; what they
 * do is the library's own code, compiled with instrument.h before it, which makes each operation a point where another thread
 * may go on. All of it happens in one thread of the system, so that a run can be repeated, choice by choice.
 *
 * Beyond interleavings, a store that is not sequentially consistent may be seen late: after what the thread reads then, and, if it
 * is a relaxed one, after what it writes then. Loads are not reordered; for those, and for memory that is not atomic, there is
 * ThreadSanitizer.
 *
 * A thread that goes round and waits (thrum__relax, sched_yield) lets others go on until one of them has written something.
 */
#ifndef EXPLORE_EXPLORE_H
#define EXPLORE_EXPLORE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum explore_kind {
	EXPLORE_LOAD,
	EXPLORE_STORE,
	EXPLORE_CHANGE, /* read, modify and write in one step */
	EXPLORE_WAIT,
	EXPLORE_WAKE,
	EXPLORE_LOCK,
	EXPLORE_KINDS
};

/* A place in the code: one for each operation that is written there. */
struct explore_site {
	const char *function;
	enum explore_kind kind;
	int line;
	unsigned number; /* 0: not reached yet */
	bool shared;     /* more than one thread comes to what it works on */
	bool to_share;   /* so from the next pass on */
	struct explore_site *next;
};

/* Faults that can be planted, to see that they are found. */
enum explore_fault {
	EXPLORE_NONE,
	EXPLORE_WEAKEN, /* its order is relaxed */
	EXPLORE_TEAR,   /* what is one step becomes two */
	EXPLORE_DROP,   /* it wakes nobody */
	EXPLORE_BLIND   /* it sleeps without looking */
};

/* In which operations: those of that kind in that function. */
struct explore_plant {
	enum explore_fault fault;
	enum explore_kind kind;
	const char *function;
};

struct explore_bounds {
	unsigned preemptions; /* how often a thread that could go on does not */
	unsigned delays;      /* how many stores are seen late */
};

typedef void explore_scenario(void);

/*
 * All runs of the scenario: how many there were; 0 if one of them went wrong, of which explore_story() tells then.
 * plant may be NULL. After a failure this process can explore nothing more.
 */
unsigned long explore_run(explore_scenario *scenario, struct explore_bounds bounds, const struct explore_plant *plant);
const char *explore_story(void);

/* Sites that were reached so far. */
const struct explore_site *explore_sites(void);
/* Whether a fault of this kind can be planted there. */
bool explore_can_plant(enum explore_fault fault, enum explore_kind kind);

/* -- For scenarios -- */

/* Another thread; which one. */
unsigned explore_start(void *(*work)(void *), void *data);
int explore_join(unsigned thread);
/* What must hold always. */
#define explore_claim(truth) explore_judge(truth, #truth, __LINE__)
void explore_judge(bool truth, const char *claim, int line);
/* Until the condition is true. */
void explore_until(bool (*is_true)(void *), void *data);

/*
 * For the first thread: others go on until all of them wait; and what happens from then on is explored, or not, as what
 * leads to a state or what cleans up. At first it is.
 */
void explore_look(bool at_this);

/* -- For instrument.h: what returns int is as pthread's -- */

enum explore_change {
	CHANGE_ADD,
	CHANGE_SUB,
	CHANGE_AND,
	CHANGE_OR,
	CHANGE_XOR,
	CHANGE_EXCHANGE
};

uint64_t explore_load(struct explore_site *site, const volatile void *at, size_t size);
void explore_store(struct explore_site *site, volatile void *at, size_t size, uint64_t value, int order);
uint64_t explore_change(struct explore_site *site, volatile void *at, size_t size, enum explore_change change, uint64_t operand, int order);
bool explore_compare(struct explore_site *site, volatile void *at, size_t size, void *expected, uint64_t desired, int order);
void explore_fence(void);
int explore_futex_wait(struct explore_site *site, const volatile void *word, uint32_t value, uint64_t deadline_ns);
int explore_futex_wake(struct explore_site *site, const volatile void *word, int count);
void explore_relax(void);
void explore_free(void *block);
uint64_t explore_now_ns(void);
int explore_lock(struct explore_site *site, void *mutex);
int explore_unlock(void *mutex);
/* How a condition variable waits: its own word, and the mutex. */
int explore_condition_wait(struct explore_site *site, void *condition, void *mutex, uint64_t deadline_ns);
void explore_condition_wake(struct explore_site *site, void *condition, int count);
_Noreturn void explore_exit(void);

struct explore_cleanup {
	void (*work)(void *);
	void *data;
	struct explore_cleanup *outer;
};
void explore_cleanup_push(struct explore_cleanup *cleanup);
void explore_cleanup_pop(bool runs);

#endif
