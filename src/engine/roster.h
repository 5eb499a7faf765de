/*
 * Who runs, in a file of the project's runtime folder: what a later run must know to take processes
 * over whose keeper and engine were killed together. A row for each seat, written when its process is there
 * and when it is not. Nothing is lost without it but that. Loop thread only.
 */
#ifndef ENGINE_ROSTER_H
#define ENGINE_ROSTER_H

#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "model/instance.h"

struct engine;
struct member;

struct roster {
	char *path; /* owned */
	int fd;     /* -1: there is none */
};

struct roster_row {
	int32_t pid; /* 0: no process */
	uint32_t index, life, serial;
	uint32_t is_ready;
	/* CLOCK_BOOTTIME: this pid was ours from somewhere between them on: whoever has it and began then is it */
	uint64_t after_us, before_us;
	struct restart_counts restarts;
	char launched_as[DIGEST_SIZE];
	char service[64];
};

/* A former run, as it left it. */
struct former {
	int32_t origin_pid; /* in the marks of its processes; 0: there was none, or nothing is known of it */
	uint64_t origin_us;
	struct roster_row *rows; /* owned */
	uint32_t count;
};

/* What a former run of this boot left; false when it left nothing. */
bool roster_read_former(const struct roster *roster, struct former *former);
void former_finish(struct former *former);

/* Begin another one beside it, which takes its place with roster_replace(): until then the former one holds. */
void roster_begin(struct engine *engine);
void roster_replace(struct roster *roster);
/* Go on with that of this run. */
void roster_resume(struct engine *engine);
/* Write down what has become of a member, if it is something else than before. */
void roster_note(struct engine *engine, struct member *member);
/* All is over: there is nobody to be found. */
void roster_remove(struct roster *roster);
void roster_close(struct roster *roster);

#endif
