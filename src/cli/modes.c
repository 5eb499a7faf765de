#include "cli/modes.h"

#include <string.h>

#include "base/utf8.h"

enum { ESC = 0x1b };

/* DEC private modes: switched by ESC [ ? number h or l. */
static const struct {
	unsigned number;
	bool is_on; /* as it comes */
	bool is_full_screen;
} known[] = {
	{ 1049, false, true }, /* the alternate screen: entered first, left last */
	{ 1047, false, true },
	{ 47, false, true },
	{ 1, false, false },    /* what the cursor keys send */
	{ 7, true, false },     /* wrap at the edge */
	{ 25, true, false },    /* a visible cursor */
	{ 1000, false, false }, /* the mouse */
	{ 1002, false, false },
	{ 1003, false, false },
	{ 1004, false, false }, /* focus */
	{ 1005, false, false }, /* how the mouse is told */
	{ 1006, false, false },
	{ 1015, false, false },
	{ 2004, false, false }, /* pastes in brackets */
};
enum { KNOWN = sizeof known / sizeof *known };

static void switch_mode(struct modes *modes, unsigned number, bool is_on)
{
	for (unsigned i = 0; i < KNOWN; i++) {
		if (known[i].number != number)
			continue;
		modes->changed &= ~(1u << i);
		modes->changed |= (uint32_t)(known[i].is_on != is_on) << i;
	}
}

static void end_sequence(struct modes *modes, char final)
{
	if (final == 'h' || final == 'l')
		for (unsigned i = 0; i < modes->count && i < MODES_PARAMETERS_MOST; i++)
			switch_mode(modes, modes->parameters[i], final == 'h');
	modes->state = 0;
}

static void take_parameter(struct modes *modes, char c)
{
	if (c == ';') {
		if (modes->count < MODES_PARAMETERS_MOST)
			modes->parameters[modes->count] = 0;
		modes->count += modes->count <= MODES_PARAMETERS_MOST;
	} else if (c >= '0' && c <= '9') {
		unsigned last = modes->count - 1;
		if (last < MODES_PARAMETERS_MOST && modes->parameters[last] < 100000)
			modes->parameters[last] = modes->parameters[last] * 10 + (unsigned)(c - '0');
	} else {
		end_sequence(modes, c);
	}
}

static void take_escaped(struct modes *modes, char c)
{
	modes->state = c == '[' ? '[' : 0;
	if (c == '=' || c == '>')
		modes->has_keypad = c == '=';
	if (c == 'c') /* all as it comes */
		*modes = (struct modes){ 0 };
}

void modes_feed(struct modes *modes, const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		char c = bytes[i];
		if (c == ESC) {
			modes->state = ESC;
		} else if (modes->state == ESC) {
			take_escaped(modes, c);
		} else if (modes->state == '[') {
			modes->state = c == '?' ? '?' : 0;
			modes->count = 1;
			modes->parameters[0] = 0;
		} else if (modes->state == '?') {
			take_parameter(modes, c);
		}
	}
}

bool modes_is_full_screen(const struct modes *modes)
{
	for (unsigned i = 0; i < KNOWN; i++)
		if (known[i].is_full_screen && modes->changed >> i & 1)
			return true;
	return false;
}

static void append_switch(const struct modes *modes, unsigned i, bool is_leaving, struct text *out)
{
	if (modes->changed >> i & 1)
		text_format(out, "\033[?%u%c", known[i].number, known[i].is_on != is_leaving ? 'l' : 'h');
}

void modes_enter(const struct modes *modes, struct text *out)
{
	for (unsigned i = 0; i < KNOWN; i++)
		append_switch(modes, i, false, out);
	if (modes->has_keypad)
		text_puts(out, "\033=");
}

void modes_leave(const struct modes *modes, struct text *out)
{
	text_puts(out, modes->has_keypad ? "\033[0m\033>" : "\033[0m");
	for (unsigned i = KNOWN; i-- > 0;)
		append_switch(modes, i, true, out);
}

static bool moves_in_line(char c)
{
	return c == '\r' || c == '\n' || c == '\b' || c == '\t';
}

void screenful_append(struct text *out, const char *bytes, size_t size, unsigned lines)
{
	size_t from = size;

	while (from > 0 && (bytes[from - 1] != '\n' || lines-- > 1))
		from--;
	for (size_t end; from < size; from = end) {
		for (end = from; end < size && !moves_in_line(bytes[end]);)
			end++;
		utf8_append_safe(out, bytes + from, end - from, true);
		for (; end < size && moves_in_line(bytes[end]); end++)
			text_putc(out, bytes[end]);
	}
}
