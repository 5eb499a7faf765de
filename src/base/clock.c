#include "base/clock.h"

#include <stdio.h>
#include <time.h>

static uint64_t read_us(clockid_t id)
{
	struct timespec now;

	clock_gettime(id, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

uint64_t clock_monotonic_us(void)
{
	return read_us(CLOCK_MONOTONIC);
}

uint64_t clock_monotonic_ms(void)
{
	return clock_monotonic_us() / 1000;
}

uint64_t clock_boot_us(void)
{
	return read_us(CLOCK_BOOTTIME);
}

uint64_t clock_wall_us(void)
{
	return read_us(CLOCK_REALTIME);
}

void clock_format_iso(char out[CLOCK_TEXT_SIZE], uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;
	size_t used;

	gmtime_r(&seconds, &tm);
	used = strftime(out, CLOCK_TEXT_SIZE, "%Y-%m-%dT%H:%M:%S", &tm);
	snprintf(out + used, CLOCK_TEXT_SIZE - used, ".%06uZ", (unsigned)(wall_us % 1000000));
}

void clock_format_local(char out[CLOCK_TEXT_SIZE], uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;
	size_t used;

	localtime_r(&seconds, &tm);
	used = strftime(out, CLOCK_TEXT_SIZE, "%H:%M:%S", &tm);
	snprintf(out + used, CLOCK_TEXT_SIZE - used, ".%03u",
		(unsigned)(wall_us % 1000000 / 1000));
}

void clock_format_local_date(char out[CLOCK_TEXT_SIZE], uint64_t wall_us)
{
	time_t seconds = (time_t)(wall_us / 1000000);
	struct tm tm;

	localtime_r(&seconds, &tm);
	strftime(out, CLOCK_TEXT_SIZE, "%F %T", &tm);
}

/* What follows the point, in microseconds: six digits at the most. False: it is something else. */
static bool parse_fraction(const char *text, uint64_t *us)
{
	uint64_t worth = 100000;

	*us = 0;
	if (!*text)
		return true;
	if (*text++ != '.' || !*text)
		return false;
	for (; *text >= '0' && *text <= '9'; text++, worth /= 10)
		*us += (uint64_t)(*text - '0') * worth;
	return !*text;
}

bool clock_parse_local(const char *text, uint64_t until_us, uint64_t *wall_us)
{
	time_t until = (time_t)(until_us / 1000000);
	unsigned hour, minute, second = 0;
	uint64_t us = 0;
	struct tm day;
	int end = 0;

	int fields = sscanf(text, "%2u:%2u%n:%2u%n", &hour, &minute, &end, &second, &end);
	if (fields < 2 || hour > 23 || minute > 59 || second > 59)
		return false;
	if (fields < 3 ? text[end] : !parse_fraction(text + end, &us))
		return false;
	localtime_r(&until, &day);
	day.tm_hour = (int)hour;
	day.tm_min = (int)minute;
	day.tm_sec = (int)second;
	day.tm_isdst = -1;
	time_t found = mktime(&day);
	if ((uint64_t)found * 1000000 + us > until_us) {
		day.tm_mday--;
		day.tm_isdst = -1;
		found = mktime(&day);
	}
	*wall_us = (uint64_t)found * 1000000 + us;
	return found > 0;
}
