#include "config/problem.h"

#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum {
	TEXT_MOST = 4096,
	SHOWN_WIDTH = 76, /* characters of a source line that are shown */
	NAME_MOST = 48,   /* longer names are not compared */
};

void problems_init(struct problems *problems)
{
	*problems = (struct problems){ 0 };
}

void problems_finish(struct problems *problems)
{
	for (unsigned i = 0; i < problems->count; i++)
		free(problems->texts[i]);
	*problems = (struct problems){ 0 };
}

static const char *find_line(const char *source, unsigned number)
{
	while (source && --number)
		if ((source = strchr(source, '\n')))
			source++;
	return source;
}

/* Byte offset of a character in a line of so many bytes. */
static size_t offset_of(const char *line, size_t size, unsigned characters)
{
	size_t at = 0;
	uint32_t ignored;

	while (characters-- && at < size)
		at += utf8_decode(line + at, size - at, &ignored);
	return at;
}

/* Long lines are cut around the caret. */
static void show_line(struct text *out, struct position at)
{
	const char *line = at.line ? find_line(at.source, at.line) : NULL;

	if (!line)
		return;
	size_t size = strcspn(line, "\n");
	unsigned column = at.column ? at.column - 1 : 0;
	unsigned skipped = column > SHOWN_WIDTH - 20 ? column - SHOWN_WIDTH / 2 : 0;
	size_t from = offset_of(line, size, skipped);
	size_t to = from + offset_of(line + from, size - from, SHOWN_WIDTH);
	struct text before;

	text_puts(out, "    ");
	utf8_append_safe(out, line + from, to - from, false);
	text_init(&before, TEXT_MOST);
	utf8_append_safe(
		&before, line + from, offset_of(line + from, size - from, column - skipped), false);
	text_puts(out, "\n    ");
	for (size_t i = 0; i < before.size; i++)
		if (((unsigned char)before.data[i] & 0xc0) != 0x80)
			text_putc(out, ' ');
	text_puts(out, "^\n");
	text_finish(&before);
}

__attribute__((format(printf, 4, 0))) static void add(struct problems *problems, struct position at, const char *kind,
	const char *fmt, va_list args)
{
	struct text text;
	char message[512];

	if (problems->count == PROBLEMS_MOST)
		return;
	vsnprintf(message, sizeof message, fmt, args);
	text_init(&text, TEXT_MOST);
	if (at.file)
		utf8_append_safe(&text, at.file, strlen(at.file), false);
	if (at.line)
		text_format(&text, ":%u:%u", at.line, at.column);
	text_format(&text, "%s%s", at.file ? ": " : "", kind);
	utf8_append_safe(&text, message, strlen(message), false);
	text_putc(&text, '\n');
	show_line(&text, at);
	problems->texts[problems->count++] = text_take(&text);
}

bool problem_error(struct problems *problems, struct position at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(problems, at, "", fmt, args);
	va_end(args);
	problems->errors++;
	return false;
}

bool problem_warning(struct problems *problems, struct position at, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	add(problems, at, "warning: ", fmt, args);
	va_end(args);
	problems->warnings++;
	return false;
}

void problems_print(const struct problems *problems, struct text *out)
{
	unsigned all = problems->errors + problems->warnings;

	for (unsigned i = 0; i < problems->count; i++)
		text_puts(out, problems->texts[i]);
	if (all > problems->count)
		text_format(out, "and %u more\n", all - problems->count);
}

void problems_first(const struct problems *problems, int code, struct error *err)
{
	const char *text = problems->count ? problems->texts[0] : "";

	error_set(err, code, "%.*s", (int)strcspn(text, "\n"), text);
}

static unsigned least(unsigned a, unsigned b, unsigned c)
{
	unsigned ab = a < b ? a : b;

	return ab < c ? ab : c;
}

/* Levenshtein's distance: V. I. Levenshtein, Soviet Physics Doklady 10 (1966). */
static unsigned distance(const char *a, const char *b)
{
	unsigned row[NAME_MOST + 1];
	size_t width = strlen(b);

	for (unsigned i = 0; i <= width; i++)
		row[i] = i;
	for (unsigned i = 0; a[i]; i++) {
		unsigned diagonal = row[0];
		row[0] = i + 1;
		for (size_t k = 0; k < width; k++) {
			unsigned above = row[k + 1];
			row[k + 1] = least(above + 1, row[k] + 1, diagonal + (a[i] != b[k]));
			diagonal = above;
		}
	}
	return row[width];
}

const char *problem_nearest(const char *name, const char *const *known)
{
	size_t length = strlen(name);
	unsigned best = (unsigned)(length < 3 ? 1 : length / 3) + 1;
	const char *nearest = NULL;

	if (length > NAME_MOST)
		return NULL;
	for (; *known; known++) {
		unsigned found = strlen(*known) > NAME_MOST ? best : distance(name, *known);
		if (found < best) {
			best = found;
			nearest = *known;
		}
	}
	return nearest;
}
