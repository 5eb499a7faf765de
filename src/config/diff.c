#include "config/diff.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "base/utf8.h"
#include "config/print.h"

enum {
	KEY_MOST = 1024,
	SHOWN_MOST = 512, /* bytes of a value that are told */
	PRINT_MOST = 16 * 1024 * 1024,
};

/* What is said otherwise, or means nothing to anybody. */
static const char *const not_compared[] = {
	"instances",
	"origin",
	"env_layers",
	"leaving",
	"fresh_from",
};

/* With all below them. Everything else is what a process was started with. */
static const char *const live_keys[] = {
	"availability",
	"depends_on",
	"disabled",
	"env_file",
	"hooks",
	"limits",
	"liveness_probe.failure_threshold",
	"liveness_probe.initial_delay",
	"liveness_probe.period",
	"liveness_probe.success_threshold",
	"liveness_probe.timeout",
	"log.journald",
	"log.rotate",
	"max_runtime",
	"namespaces",
	"readiness_probe.failure_threshold",
	"readiness_probe.initial_delay",
	"readiness_probe.period",
	"readiness_probe.success_threshold",
	"readiness_probe.timeout",
	"schedule",
	"shutdown",
	"startup_probe.failure_threshold",
	"startup_probe.initial_delay",
	"startup_probe.period",
	"startup_probe.success_threshold",
	"startup_probe.timeout",
	"watch",
};

static bool is_among(const char *key, const char *const *keys, size_t count)
{
	for (size_t i = 0; i < count; i++) {
		size_t length = strlen(keys[i]);
		if (strncmp(key, keys[i], length) == 0 && (!key[length] || key[length] == '.'))
			return true;
	}
	return false;
}

static bool is_live(const char *key)
{
	return is_among(key, live_keys, sizeof live_keys / sizeof *live_keys);
}

static bool is_compared(const char *key)
{
	return !is_among(key, not_compared, sizeof not_compared / sizeof *not_compared);
}

/* In place of the layers: which files they are, for people. */
static json_t *files_of(const struct layers *layers)
{
	json_t *list = json_array();

	for (size_t i = 0; i < layers->count; i++)
		if (layers->items[i].path)
			json_array_append_new(list,
				json_sprintf("%s%s", layers->items[i].is_optional ? "?" : "",
					layers->items[i].path));
	return list;
}

static json_t *comparable(const struct service_spec *spec)
{
	json_t *service = config_service_to_json(spec);

	json_object_set_new(service, "env_file", files_of(&spec->variables));
	return service;
}

/* Long values are cut: it is told that they differ. */
static json_t *shown(json_t *value)
{
	char *text = value ? json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY) : NULL;
	size_t size = text ? strlen(text) : 0, cut = SHOWN_MOST;
	json_t *json = !value ? json_null() : json_incref(value);

	if (size > SHOWN_MOST) {
		while (cut && ((unsigned char)text[cut] & 0xc0) == 0x80)
			cut--; /* not within a character */
		text[cut] = '\0';
		json_decref(json);
		json = json_sprintf("%s …", text);
	}
	free(text);
	return json;
}

/* Calls visit for each value that is no map, in order of its key; one of the two may be missing. */
struct walk {
	void (*visit)(void *context, const char *key, json_t *old, json_t *new);
	void *context;
};

static void compare(const struct walk *walk, const char *prefix, json_t *old, json_t *new);

static void compare_key(
	const struct walk *walk, const char *prefix, const char *name, json_t *old, json_t *new)
{
	char *key = memory_format("%s%s%s", prefix, *prefix ? "." : "", name);

	if (!is_compared(key))
		; /* said otherwise */
	else if ((!old || json_is_object(old)) && (!new || json_is_object(new)))
		compare(walk, key, old, new);
	else
		walk->visit(walk->context, key, old, new);
	free(key);
}

static void compare(const struct walk *walk, const char *prefix, json_t *old, json_t *new)
{
	const char *name;
	json_t *value;

	json_object_foreach(old, name, value)
		compare_key(walk, prefix, name, value, json_object_get(new, name));
	json_object_foreach(new, name, value) if (!json_object_get(old, name))
		compare_key(walk, prefix, name, NULL, value);
}

