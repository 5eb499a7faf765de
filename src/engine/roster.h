/*
 * Who runs, and how the others rest, in a file of the project's runtime folder: what a later run must know to go on where
 * a keeper and an engine were killed together. A row for each seat that ever had a process, written when that is there
 * and when it is not. Nothing is lost without it but that. Loop thread only.
 */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "engine/store.h"
#include "model/instance.h"
#include "procfs/stat.h"

struct engine;
struct member;

enum { ROSTER_VERSION = 2 };

struct roster {
	char *path; /* owned */
	int fd;     /* -1: there is none */
};

/* What is added comes at the end, and zero must mean what an older thrum, which did not write it, meant. */
struct roster_row {
	int32_t pid;   /* of its process; 0: it has none */
	uint32_t life; /* which one that is, or was the last */
	uint32_t index, serial;
	struct origin origin;                       /* … of that life */
	uint8_t state;                              /* of enum state; of one with a process RUNNING or READY */
	uint8_t wanted, has_death, death_unwritten; /* 0 or 1, as in struct instance */
	/* CLOCK_BOOTTIME: this pid was ours from somewhere between them on: whoever has it and began then is it */
	uint64_t after_us, before_us;
	uint64_t started_us; /* wall clock */
	struct restart_counts restarts;
	struct death death; /* the last one */
	char launched_as[DIGEST_SIZE];
	char service[64]; /* "": there is no row */
};

/* A former run, as it left it. */
struct former {
	int32_t keeper_pid;      /* its last one; 0: nothing is known of it */
	struct roster_row *rows; /* owned */
	uint32_t count;
};

/* What a former run of this boot left; false when it left nothing. */
bool roster_read_former(const struct roster *roster, struct former *former);
void former_finish(struct former *former);

/* Is this its process, and not another one that was given its pid since? */
bool roster_is(const struct roster_row *row, const struct proc_stat *stat);

/* Begin another one beside it, which takes its place with roster_replace(): until then the former one holds. */
void roster_begin(struct engine *engine);
void roster_replace(struct roster *roster);
/* Go on with that of this run; false: there is none that this thrum can go on with. */
bool roster_resume(struct engine *engine);
/* Another engine has written a row of it: it is written again, whatever it says, with the next change. */
void roster_know(struct member *member);
/* Write down what has become of a member, if it is something else than before. */
void roster_note(struct engine *engine, struct member *member);
/* Its place is another's from now on. */
void roster_forget(struct engine *engine, const struct member *member);
/* All is over: there is nobody to be found. */
void roster_remove(struct roster *roster);
void roster_close(struct roster *roster);

#endif
