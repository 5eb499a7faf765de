#include "base/utf8.h"

#include <string.h>

enum { ESC = 0x1b,
	BEL = 0x07,
	SGR_MOST = 32 };

struct range {
	uint32_t first, last;
};

/* Sorted. C1, soft hyphen, bidi controls, all format characters, tags, non-characters. */
static const struct range unsafe[] = {
	{ 0x80, 0x9f },
	{ 0xad, 0xad },
	{ 0x600, 0x605 },
	{ 0x61c, 0x61c },
	{ 0x6dd, 0x6dd },
	{ 0x70f, 0x70f },
	{ 0x890, 0x891 },
	{ 0x8e2, 0x8e2 },
	{ 0x180e, 0x180e },
	{ 0x200b, 0x200f },
	{ 0x2028, 0x202e },
	{ 0x2060, 0x206f },
	{ 0xfe00, 0xfe0f },
	{ 0xfeff, 0xfeff },
	{ 0xfff0, 0xfffb },
	{ 0xfffe, 0xffff },
	{ 0x110bd, 0x110bd },
	{ 0x110cd, 0x110cd },
	{ 0x13430, 0x1343f },
	{ 0x1bca0, 0x1bca3 },
	{ 0x1d173, 0x1d17a },
	{ 0xe0000, 0xe0fff },
};

/* Sorted. They choose or join pictures: without them the pictures are still there, and terminals do not agree on the rest. */
static const struct range joining[] = {
	{ 0x200d, 0x200d },
	{ 0xfe00, 0xfe0f },
};

/* Sorted. Marks that sit on the character before them (the common blocks). */
static const struct range combining[] = {
	{ 0x300, 0x36f },
	{ 0x483, 0x489 },
	{ 0x591, 0x5bd },
	{ 0x610, 0x61a },
	{ 0x64b, 0x65f },
	{ 0x6d6, 0x6dc },
	{ 0x900, 0x902 },
	{ 0x93c, 0x93c },
	{ 0x941, 0x948 },
	{ 0xe31, 0xe31 },
	{ 0xe34, 0xe3a },
	{ 0xe47, 0xe4e },
	{ 0x1ab0, 0x1aff },
	{ 0x1dc0, 0x1dff },
	{ 0x20d0, 0x20ff },
	{ 0xfe20, 0xfe2f },
};

/* Sorted. East Asian wide and emoji. */
static const struct range wide[] = {
	{ 0x1100, 0x115f },
	{ 0x231a, 0x231b },
	{ 0x2329, 0x232a },
	{ 0x23e9, 0x23ec },
	{ 0x25fd, 0x25fe },
	{ 0x2614, 0x2615 },
	{ 0x26a1, 0x26a1 },
	{ 0x26bd, 0x26be },
	{ 0x2705, 0x2705 },
	{ 0x270a, 0x270b },
	{ 0x2728, 0x2728 },
	{ 0x274c, 0x274c },
	{ 0x2753, 0x2755 },
	{ 0x2757, 0x2757 },
	{ 0x2795, 0x2797 },
	{ 0x2b1b, 0x2b1c },
	{ 0x2b50, 0x2b50 },
	{ 0x2e80, 0x303e },
	{ 0x3041, 0x33ff },
	{ 0x3400, 0x4dbf },
	{ 0x4e00, 0x9fff },
	{ 0xa000, 0xa4cf },
	{ 0xac00, 0xd7a3 },
	{ 0xf900, 0xfaff },
	{ 0xfe30, 0xfe6f },
	{ 0xff00, 0xff60 },
	{ 0xffe0, 0xffe6 },
	{ 0x1f004, 0x1f004 },
	{ 0x1f0cf, 0x1f0cf },
	{ 0x1f18e, 0x1f18e },
	{ 0x1f191, 0x1f19a },
	{ 0x1f200, 0x1f320 },
	{ 0x1f32d, 0x1f335 },
	{ 0x1f337, 0x1f37c },
	{ 0x1f37e, 0x1f393 },
	{ 0x1f3a0, 0x1f3ca },
	{ 0x1f3cf, 0x1f3d3 },
	{ 0x1f3e0, 0x1f3f0 },
	{ 0x1f3f8, 0x1f43e },
	{ 0x1f440, 0x1f440 },
	{ 0x1f442, 0x1f4fc },
	{ 0x1f4ff, 0x1f53d },
	{ 0x1f54b, 0x1f54e },
	{ 0x1f550, 0x1f567 },
	{ 0x1f5fb, 0x1f64f },
	{ 0x1f680, 0x1f6c5 },
	{ 0x1f6eb, 0x1f6ec },
	{ 0x1f6f4, 0x1f6fc },
	{ 0x1f7e0, 0x1f7eb },
	{ 0x1f90c, 0x1f9ff },
	{ 0x1fa70, 0x1faff },
	{ 0x20000, 0x3fffd },
};

