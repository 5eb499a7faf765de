#include "config/compose_files.h"
#include "config/trust.h"

#include <limits.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/strings.h"

enum {
	FILES_MOST = 100,
	INCLUDED_MOST = 1000,
	DEPTH_MOST = 32,
};

struct gathering {
	struct graft *graft;
	struct strings paths; /* real ones, of files that were read … */
	struct node **roots;  /* … and what is in them; owned table */
	unsigned depth;       /* of files that include each other */
	unsigned included;    /* in all: a file may be named more than once */
	bool ok;
};

static struct node *fail(struct gathering *gathering)
{
	gathering->ok = false;
	return NULL;
}

/* ---- files ---- */

/* From the file where it stands, without its name: "" or "sub/". */
static int folder_length(const char *file)
{
	const char *slash = strrchr(file, '/');

	return slash ? (int)(slash + 1 - file) : 0;
}

static char *path_from(struct position at, const char *path)
{
	return path[0] == '/' ? memory_copy(path) : memory_format("%.*s%s", folder_length(at.file), at.file, path);
}

static struct node *scan(struct gathering *gathering, const char *path, struct position at)
{
	struct problems *problems = gathering->graft->problems;
	struct document document = { 0 };
	struct error err;
	struct text text;

	text_init(&text, SCAN_FILE_MOST);
	bool ok = trust_read_file(&text, path, &err) || problem_error(problems, at, "%s", err.text);
	ok = ok && document_scan_yaml(&document, path, text_string(&text), text.size, problems);
	text_finish(&text);
	struct node *root = document_adopt(gathering->graft->document, &document);
	if (ok && (!root || root->kind != NODE_MAP))
		ok = problem_error(problems, at, "%s is no map of keys", path);
	return ok ? root : NULL;
}

/* Each file is read once, however often it is named. */
static struct node *read_root(struct gathering *gathering, const struct node *name)
{
	const char *text = graft_string(name);
	char *path = path_from(name->at, text ? text : ""), real[PATH_MAX];
	struct problems *problems = gathering->graft->problems;
	struct node *root = NULL;
	size_t i = 0;

	if (!text || !realpath(path, real)) {
		problem_error(problems, name->at, "%s cannot be read", text ? path : "a path is one line: this file");
	} else {
		while (i < gathering->paths.count && strcmp(gathering->paths.items[i], real) != 0)
			i++;
		if (i < gathering->paths.count) {
			root = gathering->roots[i];
		} else if (i == FILES_MOST) {
			problem_error(problems, name->at, "more than %d files belong to it", FILES_MOST);
		} else if ((root = scan(gathering, path, name->at))) {
			strings_add(&gathering->paths, real);
			gathering->roots = memory_resize(gathering->roots, i + 1, sizeof *gathering->roots);
			gathering->roots[i] = root;
		}
	}
	free(path);
	return root ? root : fail(gathering);
}

/* ---- one over the other ---- */

/* "NAME=value"; a name alone has the value that it has with us. */
struct node *compose_environment(struct graft *graft, struct node *value)
{
	struct node *map = graft_map(graft, value->at);

	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++) {
		const char *text = graft_string(value->items[i]), *equals = text ? strchr(text, '=') : NULL;
		char *name = memory_copy_n(text ? text : "", equals ? (size_t)(equals - text) : strlen(text ? text : ""));
		struct position at = value->items[i]->at;
		struct node *meaning = equals ? graft_plain(graft, at, equals + 1) : graft_format(graft, at, "${%s-}", name);
		meaning->is_plain = false;
		graft_set(graft, map, name, meaning);
		free(name);
	}
	return value->kind == NODE_LIST ? map : value;
}

static struct node *names_as_map(struct graft *graft, struct node *value)
{
	struct node *map = graft_map(graft, value->at);

	for (size_t i = 0; value->kind == NODE_LIST && i < value->count; i++)
		if (graft_string(value->items[i]))
			graft_set(graft, map, value->items[i]->text, graft_map(graft, value->items[i]->at));
	return value->kind == NODE_LIST ? map : value;
}

