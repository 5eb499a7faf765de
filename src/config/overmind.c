#include "config/overmind.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/environment.h"
#include "model/strings.h"

enum { PORT_FIRST = 5000,
	PORT_STEP = 100 };

struct options {
	struct graft *graft;
	struct node *processes;
	struct strings values;      /* of .overmind.env */
	struct strings environment; /* of .env */
	struct position at;         /* of .overmind.env */
};

struct option {
	const char *name;
	/* Takes one item of a comma-separated list: "web=2", or "web". */
	bool (*take)(struct options *options, const char *item, const char *value);
};

/* All services, or the one of that name. */
static bool put(struct options *options, const char *name, const char *path, const char *value)
{
	bool is_all = strcmp(name, "all") == 0, is_found = is_all;

	for (size_t i = 0; i < options->processes->count; i += 2) {
		const struct node *key = options->processes->items[i];
		if (!is_all && strcmp(key->text, name) != 0)
			continue;
		graft_put(options->graft, options->processes->items[i + 1], path,
			graft_plain(options->graft, options->at, value));
		is_found = true;
	}
	return is_found || problem_error(options->graft->problems, options->at, "'%.60s' is not in the Procfile", name);
}

static bool take_formation(struct options *options, const char *name, const char *value)
{
	if (value && strcmp(value, "0") == 0)
		return put(options, name, "disabled", "true");
	return value ? put(options, name, "instances", value)
		     : problem_error(options->graft->problems, options->at, "OVERMIND_FORMATION is web=1,worker=5");
}

static bool take_ignored(struct options *options, const char *name, const char *value)
{
	(void)value;
	return put(options, name, "disabled", "true");
}

static bool take_restarted(struct options *options, const char *name, const char *value)
{
	(void)value;
	return put(options, name, "availability.restart", "always");
}

static bool take_signal(struct options *options, const char *name, const char *value)
{
	return value ? put(options, name, "shutdown.signal", value)
		     : problem_error(options->graft->problems, options->at, "OVERMIND_STOP_SIGNALS is web=TERM,worker=QUIT");
}

static bool take_timeout(struct options *options, const char *seconds, const char *value)
{
	(void)value;
	return put(options, "all", "shutdown.timeout", seconds);
}

static const struct option options_known[] = {
	{ "OVERMIND_FORMATION", take_formation },
	{ "OVERMIND_IGNORED_PROCESSES", take_ignored },
	{ "OVERMIND_AUTO_RESTART", take_restarted },
	{ "OVERMIND_STOP_SIGNALS", take_signal },
	{ "OVERMIND_TIMEOUT", take_timeout },
};

static bool take_list(struct options *options, const struct option *option, const char *list)
{
	bool ok = true;

	for (const char *at = list; *(at += strspn(at, ", "));) {
		size_t length = strcspn(at, ", ");
		char *item = memory_copy_n(at, length), *equals = strchr(item, '=');
		if (equals)
			*equals++ = '\0';
		ok = option->take(options, item, equals) && ok;
		free(item);
		at += length;
	}
	return ok;
}

static unsigned number_of(const struct options *options, const char *name, unsigned otherwise)
{
	const char *value = strings_get_variable(&options->values, name);

	return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

/* As foreman finds the first one: in .env, or where it was started. */
static unsigned first_port(const struct options *options)
{
	const char *given = strings_get_variable(&options->environment, "PORT");

	given = given ? given : getenv("PORT");
	unsigned port = given ? (unsigned)strtoul(given, NULL, 10) : 0;
	return port ? port : PORT_FIRST;
}

/* Each line of the Procfile has a port of its own, a hundred apart. */
static void put_ports(struct options *options)
{
	unsigned port = number_of(options, "OVERMIND_PORT", first_port(options));
	const char *off = strings_get_variable(&options->values, "OVERMIND_NO_PORT");

	if (off && strcmp(off, "0") != 0)
		return;
	for (size_t i = 0; i < options->processes->count; i += 2) {
		graft_put(options->graft, options->processes->items[i + 1], "environment.PORT",
			graft_format(options->graft, options->at, "%u", port));
		port += number_of(options, "OVERMIND_PORT_STEP", PORT_STEP);
	}
}

/* A file beside the Procfile, if it is there. */
static bool load_beside(struct options *options, const char *procfile, const char *name, struct strings *values)
{
	const char *slash = strrchr(procfile, '/');
	char *path = memory_format("%.*s%s", slash ? (int)(slash - procfile + 1) : 0, procfile, name);
	struct node *place = graft_plain(options->graft, (struct position){ 0 }, path);

	free(path);
	options->at.file = place->text; /* it lives as long as the document */
	return environment_load(values, place->text, true, options->at, options->graft->problems);
}

bool overmind_apply(struct graft *graft, struct node *processes, const char *name)
{
	struct options options = { .graft = graft, .processes = processes };
	bool ok = load_beside(&options, name, ".env", &options.environment) &&
		  load_beside(&options, name, ".overmind.env", &options.values);

	for (size_t i = 0; ok && i < sizeof options_known / sizeof *options_known; i++) {
		const char *list = strings_get_variable(&options.values, options_known[i].name);
		ok = !list || take_list(&options, &options_known[i], list);
	}
	if (ok)
		put_ports(&options);
	strings_finish(&options.environment);
	strings_finish(&options.values);
	return ok;
}
