/*
 * Any bytes of a child: what comes out is UTF-8 without anything that a terminal obeys; where colours are kept, they are all
 * that is left when the Logs tab has taken them out.
 */
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"
#include "tui/log_text.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void refuse(bool is_wrong)
{
	if (is_wrong)
		__builtin_trap();
}

static void check_plain(const struct text *out)
{
	refuse(!utf8_is_valid(text_string(out), out->size));
	for (size_t i = 0; i < out->size; i++)
		refuse((unsigned char)out->data[i] < 0x20 || out->data[i] == 0x7f);
}

static void check_coloured(const struct text *out)
{
	const char *text = text_string(out);
	struct paint paint = { 0 };
	uint32_t c;

	refuse(!utf8_is_valid(text, out->size));
	refuse(log_text_rows(text, 7) < 1);
	while ((c = log_text_next(&text, &paint)))
		refuse(c < 0x20 || (c >= 0x7f && c < 0xa0) || paint.fore > 256 || paint.back > 256);
	refuse(text != text_string(out) + out->size);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text out;

	text_init(&out, 64 * 1024 * 1024);
	utf8_append_safe(&out, (const char *)bytes, size, false);
	check_plain(&out);
	text_clear(&out);
	utf8_append_safe(&out, (const char *)bytes, size, true);
	check_coloured(&out);
	text_finish(&out);
	return 0;
}
