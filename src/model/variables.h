/*
 * The variables of a service in layers, one for each file or map that they were written in: what is
 * higher wins, and each variable has a place that it comes from.
 */
#ifndef MODEL_VARIABLES_H
#define MODEL_VARIABLES_H

#include "model/strings.h"

enum variable_source {
	VARIABLE_OF_ENGINE,
	VARIABLE_OF_PROJECT_FILE,
	VARIABLE_OF_PROJECT,
	VARIABLE_OF_SERVICE_FILE,
	VARIABLE_OF_SERVICE,
	VARIABLE_OF_THRUM,
	VARIABLE_SOURCE_COUNT
};
const char *variable_source_name(enum variable_source source); /* "project env_file" … */
bool variable_source_is_file(enum variable_source source);

struct layer {
	enum variable_source source;
	char *path;            /* of a file, absolute; else NULL */
	bool is_optional;      /* … it may be missing */
	char *trouble;         /* … why it could not be read again: these are the values of the last time; else NULL */
	struct strings values; /* "NAME=value" */
};

struct layers {
	struct layer *items;
	size_t count;
};

/* A layer above the others, still empty. path: copied, or NULL. The pointer lives until the next add. */
struct layer *layers_add(struct layers *layers, enum variable_source source, const char *path);
/* Copies of those of other, above the ones that are there. */
void layers_append(struct layers *layers, const struct layers *other);
/* Without that one. */
void layers_drop(struct layers *layers, size_t index);
void layers_finish(struct layers *layers);

/* What comes of them all, in place of what environment was. */
void layers_merge(const struct layers *layers, struct strings *environment);

/* The layer whose value of NAME holds; NULL: none has it. */
const struct layer *layers_find(const struct layers *layers, const char *name);

#endif
