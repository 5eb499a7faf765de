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
#include "model/death.h"

struct journal {
	char *path; /* owned */
	int fd;     /* -1: could not be opened; then it is tried again */
};

void journal_open(struct journal *journal, const char *dir);
void journal_close(struct journal *journal);

/* False, with err: not written; it may be tried again. */
bool journal_add(struct journal *journal, const char *service, unsigned instance,
	const struct death *death, struct error *err);

/* Is this very death among the newest? After a crash one may be written and not yet noted. */
bool journal_has(struct journal *journal, const char *service, unsigned instance,
	const struct death *death);

/*
 * A new array of the newest deaths that is_wanted says yes to, oldest first, at most limit.
 * What is not a whole record is passed over.
 */
json_t *journal_read(struct journal *journal, size_t limit,
	bool (*is_wanted)(void *context, const char *service, unsigned instance), void *context);

#endif
