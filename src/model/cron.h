/*
 * When a schedule in the five fields of cron comes next: minute hour day month weekday, each *, N,
 * N-M, lists of these and steps (/N), months and weekdays also by name; @hourly @daily @weekly
 * @monthly @yearly. As in cron, when both day and weekday are restricted either will do.
 * Where clocks are put forward a time that is left out comes at the first moment after; where they
 * are put back a time that comes twice counts once, unless the hour is *.
 */
#ifndef MODEL_CRON_H
#define MODEL_CRON_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

/* Bit sets. */
struct cron {
	uint64_t minutes;
	uint32_t hours, days, months, weekdays;
	bool any_day, any_weekday; /* written as * */
};

bool cron_parse(struct cron *cron, const char *text, struct error *err);

/*
 * The first time after this one, wall clock; 0: none within eight years.
 * zone: NULL is the machine's. Sets TZ of the process meanwhile: one thread at a time.
 */
uint64_t cron_next(const struct cron *cron, const char *zone, uint64_t after_us);

bool cron_timezone_exists(const char *zone);

#endif
