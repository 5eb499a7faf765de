/* The two clocks: one for measuring and timers, one for people. */
#ifndef BASE_CLOCK_H
#define BASE_CLOCK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { CLOCK_TEXT_SIZE = 32 };

/* Milliseconds and microseconds since boot (CLOCK_MONOTONIC): unmoved by clock changes. */
uint64_t clock_monotonic_ms(void);
uint64_t clock_monotonic_us(void);

/* Microseconds since boot, time in suspend included (CLOCK_BOOTTIME): as the kernel counts start times. */
uint64_t clock_boot_us(void);

/* Microseconds since 1970 (CLOCK_REALTIME). */
uint64_t clock_wall_us(void);

/* "2026-11-23T02:07:00.123456Z" */
void clock_format_iso(char out[CLOCK_TEXT_SIZE], uint64_t wall_us);

/* "12:00:01.123" in local time. */
void clock_format_local(char out[CLOCK_TEXT_SIZE], uint64_t wall_us);

/* "2026-11-23 02:07:00" in local time. */
void clock_format_local_date(char out[CLOCK_TEXT_SIZE], uint64_t wall_us);

/* "14:02", "14:02:11" or "14:02:11.25": the last time that it was so late, at or before `until_us`. False: it is no time of day. */
bool clock_parse_local(const char *text, uint64_t until_us, uint64_t *wall_us);

#endif
