#include "tui/log_text.h"

#include <string.h>

#include "base/utf8.h"

enum { ESC = 0x1b,
	PARAMETERS_MOST = 32,
	COLOURS = 256,
	CUBE = 16,
	GREYS = 232 };

bool log_text_is_plain(const char *bytes, size_t size)
{
	unsigned odd = 0;

	for (size_t i = 0; i < size; i++)
		odd |= (unsigned char)(bytes[i] - ' ') > '~' - ' ';
	return !odd;
}

/* ---- colours ---- */

/* The nearest in the cube of 6 × 6 × 6, or of the greys. */
static uint16_t nearest(unsigned red, unsigned green, unsigned blue)
{
	if (red == green && green == blue && red >= 8 && red < 248)
		return (uint16_t)(GREYS + (red - 8) / 10 + 1);
	return (uint16_t)(CUBE + 36 * ((red + 25) / 51) + 6 * ((green + 25) / 51) + (blue + 25) / 51 + 1);
}

/* 38;5;N and 38;2;R;G;B; returns how many numbers it took. */
static size_t long_colour(const unsigned *numbers, size_t count, uint16_t *colour)
{
	if (count >= 3 && numbers[1] == 5) {
		if (numbers[2] < COLOURS)
			*colour = (uint16_t)(numbers[2] + 1);
		return 3;
	}
	if (count >= 5 && numbers[1] == 2) {
		if (numbers[2] < COLOURS && numbers[3] < COLOURS && numbers[4] < COLOURS)
			*colour = nearest(numbers[2], numbers[3], numbers[4]);
		return 5;
	}
	return count;
}

// clang-format off
static const struct { uint8_t number; uint8_t on, off; } attributes[] = {
	{ 1, PAINT_BOLD, 0 }, { 2, PAINT_DIM, 0 }, { 3, PAINT_ITALIC, 0 }, { 4, PAINT_UNDERLINE, 0 }, { 7, PAINT_REVERSE, 0 },
	{ 21, PAINT_UNDERLINE, 0 }, { 22, 0, PAINT_BOLD | PAINT_DIM }, { 23, 0, PAINT_ITALIC }, { 24, 0, PAINT_UNDERLINE }, { 27, 0, PAINT_REVERSE },
};
static const struct { uint8_t first, last; bool is_back; uint8_t colour; } colours[] = {
	{ 30, 37, false, 1 }, { 39, 39, false, 0 }, { 90, 97, false, 9 },
	{ 40, 47, true, 1 }, { 49, 49, true, 0 }, { 100, 107, true, 9 },
};
// clang-format on

static void paint_attribute(struct paint *paint, unsigned number)
{
	for (size_t i = 0; i < sizeof attributes / sizeof *attributes; i++)
		if (attributes[i].number == number)
			paint->attributes = (uint8_t)((paint->attributes | attributes[i].on) & ~attributes[i].off);
}

static void paint_colour(struct paint *paint, unsigned number)
{
	for (size_t i = 0; i < sizeof colours / sizeof *colours; i++)
		if (number >= colours[i].first && number <= colours[i].last)
			*(colours[i].is_back ? &paint->back : &paint->fore) =
				colours[i].colour ? (uint16_t)(colours[i].colour + number - colours[i].first) : 0;
}

static size_t paint_one(struct paint *paint, const unsigned *numbers, size_t count)
{
	if (numbers[0] == 38)
		return long_colour(numbers, count, &paint->fore);
	if (numbers[0] == 48)
		return long_colour(numbers, count, &paint->back);
	if (numbers[0] == 0)
		*paint = (struct paint){ 0 };
	paint_attribute(paint, numbers[0]);
	paint_colour(paint, numbers[0]);
	return 1;
}

/* What is empty is 0; one that is too great means nothing. */
static size_t read_numbers(const char *text, size_t size, unsigned numbers[PARAMETERS_MOST])
{
	size_t count = 0;

	numbers[0] = 0;
	for (size_t i = 0; i < size && count + 1 < PARAMETERS_MOST; i++) {
		if (text[i] == ';' || text[i] == ':')
			numbers[++count] = 0;
		else if (numbers[count] < 100000)
			numbers[count] = numbers[count] * 10 + (unsigned)(text[i] - '0');
	}
	return count + 1;
}

struct paint log_text_paint(struct paint before, const char *parameters, size_t size)
{
	unsigned numbers[PARAMETERS_MOST];
	size_t count = read_numbers(parameters, size, numbers);

	for (size_t i = 0; i < count;)
		i += paint_one(&before, numbers + i, count - i);
	return before;
}

/* ---- characters ---- */

static size_t parameters_size(const char *text)
{
	return strspn(text, "0123456789;:");
}

uint32_t log_text_next(const char **text, struct paint *paint)
{
	uint32_t c;

	while (**text == ESC && (*text)[1] == '[') {
		size_t size = parameters_size(*text + 2);
		if ((*text)[2 + size] != 'm')
			break;
		*paint = log_text_paint(*paint, *text + 2, size);
		*text += 2 + size + 1;
	}
	if (!**text)
		return 0;
	*text += utf8_decode(*text, strnlen(*text, 4), &c);
	return c;
}

int log_text_width(const char *text)
{
	struct paint paint = { 0 };
	uint32_t c;
	int width = 0;

	while ((c = log_text_next(&text, &paint)))
		width += (int)utf8_width(c);
	return width;
}

/* A wide character does not lie in two rows. */
int log_text_rows(const char *text, int width)
{
	struct paint paint = { 0 };
	uint32_t c;
	int rows = 1, column = 0;

	while ((c = log_text_next(&text, &paint))) {
		int columns = (int)utf8_width(c);
		if (column && column + columns > width) {
			rows++;
			column = 0;
		}
		column += columns;
	}
	return rows;
}
