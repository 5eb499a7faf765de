/* Keys by the names that tmux has for them, and what a terminal sends for each. */
#ifndef CLI_KEYS_H
#define CLI_KEYS_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/*
 * Append what a key sends: "Enter", "C-c", "M-x", "S-Up", "F5", or any single character. False: that
 * is the name of no key, and nothing was appended.
 */
bool keys_append(struct text *out, const char *name);

/* A sequence of keys that is watched for in what is typed. */
struct key_watch {
	char keys[32];
	size_t size;    /* of keys */
	size_t matched; /* of these were typed, and are held back */
};

/* "C-] d", or "ctrl-p,ctrl-q" as docker has it. False: it is none. */
bool key_watch_init(struct key_watch *watch, const char *names);

/* Appends to out what is to be passed on. True: the sequence was typed; what follows it is dropped. */
bool key_watch_feed(struct key_watch *watch, const char *bytes, size_t size, struct text *out);

#endif
