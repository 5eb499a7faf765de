/* A command written as one string: plain words, or something for the shell? */
#ifndef MODEL_COMMAND_H
#define MODEL_COMMAND_H

#include <stdbool.h>

#include "base/text.h"
#include "model/spec.h"

enum command_kind {
	COMMAND_EMPTY,
	COMMAND_WORDS,   /* words and quotes: run directly */
	COMMAND_SHELL,   /* something in it only a shell understands */
	COMMAND_UNENDED, /* a quote has no end */
};

/* As make decides it. For COMMAND_WORDS the words are appended to words. */
enum command_kind command_split(const char *command, struct strings *words);

/* A word as it is written to be one again: in quotes where it must be. */
void command_quote(struct text *out, const char *word);

#endif
