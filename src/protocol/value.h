/*
 * What JSON has no value for: moments, which are written "2026-11-23T02:07:00.123456Z", and
 * text of children, which need not be UTF-8.
 */
#ifndef PROTOCOL_VALUE_H
#define PROTOCOL_VALUE_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Microseconds since 1970. Digits behind the point may be fewer or none. */
bool time_parse(const char *text, uint64_t *wall_us);

/* 0 is null. */
json_t *time_to_json(uint64_t wall_us);
/* 0 when it is null, missing (json NULL) or no time. */
uint64_t time_from_json(const json_t *json);

/* Every malformed byte becomes U+FFFD. */
json_t *text_to_json(const char *bytes, size_t size);

#endif