/* What a value stands for where there is a longer and a shorter way to say it. */
static struct node *in_full(struct graft *graft, struct node *value, const char *key)
{
	if (strcmp(key, "env_file") == 0 && value->kind == NODE_SCALAR) {
		struct node *list = graft_list(graft, value->at);
		node_append(list, value);
		return list;
	}
	if (strcmp(key, "environment") == 0)
		return compose_environment(graft, value);
	return strcmp(key, "depends_on") == 0 ? names_as_map(graft, value) : value;
}

static bool replaces(const char *key)
{
	static const char *const keys[] = { "command", "entrypoint", "test", "extends" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcmp(key, keys[i]) == 0)
			return true;
	return false;
}

/* Maps key by key, lists one behind the other, all else is replaced. */
static struct node *merge(struct graft *graft, struct node *below, struct node *above, const char *key, unsigned depth)
{
	below = below ? in_full(graft, below, key) : NULL;
	above = in_full(graft, above, key);
	if (!below || below->kind != above->kind || above->kind == NODE_SCALAR || replaces(key) || depth > DEPTH_MOST)
		return above;
	struct node *merged = document_add(graft->document, above->kind, above->at);
	for (size_t i = 0; i < below->count; i++)
		node_append(merged, below->items[i]);
	for (size_t i = 0; i < above->count; i++)
		if (above->kind == NODE_LIST)
			node_append(merged, above->items[i]);
	for (size_t i = 0; above->kind == NODE_MAP && i < above->count; i += 2) {
		const char *name = above->items[i]->text;
		graft_set(graft, merged, name, merge(graft, node_get(below, name), above->items[i + 1], name, depth + 1));
	}
	return merged;
}

static struct node *without(struct graft *graft, const struct node *map, const char *key)
{
	struct node *copy = graft_map(graft, map->at);

	for (size_t i = 0; i < map->count; i += 2) {
		if (strcmp(map->items[i]->text, key) == 0)
			continue;
		node_append(copy, map->items[i]);
		node_append(copy, map->items[i + 1]);
	}
	return copy;
}

/* ---- what is relative to another file ---- */

static struct node *place_path(struct graft *graft, struct node *path)
{
	const char *text = graft_string(path), *first = graft->document->name;
	size_t length = (size_t)folder_length(first);

	if (!text || text[0] == '/' || text[0] == '$')
		return path;
	char *placed = path_from(path->at, text);
	bool is_below = strncmp(placed, first, length) == 0;
	struct node *node = graft_plain(graft, graft->document->root->at, is_below ? placed + length : placed);
	free(placed);
	return node;
}

static struct node *place_env_file(struct graft *graft, struct node *value)
{
	if (value->kind == NODE_SCALAR)
		return place_path(graft, value);
	struct node *copy = document_add(graft->document, value->kind, value->at);
	for (size_t i = 0; i < value->count; i++) {
		bool is_path = value->kind == NODE_LIST || (i % 2 && strcmp(value->items[i - 1]->text, "path") == 0);
		node_append(copy, is_path ? place_env_file(graft, value->items[i]) : value->items[i]);
	}
	return copy;
}

/* A copy whose env_file is found from the folder of the first file. */
static struct node *place(struct graft *graft, struct node *service)
{
	const char *first = graft->document->name, *its = service->at.file;
	struct node *files = node_get(service, "env_file");
	int length = folder_length(its);

	if (service->kind != NODE_MAP || !files || (length == folder_length(first) && strncmp(first, its, (size_t)length) == 0))
		return service;
	struct node *copy = without(graft, service, "");
	graft_set(graft, copy, "env_file", place_env_file(graft, files));
	return copy;
}

/* ---- services ---- */

static struct node *resolve(
	struct gathering *gathering, const struct node *services, const char *name, struct position at, unsigned depth);

/* What it extends: `extends: NAME`, or `{service: NAME, file: PATH}`. */
static struct node *resolve_base(struct gathering *gathering, const struct node *services, const struct node *extends, unsigned depth)
{
	struct node *named = extends->kind == NODE_MAP ? node_get(extends, "service") : (struct node *)extends;
	struct node *file = node_get(extends, "file");
	const char *name = graft_string(named);