#define IS_IN(table, c) is_in(table, sizeof table / sizeof *table, c)

static bool is_in(const struct range *table, size_t count, uint32_t c)
{
	size_t low = 0, high = count;

	while (low < high) {
		size_t middle = (low + high) / 2;
		if (c > table[middle].last)
			low = middle + 1;
		else if (c < table[middle].first)
			high = middle;
		else
			return true;
	}
	return false;
}

static bool is_continuation(const char *bytes, size_t size, size_t at)
{
	return at < size && ((unsigned char)bytes[at] & 0xc0) == 0x80;
}

size_t utf8_decode(const char *bytes, size_t size, uint32_t *character)
{
	static const uint32_t least[] = { 0, 0, 0x80, 0x800, 0x10000 };
	unsigned char first = (unsigned char)bytes[0];
	size_t length = first < 0x80 ? 1 : first < 0xc2 ? 0
				   : first < 0xe0       ? 2
				   : first < 0xf0       ? 3
				   : first < 0xf5       ? 4
							: 0;
	uint32_t c = length == 1 ? first : first & (0x7fu >> length);

	*character = UTF8_BAD;
	if (!length)
		return 1;
	for (size_t i = 1; i < length; i++) {
		if (!is_continuation(bytes, size, i))
			return 1;
		c = c << 6 | ((unsigned char)bytes[i] & 0x3f);
	}
	if (c < least[length] || c > 0x10ffff || (c >= 0xd800 && c <= 0xdfff))
		return 1;
	*character = c;
	return length;
}

size_t utf8_encode(char out[4], uint32_t c)
{
	if (c < 0x80) {
		out[0] = (char)c;
		return 1;
	}
	if (c < 0x800) {
		out[0] = (char)(0xc0 | c >> 6);
		out[1] = (char)(0x80 | (c & 0x3f));
		return 2;
	}
	if (c < 0x10000) {
		out[0] = (char)(0xe0 | c >> 12);
		out[1] = (char)(0x80 | (c >> 6 & 0x3f));
		out[2] = (char)(0x80 | (c & 0x3f));
		return 3;
	}
	out[0] = (char)(0xf0 | c >> 18);
	out[1] = (char)(0x80 | (c >> 12 & 0x3f));
	out[2] = (char)(0x80 | (c >> 6 & 0x3f));
	out[3] = (char)(0x80 | (c & 0x3f));
	return 4;
}

static bool is_malformed(const char *bytes, size_t size, size_t *taken)
{
	uint32_t c;

	*taken = utf8_decode(bytes, size, &c);
	return c == UTF8_BAD && *taken == 1;
}

bool utf8_is_valid(const char *bytes, size_t size)
{
	size_t taken;

	for (size_t i = 0; i < size; i += taken)
		if (is_malformed(bytes + i, size - i, &taken))
			return false;
	return true;
}

unsigned utf8_width(uint32_t c)
{
	if (c < 0x300)
		return 1;
	if (IS_IN(combining, c))
		return 0;
	return IS_IN(wide, c) ? 2 : 1;
}

static bool put_character(struct text *out, uint32_t c)
{
	char encoded[4];

	return text_append(out, encoded, utf8_encode(encoded, c));
}

bool utf8_append_valid(struct text *out, const char *bytes, size_t size)
{
	size_t clean = 0, taken;

	for (size_t i = 0; i < size; i += taken) {
		if (!is_malformed(bytes + i, size - i, &taken))
			continue;
		if (!text_append(out, bytes + clean, i - clean) || !put_character(out, UTF8_BAD))
			return false;
		clean = i + 1;
	}
	return text_append(out, bytes + clean, size - clean);
}

