#include "wire/notification.h"

#include <string.h>

static bool is_one(const char *value, size_t size)
{
	return size == 1 && value[0] == '1';
}

static void take_ready(struct notification *out, const char *value, size_t size)
{
	out->is_ready |= is_one(value, size);
}

static void take_reloading(struct notification *out, const char *value, size_t size)
{
	out->is_reloading |= is_one(value, size);
}

static void take_stopping(struct notification *out, const char *value, size_t size)
{
	out->is_stopping |= is_one(value, size);
}

static void take_watchdog(struct notification *out, const char *value, size_t size)
{
	out->is_alive |= is_one(value, size);
	out->is_failing |= size == 7 && memcmp(value, "trigger", 7) == 0;
}

static void take_status(struct notification *out, const char *value, size_t size)
{
	size_t most = sizeof out->status - 1;

	out->has_status = true;
	size = size < most ? size : most;
	memcpy(out->status, value, size);
	out->status[size] = '\0';
}

/* More than an hour at a time is nobody's honest wish. */
static void take_extension(struct notification *out, const char *value, size_t size)
{
	static const uint64_t most_us = 3600ull * 1000000;
	uint64_t us = 0;

	for (size_t i = 0; i < size; i++) {
		if (value[i] < '0' || value[i] > '9')
			return;
		us = us > most_us ? us : us * 10 + (uint64_t)(value[i] - '0');
	}
	out->extend_us = us < most_us ? us : most_us;
}

static const struct {
	const char *name;
	void (*take)(struct notification *out, const char *value, size_t size);
} names[] = {
	{ "EXTEND_TIMEOUT_USEC", take_extension },
	{ "READY", take_ready },
	{ "RELOADING", take_reloading },
	{ "STATUS", take_status },
	{ "STOPPING", take_stopping },
	{ "WATCHDOG", take_watchdog },
};

static void take_line(struct notification *out, const char *line, size_t size)
{
	const char *equals = memchr(line, '=', size);
	size_t length = equals ? (size_t)(equals - line) : 0;

	for (size_t i = 0; length && i < sizeof names / sizeof *names; i++)
		if (strlen(names[i].name) == length && memcmp(names[i].name, line, length) == 0)
			names[i].take(out, equals + 1, size - length - 1);
}

void notification_parse(struct notification *out, const char *bytes, size_t size)
{
	*out = (struct notification){ 0 };
	while (size > 0) {
		const char *end = memchr(bytes, '\n', size);
		size_t length = end ? (size_t)(end - bytes) : size;
		take_line(out, bytes, length);
		bytes += length + (end != NULL);
		size -= length + (end != NULL);
	}
}
