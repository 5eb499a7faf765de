#include "model/cron.h"

#include <ctype.h>
#include <stdlib.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"

enum { YEARS_MOST = 8,
	HOUR = 3600,
	NAME_LENGTH = 3 };

/* One field: its bounds, and names that stand for its numbers. */
struct field {
	const char *what;
	int least, most;
	const char *names; /* three letters each, the first means least; or NULL */
};

// clang-format off
static const struct field fields[] = {
	{ "minute", 0, 59, NULL },
	{ "hour", 0, 23, NULL },
	{ "day", 1, 31, NULL },
	{ "month", 1, 12, "janfebmaraprmayjunjulaugsepoctnovdec" },
	{ "weekday", 0, 7, "sunmontuewedthufrisat" },
};

static const struct {
	const char *name, *means;
} nicknames[] = {
	{ "@hourly", "0 * * * *" },
	{ "@daily", "0 0 * * *" },
	{ "@midnight", "0 0 * * *" },
	{ "@weekly", "0 0 * * 0" },
	{ "@monthly", "0 0 1 * *" },
	{ "@yearly", "0 0 1 1 *" },
	{ "@annually", "0 0 1 1 *" },
};
// clang-format on

enum { FIELD_COUNT = sizeof fields / sizeof *fields };

/* A number or a name; returns what follows, or NULL. */
static const char *take_number(const struct field *field, const char *text, int *number)
{
	char *end;

	if (isdigit((unsigned char)*text)) {
		long value = strtol(text, &end, 10);
		*number = (int)value;
		return value >= field->least && value <= field->most ? end : NULL;
	}
	for (int i = 0; field->names && field->names[i * NAME_LENGTH]; i++) {
		if (strncasecmp(field->names + i * NAME_LENGTH, text, NAME_LENGTH) != 0)
			continue;
		*number = field->least + i;
		return text + NAME_LENGTH;
	}
	return NULL;
}

/* "*", "5", "1-5", "1-31/2", and the like between commas; returns what follows, or NULL. */
static const char *take_part(const struct field *field, const char *text, uint64_t *set)
{
	int from = field->least, to = field->most, step = 1;
	bool is_single = *text != '*';

	if (*text == '*') {
		text++;
	} else {
		text = take_number(field, text, &from);
		to = from;
		if (text && *text == '-') {
			is_single = false;
			text = take_number(field, text + 1, &to);
		}
	}
	if (text && *text == '/') {
		char *end;
		step = (int)strtol(text + 1, &end, 10);
		to = is_single ? field->most : to;
		text = end > text + 1 && step > 0 ? end : NULL;
	}
	if (!text || from > to)
		return NULL;
	for (int i = from; i <= to; i += step)
		*set |= 1ull << i;
	return text;
}

static bool take_field(const struct field *field, const char **text, uint64_t *set, struct error *err)
{
	const char *at = *text + strspn(*text, " \t"), *from = at;

	*set = 0;
	do {
		at = take_part(field, *at == ',' ? at + 1 : at, set);
	} while (at && *at == ',');
	if (!at || (*at && !isblank((unsigned char)*at)))
		return error_set(err, 0, "'%.*s' is no %s (%d to %d, *, lists, ranges and steps)",
			(int)strcspn(from, " \t"), from, field->what, field->least, field->most);
	*text = at;
	return true;
}

static const char *spell_out(const char *text)
{
	for (size_t i = 0; i < sizeof nicknames / sizeof *nicknames; i++)
		if (strcasecmp(nicknames[i].name, text) == 0)
			return nicknames[i].means;
	return text;
}

static bool is_star(const char *text, int number)
{
	for (int i = 0; i < number; i++) {
		text += strspn(text, " \t");
		text += strcspn(text, " \t");
	}
	return text[strspn(text, " \t")] == '*';
}

