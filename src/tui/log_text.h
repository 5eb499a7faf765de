/*
 * A line of a log as it is drawn: text that is safe to show, and among it the colours (SGR) that utf8_append_safe has
 * left in it, which are taken out here. Pure.
 */
#ifndef TUI_LOG_TEXT_H
#define TUI_LOG_TEXT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/grid.h"

/* Is it shown as it is: nothing but printable ASCII? */
bool log_text_is_plain(const char *bytes, size_t size);

/* How it looks after these parameters of an SGR sequence ("1;31"). */
struct paint log_text_paint(struct paint before, const char *parameters, size_t size);

/* The character at *text, with what was said before it; *text is moved beyond. 0: the end. */
uint32_t log_text_next(const char **text, struct paint *paint);

/* Columns that it takes, and rows when it is wrapped. */
int log_text_width(const char *text);
int log_text_rows(const char *text, int width);

#endif
