/*
 * A file of lines that is only appended to. One that has reached its size is put aside as NAME.1, in
 * place of the one before: so there are two of that size at the most, and the oldest lines go first.
 * Room for more is kept ready on the disk: it may be full when there is something to write. Loop thread only.
 */
#ifndef ENGINE_LEDGER_H
#define ENGINE_LEDGER_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>

#include "base/error.h"

struct ledger {
	char *path; /* owned */
	size_t most;
	off_t reserved; /* the file has room on the disk up to here */
	int fd;         /* -1: could not be opened; then it is tried again */
};

void ledger_open(struct ledger *ledger, const char *dir, const char *name, size_t most);
void ledger_close(struct ledger *ledger);

/* The line has no newline in it. False, with err: not written; it may be tried again. */
bool ledger_add(struct ledger *ledger, const char *line, struct error *err);

/* From the newest line backwards, until take says false. What was half written comes too. */
void ledger_read(const struct ledger *ledger,
	bool (*take)(void *context, const char *line, size_t size), void *context);

#endif
