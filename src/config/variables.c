/* The keys that set variables: each file and each map is a layer of its own. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/environment.h"
#include "config/take.h"

enum { LAYERS_MOST = 64 };

#define TAKES(name) static TAKES_OF(name)

static struct layer *add_layer(struct reading *reading, const struct node *value,
	struct layers *layers, enum variable_source source, const char *path)
{
	if (layers->count < LAYERS_MOST)
		return layers_add(layers, source, path);
	problem_error(reading->problems, value->at, "at most %d files and maps of variables", LAYERS_MOST);
	return NULL;
}

static bool set_variable(struct reading *reading, struct strings *variables, const struct node *at,
	const char *name, const char *value)
{
	if (!variable_name_is_valid(name))
		return problem_error(reading->problems, at->at,
			"'%.60s' cannot be the name of a variable", name);
	strings_set_variable(variables, name, value);
	return true;
}

/* "NAME=value", as an item of a list */
TAKES(take_assignment)
{
	char *text = schema_text(reading, value, key->name),
	     *equals = text ? strchr(text, '=') : NULL;

	if (!text)
		return false;
	bool ok = equals || problem_error(reading->problems, value->at,
				    "%s: an item is NAME=value", key->name);
	if (ok) {
		*equals = '\0';
		ok = set_variable(reading, place, value, text, equals + 1);
	}
	free(text);
	return ok;
}

static bool take_values(struct reading *reading, const struct node *value, struct strings *values,
	const struct key *key)
{
	bool ok = true;

	if (value->kind != NODE_MAP)
		return take_each(reading, value, values, key, take_assignment);
	for (size_t i = 0; i < value->count; i += 2) {
		const struct node *item = value->items[i + 1];
		char *text = node_is_null(item) ? memory_copy("")
						: schema_text(reading, item, value->items[i]->text);
		ok = text &&
		     set_variable(reading, values, value->items[i], value->items[i]->text, text) &&
		     ok;
		free(text);
	}
	return ok;
}

TAKES_OF(take_environment)
{
	struct layer *layer = add_layer(reading, value, place, VARIABLE_OF_SERVICE, NULL);

	return layer && take_values(reading, value, &layer->values, key);
}

/* "?" before a path: it may be missing */
TAKES(take_env_file)
{
	char *text = schema_text(reading, value, key->name);

	if (!text)
		return false;
	bool is_optional = text[0] == '?';
	char *path = take_path_from(reading->dir, text + is_optional);
	struct layer *layer = add_layer(reading, value, place, VARIABLE_OF_SERVICE_FILE, path);
	bool ok = layer && environment_load(&layer->values, path, is_optional, value->at,
				   reading->problems);
	if (layer)
		layer->is_optional = is_optional;
	free(path);
	free(text);
	return ok;
}

TAKES_OF(take_env_files)
{
	return take_each(reading, value, place, key, take_env_file);
}

/* ---- as config_print writes them ---- */

static enum variable_source source_of(const struct node *map)
{
	const struct node *source = node_get(map, "source");

	for (enum variable_source i = 0; i < VARIABLE_SOURCE_COUNT; i++)
		if (source && source->kind == NODE_SCALAR &&
			strcmp(source->text, variable_source_name(i)) == 0)
			return i;
	return VARIABLE_SOURCE_COUNT;
}

static bool is_layer(const struct node *value, const struct node *path, const struct node *values)
{
	enum variable_source source = value->kind == NODE_MAP ? source_of(value)
							      : VARIABLE_SOURCE_COUNT;

	return source != VARIABLE_SOURCE_COUNT && values && values->kind == NODE_MAP &&
	       (!path || path->kind == NODE_SCALAR) && variable_source_is_file(source) == (path != NULL);
}

TAKES(take_layer)
{
	const struct node *path = value->kind == NODE_MAP ? node_get(value, "path") : NULL;
	const struct node *values = value->kind == NODE_MAP ? node_get(value, "values") : NULL;
	const struct node *optional = value->kind == NODE_MAP ? node_get(value, "optional") : NULL;

	if (!is_layer(value, path, values))
		return problem_error(reading->problems, value->at,
			"%s is written by thrum alone: an item has source, path and values", key->name);
	struct layer *layer = add_layer(
		reading, value, place, source_of(value), path ? path->text : NULL);
	if (!layer)
		return false;
	layer->is_optional = optional && optional->kind == NODE_SCALAR &&
			     strcmp(optional->text, "true") == 0;
	return take_values(reading, values, &layer->values, key);
}

/* `environment` says the same without the layers: these take its place. */
TAKES_OF(take_layers)
{
	layers_finish(place);
	return take_each(reading, value, place, key, take_layer);
}
