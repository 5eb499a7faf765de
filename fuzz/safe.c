/*
 * Any bytes of a child: what comes out is UTF-8 without anything that a terminal obeys; where colours are kept, they are all
 * that is left when the Logs tab has taken them out.
 */
#include <stdbool.h>
#include <stdint.h>
#include <string.h>

#include "base/line.h"
#include "base/utf8.h"
#include "tui/grid.h"
#include "tui/log_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void refuse(bool is_wrong)
{
	if (is_wrong)
		__builtin_trap();
}

/* Of Unicode 15: controls, format characters, separators of lines; not from utf8.c, which is what is tried here. */
static bool is_obeyed(uint32_t c)
{
	static const uint32_t ranges[][2] = { { 0, 0x1f }, { 0x7f, 0x9f }, { 0xad, 0xad }, { 0x600, 0x605 }, { 0x61c, 0x61c },
		{ 0x6dd, 0x6dd }, { 0x70f, 0x70f }, { 0x890, 0x891 }, { 0x8e2, 0x8e2 }, { 0x180e, 0x180e }, { 0x200b, 0x200f },
		{ 0x2028, 0x202e }, { 0x2060, 0x2064 }, { 0x2066, 0x206f }, { 0xfeff, 0xfeff }, { 0xfff9, 0xfffb }, { 0x110bd, 0x110bd },
		{ 0x110cd, 0x110cd }, { 0x13430, 0x1343f }, { 0x1bca0, 0x1bca3 }, { 0x1d173, 0x1d17a }, { 0xe0001, 0xe0001 },
		{ 0xe0020, 0xe007f } };

	for (size_t i = 0; i < sizeof ranges / sizeof *ranges; i++)
		if (c >= ranges[i][0] && c <= ranges[i][1])
			return true;
	return false;
}

static void check_plain(const struct text *out)
{
	refuse(!utf8_is_valid(text_string(out), out->size));
	for (size_t i = 0, taken; i < out->size; i += taken) {
		uint32_t c;
		taken = utf8_decode(out->data + i, out->size - i, &c);
		refuse(is_obeyed(c));
	}
}

static void check_coloured(const struct text *out)
{
	const char *text = text_string(out);
	struct paint paint = { 0 };
	uint32_t c;

	refuse(!utf8_is_valid(text, out->size));
	refuse(log_text_rows(text, 7) < 1);
	while ((c = log_text_next(&text, &paint)))
		refuse(is_obeyed(c) || paint.fore > 256 || paint.back > 256);
	refuse(text != text_string(out) + out->size);
}

/* Whatever a view draws, the grid is the second wall. */
static void check_grid(const char *text)
{
	struct grid grid;

	grid_init(&grid);
	grid_reset(&grid, 13, 2);
	int used = grid_put(&grid, (struct rect){ 3, 0, 20, 1 }, LOOK_NORMAL, text);
	refuse(used < 0 || used > 10);
	for (int i = 0; i < grid.width * grid.height; i++)
		refuse(grid.cells[i].character && (grid.cells[i].character < 0x20 ||
							  (grid.cells[i].character >= 0x7f && grid.cells[i].character < 0xa0)));
	grid_finish(&grid);
}

static void check(bool (*append)(struct text *out, const char *bytes, size_t size, bool keep_colour), const char *bytes, size_t size)
{
	struct text out;

	text_init(&out, 64 * 1024 * 1024);
	refuse(!append(&out, bytes, size, false));
	check_plain(&out);
	text_clear(&out);
	refuse(!append(&out, bytes, size, true));
	check_coloured(&out);
	text_finish(&out);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	if (size && memchr(bytes, 0, size))
		check_grid((const char *)bytes);
	check(utf8_append_safe, (const char *)bytes, size);
	check(line_append_safe, (const char *)bytes, size);
	return 0;
}
