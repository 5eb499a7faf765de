#include "fleet/settings.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

enum { PORT = 6379,
	CLAIM_MS = 60 * 1000,
	DELIVERIES = 3 };

static const char *variable(const char *name, const char *otherwise)
{
	const char *value = getenv(name);

	return value && *value ? value : otherwise;
}

static bool read_number(const char *name, uint64_t least, uint64_t *number, struct error *err)
{
	const char *text = variable(name, NULL);
	char *end;

	if (!text)
		return true;
	errno = 0;
	unsigned long long value = strtoull(text, &end, 10);
	if (errno || *end || text[0] == '-' || value < least)
		return error_set(err, EINVAL, "%s: '%.40s' is no number from %llu on", name, text, (unsigned long long)least);
	*number = value;
	return true;
}

/* PORT, HOST, HOST:PORT, [HOST]:PORT, or unix:///PATH. */
static bool take_server(struct settings *settings, struct error *err)
{
	const char *text = settings->server, *colon = strrchr(text, ':');
	size_t length = strlen(text);

	if (strncmp(text, "unix://", 7) == 0) {
		settings->path = text + 7;
		return text[7] == '/' || error_set(err, EINVAL, "%.100s: the path of a socket is absolute: unix:///PATH", text);
	}
	bool is_port = strspn(text, "0123456789") == length, is_bare = strchr(text, ':') != colon && text[0] != '[';
	const char *digits = is_port ? text : colon && !is_bare ? colon + 1
								: NULL;
	char *end = NULL;
	settings->port = digits && !strchr(digits, ']') ? (unsigned)strtoul(digits, &end, 10) : PORT;
	if (end)
		length = is_port ? 0 : (size_t)(colon - text);
	if (length >= 2 && text[0] == '[' && text[length - 1] == ']')
		text++, length -= 2;
	if ((end && *end) || !settings->port || settings->port > 65535 || length >= sizeof settings->host)
		return error_set(err, EINVAL, "%.100s: not PORT, HOST:PORT or unix:///PATH", settings->server);
	snprintf(settings->host, sizeof settings->host, "%.*s", (int)length, text);
	if (!settings->host[0])
		snprintf(settings->host, sizeof settings->host, "127.0.0.1");
	return true;
}

bool settings_read(struct settings *settings, struct error *err)
{
	*settings = (struct settings){
		.server = variable("THRUM_REDIS", NULL),
		.user = variable("THRUM_REDIS_USER", NULL),
		.password = variable("THRUM_REDIS_PASSWORD", NULL),
		.prefix = variable("THRUM_REDIS_PREFIX", "thrum"),
		.project = variable("THRUM_PROJECT", ""),
		.claim_ms = CLAIM_MS,
		.deliveries = DELIVERIES,
	};
	if (!settings->server)
		return error_set(err, EINVAL, "THRUM_REDIS is not set: HOST:PORT or unix:///PATH of a Redis server");
	if (gethostname(settings->machine, sizeof settings->machine - 1) < 0)
		snprintf(settings->machine, sizeof settings->machine, "localhost");
	const char *name = variable("THRUM_REDIS_NAME", NULL);
	snprintf(settings->name, sizeof settings->name, "%.*s/%.64s", SETTINGS_NAME_SIZE - 70, name ? name : settings->machine,
		settings->project);
	return take_server(settings, err) && read_number("THRUM_REDIS_DATABASE", 0, &settings->database, err) &&
	       read_number("THRUM_REDIS_CLAIM_MS", 100, &settings->claim_ms, err) &&
	       read_number("THRUM_REDIS_DELIVERIES", 1, &settings->deliveries, err);
}