/* Bytes of the control string that begins after an ESC or its 8-bit twin. */
static size_t skip_string(const char *bytes, size_t size)
{
	for (size_t i = 0; i < size; i++) {
		if (bytes[i] == BEL || bytes[i] == 0x18 || bytes[i] == 0x1a)
			return i + 1;
		if (bytes[i] == ESC)
			return i + 1 < size && bytes[i + 1] == '\\' ? i + 2 : i;
	}
	return size;
}

bool utf8_is_sgr(const struct utf8_piece *piece)
{
	for (size_t i = 0; i < piece->parameters_size; i++)
		if (!strchr("0123456789;:", piece->parameters[i]) || !piece->parameters[i])
			return false;
	return piece->character == 'm' && piece->parameters_size < SGR_MOST;
}

static size_t take_csi(const char *bytes, size_t size, struct utf8_piece *piece)
{
	size_t end = 0;

	while (end < size && (unsigned char)bytes[end] >= 0x20 && (unsigned char)bytes[end] < 0x40)
		end++;
	if (end == size || (unsigned char)bytes[end] < 0x40 || (unsigned char)bytes[end] > 0x7e)
		return end;
	*piece = (struct utf8_piece){ UTF8_CSI, (unsigned char)bytes[end], bytes, end };
	return end + 1;
}

/* What follows an ESC; returns the bytes it covers. */
static size_t take_escape(const char *bytes, size_t size, struct utf8_piece *piece)
{
	size_t end = 0;

	piece->kind = UTF8_NOTHING;
	if (!size)
		return 0;
	if (bytes[0] == '[')
		return 1 + take_csi(bytes + 1, size - 1, piece);
	if (strchr("]PX^_", bytes[0]) && bytes[0])
		return 1 + skip_string(bytes + 1, size - 1);
	while (end < size && bytes[end] >= 0x20 && bytes[end] <= 0x2f)
		end++;
	if (end < size && bytes[end] >= 0x30 && bytes[end] < 0x7f)
		end++;
	return end;
}

size_t utf8_next(const char *bytes, size_t size, struct utf8_piece *piece)
{
	*piece = (struct utf8_piece){ .kind = UTF8_CHARACTER };
	size_t taken = utf8_decode(bytes, size, &piece->character);
	uint32_t c = piece->character;

	if (c == ESC)
		return taken + take_escape(bytes + taken, size - taken, piece);
	if (c < 0x20 || c == 0x7f)
		piece->kind = UTF8_CONTROL;
	else if (IS_IN(joining, c))
		piece->kind = UTF8_NOTHING;
	else if (IS_IN(unsafe, c) || (c & 0xfffe) == 0xfffe)
		piece->character = UTF8_BAD;
	return taken;
}

static void put_sgr(struct text *out, const struct utf8_piece *piece)
{
	text_puts(out, "\033[");
	text_append(out, piece->parameters, piece->parameters_size);
	text_putc(out, 'm');
}

/* Returns the column after it. */
static size_t put_control(struct text *out, char c, size_t column)
{
	if (c != '\t') {
		text_putc(out, '^');
		text_putc(out, (char)(c ^ 0x40));
		return column + 2;
	}
	do
		text_putc(out, ' ');
	while (++column % UTF8_TAB_STOP);
	return column;
}

bool utf8_append_safe(struct text *out, const char *bytes, size_t size, bool keep_colour)
{
	size_t column = 0, marks = 0;
	struct utf8_piece piece;

	for (size_t i = 0; i < size;) {
		i += utf8_next(bytes + i, size - i, &piece);
		if (piece.kind == UTF8_CSI && keep_colour && utf8_is_sgr(&piece)) {
			put_sgr(out, &piece);
		} else if (piece.kind == UTF8_CONTROL) {
			if (piece.character == '\r' && i == size)
				break; /* CR LF */
			column = put_control(out, (char)piece.character, column);
		} else if (piece.kind == UTF8_CHARACTER) {
			unsigned width = utf8_width(piece.character);
			marks = width ? 0 : marks + 1;
			if (marks <= UTF8_MARKS_MOST)
				put_character(out, piece.character);
			column += width;
		}
	}
	return !out->full;
}

void utf8_excerpt(char *out, size_t room, const char *bytes, size_t size)
{
	struct text text;

	text_init(&text, room - 1);
	utf8_append_safe(&text, bytes, size < room ? size : room, false);
	memcpy(out, text_string(&text), text.size + 1);
	text_finish(&text);
}
