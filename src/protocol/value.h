/*
 * What JSON has no value for: moments, which are written "2026-11-23T02:07:00.123456Z", and
 * text of children, which need not be UTF-8; and lists that do not grow for ever.
 */
#ifndef PROTOCOL_VALUE_H
#define PROTOCOL_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* Microseconds since 1970. Digits behind the point may be fewer or none. */
bool time_parse(const char *text, uint64_t *wall_us);

/* 0 is null. */
json_t *time_to_json(uint64_t wall_us);
/* 0 when it is null, missing (json NULL) or no time. */
uint64_t time_from_json(const json_t *json);

/* Every malformed byte becomes U+FFFD. */
json_t *text_to_json(const char *bytes, size_t size);

/* Figures: what is not known is null, and SAMPLE_UNKNOWN, or below 0 where it is a double. */
json_t *figure_to_json(uint64_t value);
uint64_t figure_from_json(const json_t *object, const char *key);
/* Rounded to two digits, or to four: more is more than a measurement is worth. */
json_t *rate_to_json(double value);
json_t *fraction_to_json(double value);
double rate_from_json(const json_t *object, const char *key);

/* A map of words to numbers: "2 running, 1 backoff". */
void counts_put(struct text *out, const json_t *counts);

/* Append, which takes the reference over: of all, the newest `most` are kept. */
void list_keep(json_t *list, json_t *one, size_t most);

#endif