bool cron_parse(struct cron *cron, const char *text, struct error *err)
{
	uint64_t sets[FIELD_COUNT];

	text = spell_out(text);
	const char *at = text;
	for (int i = 0; i < FIELD_COUNT; i++) {
		at += strspn(at, " \t");
		if (!*at)
			return error_set(err, 0,
				"'%.60s' has %d fields; there are five: minute hour day month weekday",
				text, i);
		if (!take_field(&fields[i], &at, &sets[i], err))
			return false;
	}
	if (at[strspn(at, " \t")])
		return error_set(err, 0, "'%.60s' has more than five fields", text);
	*cron = (struct cron){ sets[0], (uint32_t)sets[1], (uint32_t)sets[2], (uint32_t)sets[3],
		(uint32_t)(sets[4] | sets[4] >> 7), is_star(text, 2), is_star(text, 4) };
	return true;
}

static bool is_day(const struct cron *cron, const struct tm *tm)
{
	bool day = cron->days >> tm->tm_mday & 1, weekday = cron->weekdays >> tm->tm_wday & 1;

	if (!(cron->months >> (tm->tm_mon + 1) & 1))
		return false;
	return cron->any_day || cron->any_weekday ? day && weekday : day || weekday;
}

static time_t next_day(struct tm tm)
{
	tm.tm_mday++;
	tm.tm_hour = tm.tm_min = tm.tm_sec = 0;
	tm.tm_isdst = -1;
	return mktime(&tm);
}

/* The hours that the clock left out on its way from one to the next. */
static bool is_left_out(const struct cron *cron, const struct tm *before, const struct tm *after)
{
	if (before->tm_mday != after->tm_mday)
		return false;
	for (int hour = before->tm_hour + 1; hour < after->tm_hour; hour++)
		if (cron->hours >> hour & 1)
			return true;
	return false;
}

static bool is_later(const struct tm *a, const struct tm *b)
{
	long long left = ((a->tm_year * 366LL + a->tm_yday) * 24 + a->tm_hour) * 60 + a->tm_min;
	long long right = ((b->tm_year * 366LL + b->tm_yday) * 24 + b->tm_hour) * 60 + b->tm_min;

	return left > right;
}

static uint64_t search(const struct cron *cron, time_t after)
{
	static const uint32_t every_hour = (1u << 24) - 1;
	time_t at = after - after % 60 + 60, last = after + (time_t)YEARS_MOST * 366 * 24 * HOUR;
	struct tm tm, start, before;

	localtime_r(&after, &start);
	while (at < last) {
		localtime_r(&at, &tm);
		if (!is_day(cron, &tm)) {
			at = next_day(tm);
			continue;
		}
		bool is_hour = cron->hours >> tm.tm_hour & 1;
		bool counts = cron->hours == every_hour || is_later(&tm, &start);
		if (is_hour && counts && cron->minutes >> tm.tm_min & 1)
			return (uint64_t)at * 1000000;
		before = tm;
		at += is_hour ? 60 : HOUR - tm.tm_min * 60;
		localtime_r(&at, &tm);
		if (is_left_out(cron, &before, &tm))
			return (uint64_t)at * 1000000;
	}
	return 0;
}

/* TZ of the process stands in for a time zone of our own, which libc has not. */
static char *enter_timezone(const char *zone)
{
	const char *former = getenv("TZ");
	char *kept = former ? memory_copy(former) : NULL;

	if (zone)
		setenv("TZ", zone, 1);
	tzset();
	return kept;
}

static void leave_timezone(const char *zone, char *former)
{
	if (zone && former)
		setenv("TZ", former, 1);
	else if (zone)
		unsetenv("TZ");
	tzset();
	free(former);
}

uint64_t cron_next(const struct cron *cron, const char *zone, uint64_t after_us)
{
	char *former = enter_timezone(zone);
	uint64_t next_us = search(cron, (time_t)(after_us / 1000000));

	leave_timezone(zone, former);
	return next_us;
}

bool cron_timezone_exists(const char *zone)
{
	char path[256];

	if (!*zone || *zone == '/' || strstr(zone, ".."))
		return false;
	snprintf(path, sizeof path, "/usr/share/zoneinfo/%s", zone);
	return strcmp(zone, "UTC") == 0 || access(path, R_OK) == 0;
}