	if (!name) {
		problem_error(gathering->graft->problems, extends->at, "extends is the name of a service, or {service: NAME, file: PATH}");
		return fail(gathering);
	}
	if (depth > DEPTH_MOST) {
		problem_error(gathering->graft->problems, extends->at, "'%.60s' extends itself, by way of others", name);
		return fail(gathering);
	}
	if (file && !node_is_null(file)) {
		const struct node *root = read_root(gathering, file);
		services = node_get(root, "services");
		if (!root)
			return NULL;
	}
	return resolve(gathering, services, name, named->at, depth);
}

static struct node *resolve(
	struct gathering *gathering, const struct node *services, const char *name, struct position at, unsigned depth)
{
	struct node *service = node_get(services, name), *extends = node_get(service, "extends");

	if (!service) {
		problem_error(gathering->graft->problems, at, "there is no service '%.60s' to extend", name);
		return fail(gathering);
	}
	service = place(gathering->graft, service);
	if (node_is_null(extends))
		return service;
	struct node *base = resolve_base(gathering, services, extends, depth + 1);
	return !base ? NULL : without(gathering->graft, merge(gathering->graft, base, service, "", 0), "extends");
}

static void add_services(struct gathering *gathering, struct node *all, const struct node *services, bool overrides)
{
	for (size_t i = 0; i < services->count; i += 2) {
		const struct node *name = services->items[i];
		struct node *service = resolve(gathering, services, name->text, name->at, 0), *known = node_get(all, name->text);
		if (service && known && !overrides)
			gathering->ok = problem_error(gathering->graft->problems, name->at,
				"there are two services '%.60s', by way of include", name->text);
		else if (service)
			graft_set(gathering->graft, all, name->text, merge(gathering->graft, known, service, "", 0));
	}
}

/* ---- include ---- */

static void gather(struct gathering *gathering, struct node *all, const struct node *root, bool overrides);

/* Several paths of one entry are a file and what is to be said differently of it. */
static void include_paths(struct gathering *gathering, struct node *all, const struct node *path)
{
	struct node *own = graft_map(gathering->graft, path->at);
	bool is_list = path->kind == NODE_LIST;

	for (size_t i = 0; i < (is_list ? path->count : 1) && gathering->ok; i++) {
		const struct node *root = read_root(gathering, is_list ? path->items[i] : path);
		if (root)
			gather(gathering, own, root, i > 0);
	}
	add_services(gathering, all, own, false);
}

static void include_all(struct gathering *gathering, struct node *all, const struct node *include)
{
	if (include->kind != NODE_LIST || gathering->depth == DEPTH_MOST || ++gathering->included > INCLUDED_MOST) {
		gathering->ok = problem_error(gathering->graft->problems, include->at,
			include->kind != NODE_LIST ? "include is a list of paths" : "files include each other without end");
		return;
	}
	gathering->depth++;
	for (size_t i = 0; i < include->count && gathering->ok; i++) {
		const struct node *item = include->items[i], *path = item->kind == NODE_MAP ? node_get(item, "path") : item;
		for (size_t k = 0; item->kind == NODE_MAP && k < item->count; k += 2)
			if (strcmp(item->items[k]->text, "path") != 0)
				problem_warning(gathering->graft->problems, item->items[k]->at, "include: %.60s has no equivalent",
					item->items[k]->text);
		if (path)
			include_paths(gathering, all, path);
		else
			gathering->ok = problem_error(gathering->graft->problems, item->at, "include: which path?");
	}
	gathering->depth--;
}

static void gather(struct gathering *gathering, struct node *all, const struct node *root, bool overrides)
{
	const struct node *include = node_get(root, "include"), *services = node_get(root, "services");

	if (!node_is_null(include))
		include_all(gathering, all, include);
	if (services && services->kind == NODE_MAP && gathering->ok)
		add_services(gathering, all, services, overrides);
}

struct node *compose_gather(struct graft *graft, const struct node *root)
{
	struct gathering gathering = { .graft = graft, .ok = true };
	struct node *all = graft_map(graft, root->at);

	gather(&gathering, all, root, false);
	strings_finish(&gathering.paths);
	free(gathering.roots);
	return gathering.ok ? all : NULL;
}
