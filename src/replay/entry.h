/*
 * One record of headless output (`--format json`), read back. What is no such record is none: it may have been cut,
 * or come from somewhere else.
 */
#ifndef REPLAY_ENTRY_H
#define REPLAY_ENTRY_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum entry_kind { ENTRY_LOG,
	ENTRY_EVENT,
	ENTRY_SAMPLE,
	ENTRY_IPC,
	ENTRY_KINDS };

#define ENTRY_ALL ((1u << ENTRY_KINDS) - 1)

struct entry {
	enum entry_kind kind;
	uint64_t ts_us;
	char service[64]; /* "": of the engine itself */
	unsigned instance;
	int32_t pid;
	bool is_err;      /* of a log, as the next two: what was written, without the end of the line */
	const char *text; /* borrowed: from the line, or from spare */
	size_t size;
	json_t *json; /* owned; of all others */
	struct text spare;
};

enum entry_found { ENTRY_NONE, /* it is no record */
	ENTRY_OTHER,           /* it is one, of a kind that is not wanted */
	ENTRY_FOUND };

void entry_init(struct entry *entry);
void entry_finish(struct entry *entry);

/* kinds: a bit for each that is wanted. The others are told by a glance where that is possible. */
enum entry_found entry_read(struct entry *entry, const char *line, size_t size, unsigned kinds);

#endif
