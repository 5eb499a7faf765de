#include "protocol/value.h"

#include <ctype.h>
#include <string.h>
#include <time.h>

#include "base/clock.h"
#include "base/text.h"
#include "base/utf8.h"
#include "model/sample.h"

/* ".123456" → 123456; moves *text behind it. */
static uint64_t parse_fraction(const char **text)
{
	uint64_t value = 0, weight = 100000;

	if (**text != '.')
		return 0;
	for (++*text; isdigit((unsigned char)**text); ++*text, weight /= 10)
		value += weight * (uint64_t)(**text - '0');
	return value;
}

bool time_parse(const char *text, uint64_t *wall_us)
{
	struct tm tm = { 0 };
	const char *rest = strptime(text, "%Y-%m-%dT%H:%M:%S", &tm);

	if (!rest)
		return false;
	uint64_t fraction = parse_fraction(&rest);
	time_t seconds = timegm(&tm);
	if (strcmp(rest, "Z") != 0 || seconds < 0)
		return false;
	*wall_us = (uint64_t)seconds * 1000000 + fraction;
	return true;
}

json_t *time_to_json(uint64_t wall_us)
{
	char text[CLOCK_TEXT_SIZE];

	if (!wall_us)
		return json_null();
	clock_format_iso(text, wall_us);
	return json_string(text);
}

uint64_t time_from_json(const json_t *json)
{
	const char *text = json_string_value(json);
	uint64_t wall_us;

	return text && time_parse(text, &wall_us) ? wall_us : 0;
}

json_t *text_to_json(const char *bytes, size_t size)
{
	struct text valid;

	if (utf8_is_valid(bytes, size))
		return json_stringn(bytes, size);
	text_init(&valid, size * 3); /* U+FFFD is three bytes long */
	utf8_append_valid(&valid, bytes, size);
	json_t *json = json_stringn(valid.data, valid.size);
	text_finish(&valid);
	return json;
}

json_t *figure_to_json(uint64_t value)
{
	return value == SAMPLE_UNKNOWN ? json_null() : json_integer((json_int_t)value);
}

uint64_t figure_from_json(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	if (!json_is_integer(value) || json_integer_value(value) < 0)
		return SAMPLE_UNKNOWN;
	return (uint64_t)json_integer_value(value);
}

static json_t *rounded(double value, double steps)
{
	if (!(value >= 0 && value < 1e12))
		return json_null();
	return json_real((double)(int64_t)(value * steps + 0.5) / steps);
}

json_t *rate_to_json(double value)
{
	return rounded(value, 100);
}

json_t *fraction_to_json(double value)
{
	return rounded(value, 10000);
}

double rate_from_json(const json_t *object, const char *key)
{
	const json_t *value = json_object_get(object, key);

	return json_is_number(value) ? json_number_value(value) : -1;
}

void counts_put(struct text *out, const json_t *counts)
{
	const char *word, *separator = "";
	json_t *count;

	json_object_foreach((json_t *)counts, word, count)
	{
		text_format(out, "%s%lld %.20s", separator, (long long)json_integer_value(count), word);
		separator = ", ";
	}
}

void list_keep(json_t *list, json_t *one, size_t most)
{
	json_array_append_new(list, one);
	if (json_array_size(list) > most)
		json_array_remove(list, 0);
}
