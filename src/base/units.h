/* Durations and sizes as people write and read them. */
#ifndef BASE_UNITS_H
#define BASE_UNITS_H

#include <stdbool.h>
#include <stdint.h>

enum { UNITS_TEXT_SIZE = 24 };

/* "500ms" "10s" "1.5m" "2h" "3d", or plain seconds "0.5" → milliseconds. False: not one. */
bool units_parse_duration(const char *text, uint64_t *ms);

/* "200MB" "1.5G" "64k" "1024" (1024-based, optional B or iB) → bytes. False: not one. */
bool units_parse_size(const char *text, uint64_t *bytes);

/* "204M" "1.2G" "96K" "512": at most five characters. */
void units_format_size(char out[UNITS_TEXT_SIZE], uint64_t bytes);

/* "250ms" "3.2s" "00:41" "5h12m" "3d04h": for uptimes and delays; what is old moves seldom, and so does a screen of it. */
void units_format_duration(char out[UNITS_TEXT_SIZE], uint64_t ms);

#endif
