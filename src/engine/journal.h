/*
 * The deaths of a project, one JSON line each, in $THRUM_STATE_DIR/PROJECT/history.jsonl. They
 * outlive the engine. At a size cap the older half moves to history.jsonl.1. Loop thread only.
 */
#ifndef ENGINE_JOURNAL_H
#define ENGINE_JOURNAL_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "engine/ledger.h"
#include "model/death.h"

struct journal {
	struct ledger ledger;
};

void journal_open(struct journal *journal, const char *dir);
void journal_close(struct journal *journal);

/* False, with err: not written; it may be tried again. */
bool journal_add(struct journal *journal, const char *service, unsigned instance,
	const struct death *death, struct error *err);

/* Is this very death the newest of its instance? After a crash one may be written and not yet noted. */
bool journal_has(const struct journal *journal, const char *service, unsigned instance,
	const struct death *death);

/* Which deaths are meant. */
struct journal_query {
	size_t limit;        /* the newest so many */
	uint64_t since_us;   /* those that ended before are not meant; 0: all are */
	uint32_t life;       /* 0: any */
	uint64_t started_us; /* 0: any */
	bool (*is_wanted)(void *context, const char *service, unsigned instance);
	void *context;
};

/* A new array of them, oldest first. What is not a whole record is passed over. */
json_t *journal_read(const struct journal *journal, const struct journal_query *query);

/* The newest death of this life of this instance; started_us tells those of former runs apart. NULL: none. */
json_t *journal_find(const struct journal *journal, const char *service, unsigned instance,
	uint32_t life, uint64_t started_us);

#endif