static void add_change(void *context, const char *key, json_t *old, json_t *new)
{
	if (old && new &&json_equal(old, new))
		return;
	json_array_append_new(context, json_pack("{s:s,s:o,s:o,s:b}", "key", key, "old", shown(old),
					       "new", shown(new), "live", is_live(key)));
}

json_t *config_diff(const struct service_spec *old, const struct service_spec *new)
{
	json_t *changes = json_array(), *before = comparable(old), *after = comparable(new);
	struct walk walk = { add_change, changes };

	compare(&walk, "", before, after);
	json_decref(before);
	json_decref(after);
	return changes;
}

static void add_live(void *context, const char *key, json_t *old, json_t *new)
{
	if (!old || !new || !json_equal(old, new))
		json_array_append_new(context, json_pack("{s:s,s:o,s:o,s:b}", "key", key, "old",
						       shown(old), "new", shown(new), "live", true));
}

/* All else is in the services. */
static json_t *own_keys(const struct project_spec *project)
{
	json_t *json = config_to_json(project);
	json_t *own = json_pack("{s:O*,s:{s:O*}}", "groups", json_object_get(json, "groups"), "log",
		"disk_cap", json_object_get(json_object_get(json, "log"), "disk_cap"));

	json_decref(json);
	return own;
}

json_t *config_diff_project(const struct project_spec *old, const struct project_spec *new)
{
	json_t *changes = json_array(), *before = own_keys(old), *after = own_keys(new);
	struct walk walk = { add_live, changes };

	compare(&walk, "", before, after);
	json_decref(before);
	json_decref(after);
	return changes;
}

/* ---- digests ---- */

static void add_cold(void *context, const char *key, json_t *old, json_t *new)
{
	char *text = is_live(key) ? NULL : json_dumps(old, JSON_COMPACT | JSON_ENCODE_ANY);
	char *line = text ? memory_format("%s=%s", key, text) : NULL;

	(void)new;
	if (line)
		strings_add(context, line);
	free(text);
	free(line);
}

static int compare_lines(const void *one, const void *other)
{
	return strcmp(*(char *const *)one, *(char *const *)other);
}

/* In the order of their names: in which order variables were written means nothing. */
void config_fingerprint(char out[DIGEST_SIZE], const struct service_spec *spec)
{
	json_t *service = config_service_to_json(spec);
	struct strings lines = { 0 };
	struct walk walk = { add_cold, &lines };
	struct text text;

	compare(&walk, "", service, NULL);
	qsort(lines.items, lines.count, sizeof *lines.items, compare_lines);
	text_init(&text, PRINT_MOST);
	for (size_t i = 0; i < lines.count; i++) {
		text_puts(&text, lines.items[i]);
		text_putc(&text, '\n');
	}
	digest_of(out, text_string(&text), text.size);
	text_finish(&text);
	strings_finish(&lines);
	json_decref(service);
}

/* A service as its file has it. */
static json_t *as_written(const struct service_spec *spec)
{
	json_t *service = config_service_to_json(spec), *layer, *layers = json_object_get(service, "env_layers");
	size_t i;

	json_object_del(service, "origin");
	json_array_foreach(layers, i, layer) if (json_object_get(layer, "path"))
		json_object_del(layer, "values");
	if (layers)
		json_object_del(service, "environment"); /* what comes of the layers */
	return service;
}

void config_digest(char out[DIGEST_SIZE], const struct project_spec *project)
{
	json_t *json = config_to_json(project), *processes = json_object();

	for (size_t i = 0; i < project->service_count; i++)
		json_object_set_new(
			processes, project->services[i].name, as_written(&project->services[i]));
	json_object_set_new(json, "processes", processes);
	json_object_del(json, "digest");
	char *text = json_dumps(json, JSON_COMPACT);
	digest_of(out, text, strlen(text));
	free(text);
	json_decref(json);
}
