/*
 * A line of a log as it stands on a terminal when it is over: what was written over with CR, backspace or the moves and
 * erasures of progress bars is as it was left, and a screen that was cleared is said to be. Anything else is as
 * utf8_append_safe has it.
 */
#ifndef BASE_LINE_H
#define BASE_LINE_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

bool line_append_safe(struct text *out, const char *bytes, size_t size, bool keep_colour);

#endif
