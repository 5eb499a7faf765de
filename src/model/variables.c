#include "model/variables.h"

#include <assert.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static const struct {
	const char *name;
	bool is_file;
} sources[] = {
	[VARIABLE_OF_ENGINE] = { "engine", false },
	[VARIABLE_OF_PROJECT_FILE] = { "project env_file", true },
	[VARIABLE_OF_PROJECT] = { "project environment", false },
	[VARIABLE_OF_SERVICE_FILE] = { "env_file", true },
	[VARIABLE_OF_SERVICE] = { "environment", false },
	[VARIABLE_OF_THRUM] = { "thrum", false },
};
static_assert(sizeof sources / sizeof *sources == VARIABLE_SOURCE_COUNT, "name every source");

const char *variable_source_name(enum variable_source source)
{
	return sources[source].name;
}

bool variable_source_is_file(enum variable_source source)
{
	return sources[source].is_file;
}

struct layer *layers_add(struct layers *layers, enum variable_source source, const char *path)
{
	layers->items = memory_resize(layers->items, layers->count + 1, sizeof *layers->items);
	struct layer *layer = &layers->items[layers->count++];
	*layer = (struct layer){ .source = source, .path = path ? memory_copy(path) : NULL };
	return layer;
}

void layers_append(struct layers *layers, const struct layers *other)
{
	for (size_t i = 0; i < other->count; i++) {
		const struct layer *from = &other->items[i];
		struct layer *layer = layers_add(layers, from->source, from->path);
		layer->is_optional = from->is_optional;
		for (size_t k = 0; k < from->values.count; k++)
			strings_add(&layer->values, from->values.items[k]);
	}
}

static void layer_finish(struct layer *layer)
{
	free(layer->path);
	free(layer->trouble);
	strings_finish(&layer->values);
}

void layers_drop(struct layers *layers, size_t index)
{
	layer_finish(&layers->items[index]);
	layers->count--;
	memmove(&layers->items[index], &layers->items[index + 1], (layers->count - index) * sizeof *layers->items);
}

void layers_finish(struct layers *layers)
{
	for (size_t i = 0; i < layers->count; i++)
		layer_finish(&layers->items[i]);
	free(layers->items);
	*layers = (struct layers){ 0 };
}

static void put(struct strings *environment, const char *entry)
{
	const char *value = strchr(entry, '=');
	char *name = memory_copy_n(entry, (size_t)(value - entry));

	strings_set_variable(environment, name, value + 1);
	free(name);
}

void layers_merge(const struct layers *layers, struct strings *environment)
{
	strings_finish(environment);
	for (size_t i = 0; i < layers->count; i++)
		for (size_t k = 0; k < layers->items[i].values.count; k++)
			put(environment, layers->items[i].values.items[k]);
}

const struct layer *layers_find(const struct layers *layers, const char *name)
{
	for (size_t i = layers->count; i-- > 0;)
		if (strings_get_variable(&layers->items[i].values, name))
			return &layers->items[i];
	return NULL;
}
