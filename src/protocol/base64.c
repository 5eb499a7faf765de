#include "protocol/base64.h"

#include <stdint.h>
#include <string.h>

static const char digits[] =
	"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

bool base64_encode(struct text *out, const char *bytes, size_t size)
{
	bool fits = true;

	for (size_t i = 0; fits && i < size; i += 3) {
		size_t count = size - i < 3 ? size - i : 3;
		uint32_t group = 0;
		char quad[4];

		for (size_t n = 0; n < 3; n++)
			group = group << 8 | (n < count ? (unsigned char)bytes[i + n] : 0);
		for (size_t n = 0; n < 4; n++)
			quad[n] = n <= count ? digits[group >> (18 - 6 * n) & 63] : '=';
		fits = text_append(out, quad, 4);
	}
	return fits;
}

static int digit_value(char digit)
{
	const char *at = digit ? strchr(digits, digit) : NULL;

	return at ? (int)(at - digits) : -1;
}

static bool decode_quad(struct text *out, const char *quad, bool is_last)
{
	size_t count = is_last && quad[3] == '=' ? (quad[2] == '=' ? 1 : 2) : 3;
	uint32_t group = 0;
	char bytes[3];

	for (size_t n = 0; n < 4; n++) {
		int value = n <= count ? digit_value(quad[n]) : 0;
		if (value < 0)
			return false;
		group = group << 6 | (uint32_t)value;
	}
	for (size_t n = 0; n < 3; n++)
		bytes[n] = (char)(group >> (16 - 8 * n));
	return text_append(out, bytes, count);
}

bool base64_decode(struct text *out, const char *encoded, size_t size)
{
	if (size % 4)
		return false;
	for (size_t i = 0; i < size; i += 4)
		if (!decode_quad(out, encoded + i, i + 4 == size))
			return false;
	return true;
}
