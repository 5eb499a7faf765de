#include "base/units.h"

#include <ctype.h>
#include <inttypes.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <strings.h>

struct unit {
	const char *name;
	uint64_t factor;
};

static const struct unit durations[] = {
	{ "ms", 1 },
	{ "", 1000 },
	{ "s", 1000 },
	{ "m", 60 * 1000 },
	{ "h", 3600 * 1000 },
	{ "d", 24 * 3600 * 1000 },
	{ NULL, 0 },
};

#define KIB ((uint64_t)1024)
static const struct unit sizes[] = {
	{ "", 1 },
	{ "b", 1 },
	{ "k", KIB },
	{ "kb", KIB },
	{ "kib", KIB },
	{ "m", KIB *KIB },
	{ "mb", KIB *KIB },
	{ "mib", KIB *KIB },
	{ "g", KIB *KIB *KIB },
	{ "gb", KIB *KIB *KIB },
	{ "gib", KIB *KIB *KIB },
	{ NULL, 0 },
};

static bool parse(const char *text, const struct unit *units, uint64_t *value)
{
	char *end;

	/* strtod alone would take "inf", "0x1" and a leading blank */
	if (!isdigit((unsigned char)text[0]) && text[0] != '.')
		return false;
	for (const char *c = text; isalnum((unsigned char)*c) || *c == '.'; c++)
		if (*c == 'x' || *c == 'X')
			return false;
	double number = strtod(text, &end);
	if (end == text)
		return false;
	for (; units->name; units++) {
		if (strcasecmp(end, units->name) != 0)
			continue;
		double product = number * (double)units->factor;
		if (!(product < 9e15))
			return false;
		*value = (uint64_t)(product + 0.5);
		return true;
	}
	return false;
}

bool units_parse_duration(const char *text, uint64_t *ms)
{
	return parse(text, durations, ms);
}

bool units_parse_size(const char *text, uint64_t *bytes)
{
	return parse(text, sizes, bytes);
}

void units_format_size(char out[UNITS_TEXT_SIZE], uint64_t bytes)
{
	static const char letters[] = "KMGTPE";
	double value = (double)bytes;
	int letter = -1;

	while (value >= 999.5 && letter < 5) {
		value /= 1024;
		letter++;
	}
	if (letter < 0)
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64, bytes);
	else if (value < 9.95)
		snprintf(out, UNITS_TEXT_SIZE, "%.1f%c", value, letters[letter]);
	else
		snprintf(out, UNITS_TEXT_SIZE, "%.0f%c", value, letters[letter]);
}

void units_format_duration(char out[UNITS_TEXT_SIZE], uint64_t ms)
{
	uint64_t s = ms / 1000;

	if (ms < 1000)
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "ms", ms);
	else if (s < 10)
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 ".%" PRIu64 "s", s, ms % 1000 / 100);
	else if (s < 3600)
		snprintf(out, UNITS_TEXT_SIZE, "%02" PRIu64 ":%02" PRIu64, s / 60, s % 60);
	else if (s < 24 * 3600)
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "h%02" PRIu64 "m", s / 3600, s / 60 % 60);
	else
		snprintf(out, UNITS_TEXT_SIZE, "%" PRIu64 "d%02" PRIu64 "h", s / 86400,
			s / 3600 % 24);
}
