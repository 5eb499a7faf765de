#include "engine/environment.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/log.h"
#include "base/memory.h"
#include "config/environment.h"
#include "config/problem.h"
#include "engine/child.h"
#include "engine/leftovers.h"
#include "engine/resuming.h"
#include "engine/starting.h"
#include "protocol/value.h"

enum { ENVIRON_MOST = 4 * 1024 * 1024 };

/* ---- reading again ---- */

static bool read_again(const struct layer *layer, struct strings *values, struct error *err)
{
	struct problems problems;

	problems_init(&problems);
	bool ok = environment_load(values, layer->path, layer->is_optional,
		(struct position){ 0 }, &problems);
	if (!ok)
		problems_first(&problems, 0, err);
	problems_finish(&problems);
	return ok;
}

static void use(struct layer *layer, struct strings *values)
{
	strings_finish(&layer->values);
	layer->values = *values;
	*values = (struct strings){ 0 };
}

/* True: its values are others now. */
static bool refresh_layer(struct layer *layer)
{
	struct strings values = { 0 };
	struct error err;
	bool ok = read_again(layer, &values, &err);
	bool has_changed = ok && !strings_are_equal(&values, &layer->values);

	free(layer->trouble);
	layer->trouble = ok ? NULL : memory_copy(err.text);
	if (has_changed)
		use(layer, &values);
	strings_finish(&values);
	return has_changed;
}

/* The same trouble is said once. */
static bool refresh_and_tell(struct engine *engine, const struct service *service, struct layer *layer)
{
	char *former = memory_copy(layer->trouble);
	bool has_changed = refresh_layer(layer);

	if (layer->trouble && (!former || strcmp(former, layer->trouble) != 0))
		engine_tell(engine, "%s: %s: its variables stay as they were", service->spec->name,
			layer->trouble);
	free(former);
	return has_changed;
}

void environment_refresh(struct engine *engine, struct service *service)
{
	struct layers *layers = &service->spec->variables;
	bool has_changed = false;

	for (size_t i = 0; i < layers->count; i++)
		if (layers->items[i].path)
			has_changed |= refresh_and_tell(engine, service, &layers->items[i]);
	if (!has_changed)
		return;
	layers_merge(layers, &service->spec->environment);
	if (!resuming_keep_spec(engine))
		log_line("%s: its variables cannot be kept: %s", service->spec->name, strerror(errno));
}

/* ---- telling ---- */

/* What a running process was started with; it may have written over it since. */
static bool read_environ(pid_t pid, struct text *block)
{
	char path[64];
	struct error ignored;

	snprintf(path, sizeof path, "/proc/%d/environ", (int)pid);
	return pid && text_read_file(block, path, &ignored);
}

static const char *find_running(const struct text *block, const char *name)
{
	size_t length = strlen(name);
	const char *end = text_string(block) + block->size;

	for (const char *entry = text_string(block); entry < end; entry += strlen(entry) + 1)
		if (strncmp(entry, name, length) == 0 && entry[length] == '=')
			return entry + length + 1;
	return NULL;
}

/* Where the value that won is from. */
static enum variable_source source_of(
	const struct layers *layers, const char *name, const char *value, const char **path)
{
	const struct layer *layer = layers_find(layers, name);
	const char *ours = getenv(name);

	*path = NULL;
	if (layer && strcmp(strings_get_variable(&layer->values, name), value) == 0) {
		*path = layer->path;
		return layer->source;
	}
	return ours && strcmp(ours, value) == 0 ? VARIABLE_OF_ENGINE : VARIABLE_OF_THRUM;
}

static json_t *describe_variable(
	const struct layers *layers, const char *entry, const struct text *running)
{
	const char *value = strchr(entry, '=') + 1, *path;
	char *name = memory_copy_n(entry, (size_t)(value - entry - 1));
	const char *has = find_running(running, name);
	enum variable_source source = source_of(layers, name, value, &path);
	json_t *json = json_pack("{s:o,s:o,s:s,s:o}", "name", text_to_json(name, strlen(name)),
		"value", text_to_json(value, strlen(value)), "source", variable_source_name(source),
		"path", path ? text_to_json(path, strlen(path)) : json_null());

	if (has && strcmp(has, value) != 0)
		json_object_set_new(json, "running", text_to_json(has, strlen(has)));
	free(name);
	return json;
}

static json_t *describe_all(const struct layers *layers, const struct strings *environment, pid_t pid)
{
	struct text running;
	json_t *list = json_array();

	text_init(&running, ENVIRON_MOST);
	read_environ(pid, &running);
	for (size_t i = 0; i < environment->count; i++)
		if (strchr(environment->items[i], '='))
			json_array_append_new(
				list, describe_variable(layers, environment->items[i], &running));
	text_finish(&running);
	return list;
}

/* Returns what is wrong with the files. */
static json_t *refresh_copy(struct layers *layers)
{
	json_t *troubles = json_array();

	for (size_t i = 0; i < layers->count; i++) {
		struct layer *layer = &layers->items[i];
		if (layer->path)
			refresh_layer(layer);
		if (layer->trouble)
			json_array_append_new(
				troubles, text_to_json(layer->trouble, strlen(layer->trouble)));
	}
	return troubles;
}

json_t *environment_describe(struct engine *engine, const struct member *member)
{
	struct service_spec spec = *member_spec(member); /* all but its variables is borrowed */
	struct strings environment = { 0 };
	char marker[MARKER_SIZE] = "";
	struct newborn who;

	spec.variables = (struct layers){ 0 };
	spec.environment = (struct strings){ 0 };
	layers_append(&spec.variables, &member_spec(member)->variables);
	json_t *stale = refresh_copy(&spec.variables);
	layers_merge(&spec.variables, &spec.environment);
	if (member->life >= 0)
		marker_format(marker, &engine->store->lives[member->life]);
	starting_introduce(engine, member, marker, &who);
	child_environment(&environment, &spec, &who);
	json_t *result = json_pack("{s:s,s:i,s:i,s:o,s:o}", "service", spec.name, "instance",
		(int)member->now.index, "pid", (int)member->now.pid, "variables",
		describe_all(&spec.variables, &environment, member->now.pid), "stale", stale);
	layers_finish(&spec.variables);
	strings_finish(&spec.environment);
	strings_finish(&environment);
	return result;
}
