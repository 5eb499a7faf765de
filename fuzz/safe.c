/* Any bytes of a child: what comes out is UTF-8 without anything that a terminal obeys. */
#include <stdint.h>
#include <string.h>

#include "base/utf8.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct text out;

	text_init(&out, 64 * 1024 * 1024);
	utf8_append_safe(&out, (const char *)bytes, size, false);
	if (!utf8_is_valid(text_string(&out), out.size))
		__builtin_trap();
	for (size_t i = 0; i < out.size; i++)
		if ((unsigned char)out.data[i] < 0x20 || out.data[i] == 0x7f)
			__builtin_trap();
	text_finish(&out);
	return 0;
}
