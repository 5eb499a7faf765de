/*
 * A file of headless output (`thrum up --headless --format json`), looked through once: where in it which time is, and
 * how everything stood there. What is asked of it later is read from the file again, a few blocks at a time, so that
 * it may be larger than memory. Everything that is kept is bounded. One thread.
 */
#ifndef REPLAY_RECORDING_H
#define REPLAY_RECORDING_H

#include "base/error.h"
#include "replay/entry.h"
#include "replay/reel.h"
#include "replay/standing.h"

enum {
	RECORDING_BLOCK_LEAST = 256 * 1024,
	RECORDING_BLOCK_MOST = 4 * 1024 * 1024,
	RECORDING_BLOCKS = 1024,                    /* as many, unless they would be too large or too small */
	RECORDING_INSTANCES = 2048,                 /* more are left out */
	RECORDING_DEATHS = 1000,                    /* of each, the newest */
	RECORDING_STANDINGS_MOST = 64 * 1024 * 1024 /* bytes; there are fewer places where all is known then */
};

/* So much of a log lies before this block. */
struct recording_run {
	uint32_t block;
	uint64_t offset; /* in the log */
};

struct recording_stream {
	uint64_t end;
	struct recording_run *runs; /* owned; of the blocks that have some of it */
	size_t count;
	uint64_t resume, resume_at; /* where the last reading ended: in the log, and in the file */
};

struct recording_death {
	uint64_t offset; /* in the file */
	uint64_t peak_rss;
	uint32_t life;
};

struct recording_member {
	struct standing standing;           /* at the end */
	struct recording_stream streams[2]; /* output, errors */
	struct recording_death *deaths;     /* owned; ring */
	unsigned death_count;               /* ever */
	uint64_t peak_rss;                  /* of the process that is there */
};

struct recording_block {
	uint64_t offset;           /* in the file; the last one ends with it */
	uint64_t last_us;          /* the latest time that is in it, or before it */
	uint32_t events, messages; /* in it; not all of them need be looked for in all blocks */
};

/* How all stood before a block. */
struct recording_place {
	uint32_t block;
	struct standing *standings; /* owned; of the first so many members */
	size_t count;
};

struct recording {
	int fd;
	uint64_t size; /* of the file, as far as it was looked through */
	uint64_t first_us, last_us;
	uint64_t entries, garbled, left_out;
	uint64_t garbled_at;            /* number of the first line that is no record */
	bool is_cut;                    /* the last line has no end */
	struct recording_block *blocks; /* owned */
	size_t block_count;
	struct recording_member *members; /* owned; in the order in which they came */
	size_t member_count;
	unsigned *order; /* owned; of the members by name */
	size_t last_found;
	struct recording_place *places; /* owned */
	size_t place_count, place_bytes;
	uint32_t stride; /* blocks between two of them */
	struct reel reel;
	struct entry entry; /* the one that was read last */
};

/* Called now and then while the file is looked through; false: enough. */
typedef bool recording_progress(void *context, uint64_t done, uint64_t all);

/* False: it cannot be read, or has no record in it; err says why. */
bool recording_open(struct recording *recording, const char *path, recording_progress *on_progress, void *context, struct error *err);
void recording_finish(struct recording *recording);

/* -1: there is none. */
int recording_find(struct recording *recording, const char *service, unsigned instance);

/* The block in which a moment ends: all before it is not later. And the one that has this place of the file. */
uint32_t recording_block_of(const struct recording *recording, uint64_t offset);
uint32_t recording_block_at(const struct recording *recording, uint64_t us);
/* One that begins this many bytes before another one, at the most. */
uint32_t recording_block_before(const struct recording *recording, uint32_t block, uint64_t bytes);
uint64_t recording_block_end(const struct recording *recording, uint32_t block);

/* How all stood before the newest place not behind a block: which one that is. standings have room for all members. */
uint32_t recording_recall(const struct recording *recording, uint32_t block, struct standing *standings);

/* From there on: the records of these kinds that begin before `end`, and where in the file; NULL: there is none. */
void recording_seek(struct recording *recording, uint64_t offset);
const struct entry *recording_next(struct recording *recording, uint64_t end, unsigned kinds, uint64_t *offset);

#endif
