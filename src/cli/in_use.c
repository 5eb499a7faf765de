#include "cli/in_use.h"

#include <stdio.h>
#include <stdlib.h>

#include "base/pattern.h"
#include "inspect/peers.h"

enum { DIGITS = 8,
	PORT_MOST = 65535 };

/* What is said of it: by Node, by Go and nginx, and by those who name the port in a line of its own. */
static const char complaint[] = "(?i)EADDRINUSE|address (?:is )?already in use";
static const char *const ports[] = {
	"(?i)(?:EADDRINUSE|already in use)[^\\n]*?:\\K[0-9]{1,5}\\b",
	"(?i):\\K[0-9]{1,5}(?=[^0-9][^\\n]*already in use)",
	"(?i)\\bport\\W{1,3}\\K[0-9]{1,5}\\b",
};

static bool finds(const struct pattern *pattern, const json_t *line, char digits[DIGITS])
{
	const json_t *text = json_object_get(line, "text");
	size_t begin, end;

	if (!text || !pattern_find(pattern, json_string_value(text), json_string_length(text), 0, &begin, &end))
		return false;
	snprintf(digits, DIGITS, "%.*s", (int)(end - begin), json_string_value(text) + begin);
	return true;
}

/* The newest line that has it. */
static bool find(const char *what, const json_t *lines, char digits[DIGITS])
{
	struct error err;
	struct pattern *pattern = pattern_create(what, &err);
	bool is_found = false;

	for (size_t i = json_array_size(lines); pattern && i > 0 && !is_found; i--)
		is_found = finds(pattern, json_array_get(lines, i - 1), digits);
	pattern_destroy(pattern);
	return is_found;
}

unsigned in_use_port(const json_t *lines)
{
	char digits[DIGITS];

	if (!find(complaint, lines, digits))
		return 0;
	for (size_t i = 0; i < sizeof ports / sizeof *ports; i++) {
		unsigned long port = find(ports[i], lines, digits) ? strtoul(digits, NULL, 10) : 0;
		if (port && port <= PORT_MOST)
			return (unsigned)port;
	}
	return 0;
}

json_t *in_use_tell(const json_t *lines)
{
	unsigned port = in_use_port(lines);
	char place[DIGITS], holder[64];

	if (!port)
		return NULL;
	snprintf(place, sizeof place, "%u", port);
	bool is_held = peers_holder(holder, sizeof holder, PEER_TCP, place);
	return json_pack("{s:i,s:s?}", "port", (int)port, "by", is_held ? holder : NULL);
}
