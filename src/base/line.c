#include "base/line.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { COLUMNS_MOST = 16 * 1024,
	STYLE_MOST = 64,         /* bytes of the sequences that make one */
	STYLES_MOST = 64 * 1024, /* … and of all of them */
	ROOM_FIRST = 128 };

static const char cleared[] = "--- cleared --- ";

struct place {
	uint32_t character; /* 0: a wide one is before it */
	uint32_t marks[UTF8_MARKS_MOST];
	uint32_t style;
};

struct line {
	struct place *places; /* owned */
	size_t count, room, column;
	struct text styles; /* owned; strings, each with its end; a style is where its string begins, and 0 is none */
	uint32_t style;
};

/* Most lines are written once, from left to right. */
static bool is_moved_in(const char *bytes, size_t size)
{
	struct utf8_piece piece;

	for (size_t i = 0; i < size;) {
		i += utf8_next(bytes + i, size - i, &piece);
		if (piece.kind == UTF8_CSI && strchr("CDGJK", (int)piece.character))
			return true;
		if (piece.kind == UTF8_CONTROL && (piece.character == '\b' || (piece.character == '\r' && i < size)))
			return true;
	}
	return false;
}

/* Blanks up to there. */
static void reach(struct line *line, size_t count)
{
	size_t room = line->room ? line->room : ROOM_FIRST;

	while (room < count)
		room *= 2;
	if (room != line->room)
		line->places = memory_resize(line->places, room, sizeof *line->places);
	line->room = room;
	for (; line->count < count; line->count++)
		line->places[line->count] = (struct place){ .character = ' ' };
}

/* Of a wide character that loses one half, the other is a blank. */
static void split(struct line *line, size_t column)
{
	if (column && column < line->count && !line->places[column].character)
		line->places[column - 1] = line->places[column] = (struct place){ .character = ' ' };
}

static void add_mark(struct line *line, uint32_t mark)
{
	size_t at = line->column;

	if (!at || at > line->count)
		return;
	struct place *place = &line->places[at - 1];
	if (!place->character && at > 1)
		place--;
	for (size_t i = 0; i < UTF8_MARKS_MOST; i++)
		if (!place->marks[i]) {
			place->marks[i] = mark;
			return;
		}
}

static void put(struct line *line, uint32_t c)
{
	unsigned width = utf8_width(c);

	if (!width)
		add_mark(line, c);
	if (!width || line->column + width > COLUMNS_MOST)
		return;
	split(line, line->column);
	split(line, line->column + width);
	if (line->column + width > line->count)
		reach(line, line->column + width);
	for (unsigned i = 0; i < width; i++)
		line->places[line->column++] = (struct place){ .character = i ? 0 : c, .style = line->style };
}

static void put_control(struct line *line, char c)
{
	if (c == '\r') {
		line->column = 0;
	} else if (c == '\b') {
		line->column -= line->column > 0;
	} else if (c == '\t') {
		line->column += UTF8_TAB_STOP - line->column % UTF8_TAB_STOP;
		if (line->column > COLUMNS_MOST)
			line->column = COLUMNS_MOST;
		if (line->column > line->count)
			reach(line, line->column);
	} else {
		put(line, '^');
		put(line, (unsigned char)c ^ 0x40u);
	}
}

/* ---- control sequences ---- */

/* The first number. */
static size_t number_of(const struct utf8_piece *piece, size_t otherwise)
{
	size_t number = 0;

	for (size_t i = 0; i < piece->parameters_size && number < COLUMNS_MOST; i++) {
		unsigned digit = (unsigned char)piece->parameters[i] - (unsigned)'0';
		if (digit > 9)
			break;
		number = number * 10 + digit;
	}
	return number ? number : otherwise;
}

static void move_to(struct line *line, size_t column)
{
	line->column = column < COLUMNS_MOST ? column : COLUMNS_MOST;
}

static void do_forward(struct line *line, const struct utf8_piece *piece)
{
	move_to(line, line->column + number_of(piece, 1));
}

static void do_back(struct line *line, const struct utf8_piece *piece)
{
	size_t by = number_of(piece, 1);

	line->column -= by < line->column ? by : line->column;
}

static void do_column(struct line *line, const struct utf8_piece *piece)
{
	move_to(line, number_of(piece, 1) - 1);
}

static void truncate_at(struct line *line, size_t column)
{
	split(line, column);
	line->count = column < line->count ? column : line->count;
}

static void do_erase(struct line *line, const struct utf8_piece *piece)
{
	size_t kind = number_of(piece, 0);

	if (kind != 1)
		truncate_at(line, kind ? 0 : line->column);
	split(line, line->column + 1);
	for (size_t i = 0; kind == 1 && i <= line->column && i < line->count; i++)
		line->places[i] = (struct place){ .character = ' ' };
}

static void do_clear(struct line *line, const struct utf8_piece *piece)
{
	size_t kind = number_of(piece, 0);

	if (kind < 2) {
		do_erase(line, piece);
		return;
	}
	line->count = line->column = line->style = 0;
	for (const char *c = cleared; *c; c++)
		put(line, (unsigned char)*c);
}

/* What follows looks as before, and so; when that is said in too many words, only as was said last. */
static void do_style(struct line *line, const struct utf8_piece *piece)
{
	uint32_t begin = (uint32_t)line->styles.size;
	bool is_reset = !piece->parameters_size || (piece->parameters_size == 1 && piece->parameters[0] == '0');
	char before[STYLE_MOST];

	if (is_reset || !utf8_is_sgr(piece)) {
		line->style = is_reset ? 0 : line->style;
		return;
	}
	const char *former = text_string(&line->styles) + line->style;
	size_t size = strlen(former);
	memcpy(before, former, size + 1);
	if (line->styles.most - begin < 2 * STYLE_MOST)
		return; /* there were too many */
	if (size + piece->parameters_size + 4 <= STYLE_MOST)
		text_append(&line->styles, before, size);
	text_puts(&line->styles, "\033[");
	text_append(&line->styles, piece->parameters, piece->parameters_size);
	text_puts(&line->styles, "m");
	text_putc(&line->styles, '\0');
	line->style = begin;
}

static void obey(struct line *line, const struct utf8_piece *piece)
{
	static const struct {
		char name;
		void (*run)(struct line *line, const struct utf8_piece *piece);
	} all[] = {
		{ 'C', do_forward },
		{ 'D', do_back },
		{ 'G', do_column },
		{ 'J', do_clear },
		{ 'K', do_erase },
		{ 'm', do_style },
	};

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if ((uint32_t)all[i].name == piece->character)
			all[i].run(line, piece);
}

/* ---- the whole ---- */

static void write_line(struct line *line, const char *bytes, size_t size)
{
	struct utf8_piece piece;

	for (size_t i = 0; i < size;) {
		i += utf8_next(bytes + i, size - i, &piece);
		if (piece.kind == UTF8_CSI)
			obey(line, &piece);
		else if (piece.kind == UTF8_CONTROL)
			put_control(line, (char)piece.character);
		else if (piece.kind == UTF8_CHARACTER)
			put(line, piece.character);
	}
}

static void append_character(struct text *out, uint32_t c)
{
	char encoded[4];

	if (c)
		text_append(out, encoded, utf8_encode(encoded, c));
}

static void read_line(const struct line *line, struct text *out, bool keep_colour)
{
	uint32_t style = 0;

	for (size_t i = 0; i < line->count; i++) {
		const struct place *place = &line->places[i];
		if (keep_colour && place->character && place->style != style) {
			text_puts(out, style ? "\033[m" : "");
			style = place->style;
			text_puts(out, text_string(&line->styles) + style);
		}
		append_character(out, place->character);
		for (size_t m = 0; m < UTF8_MARKS_MOST; m++)
			append_character(out, place->marks[m]);
	}
	if (style)
		text_puts(out, "\033[m");
}

bool line_append_safe(struct text *out, const char *bytes, size_t size, bool keep_colour)
{
	struct line line = { 0 };

	if (!is_moved_in(bytes, size))
		return utf8_append_safe(out, bytes, size, keep_colour);
	text_init(&line.styles, STYLES_MOST);
	text_putc(&line.styles, '\0');
	write_line(&line, bytes, size);
	read_line(&line, out, keep_colour);
	text_finish(&line.styles);
	free(line.places);
	return !out->full;
}
