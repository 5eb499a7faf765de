#include "config/scan.h"

#include <jansson.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <yaml.h>

#include "base/memory.h"

/* A name given by &, and the node that it means. */
struct anchor {
	char *name; /* owned */
	struct node *node;
};

struct scan {
	yaml_parser_t parser;
	struct document *document;
	struct problems *problems;
	struct anchor *anchors; /* owned */
	size_t anchor_count, anchor_room;
};

static void own(struct document *document, struct node *node)
{
	if (document->count == document->room) {
		document->room = document->room ? document->room * 2 : 64;
		document->nodes = memory_resize(document->nodes, document->room, sizeof *document->nodes);
	}
	document->nodes[document->count++] = node;
}

/* Places point at names and texts: nodes hold them. */
struct node *document_adopt(struct document *document, struct document *other)
{
	struct node *root = other->root;

	for (size_t i = 0; i < other->count; i++)
		own(document, other->nodes[i]);
	document_add(document, NODE_SCALAR, (struct position){ 0 })->text = other->name;
	document_add(document, NODE_SCALAR, (struct position){ 0 })->text = other->source;
	free(other->nodes);
	*other = (struct document){ 0 };
	return root;
}

struct node *document_add(struct document *document, enum node_kind kind, struct position at)
{
	struct node *node = memory_zeroed(1, sizeof *node);

	own(document, node);
	node->kind = kind;
	node->at = at;
	return node;
}

/* The room is the next power of two: count says it. */
void node_append(struct node *node, struct node *item)
{
	if ((node->count & (node->count - 1)) == 0)
		node->items = memory_resize(
			node->items, node->count ? node->count * 2 : 1, sizeof *node->items);
	node->items[node->count++] = item;
}

void document_finish(struct document *document)
{
	for (size_t i = 0; i < document->count; i++) {
		free(document->nodes[i]->text);
		free(document->nodes[i]->items);
		free(document->nodes[i]);
	}
	free(document->nodes);
	free(document->source);
	free(document->name);
	*document = (struct document){ 0 };
}

struct node *node_get(const struct node *map, const char *key)
{
	for (size_t i = 0; map && map->kind == NODE_MAP && i < map->count; i += 2)
		if (map->items[i]->kind == NODE_SCALAR && strcmp(map->items[i]->text, key) == 0)
			return map->items[i + 1];
	return NULL;
}

bool node_is_null(const struct node *node)
{
	static const char *const nulls[] = { "", "~", "null", "Null", "NULL" };

	if (!node)
		return true;
	for (size_t i = 0;
		node->kind == NODE_SCALAR && node->is_plain && i < sizeof nulls / sizeof *nulls;
		i++)
		if (strcmp(node->text, nulls[i]) == 0)
			return true;
	return false;
}

static struct position place(const struct document *document, const yaml_mark_t *mark)
{
	return (struct position){ document->name, document->source, (unsigned)mark->line + 1,
		(unsigned)mark->column + 1 };
}

static void say_syntax(struct scan *scan)
{
	const yaml_parser_t *parser = &scan->parser;
	struct position at = place(scan->document, &parser->problem_mark);

	if (parser->error == YAML_READER_ERROR)
		problem_error(scan->problems, (struct position){ .file = scan->document->name },
			"byte %zu: %s", parser->problem_offset, parser->problem);
	else if (parser->context)
		problem_error(scan->problems, at, "%s (%s, which begins in line %zu)",
			parser->problem, parser->context, parser->context_mark.line + 1);
	else
		problem_error(scan->problems, at, "%s",
			parser->problem ? parser->problem : "cannot be read");
}

static bool next_event(struct scan *scan, yaml_event_t *event)
{
	if (yaml_parser_parse(&scan->parser, event))
		return true;
	say_syntax(scan);
	return false;
}

static void remember_anchor(struct scan *scan, const yaml_char_t *name, struct node *node)
{
	if (!name)
		return;
	if (scan->anchor_count == scan->anchor_room) {
		scan->anchor_room = scan->anchor_room ? scan->anchor_room * 2 : 8;
		scan->anchors =
			memory_resize(scan->anchors, scan->anchor_room, sizeof *scan->anchors);
	}
	scan->anchors[scan->anchor_count++] =
		(struct anchor){ memory_copy((const char *)name), node };
}

/* The newest of that name counts. */
static struct node *find_anchor(struct scan *scan, const yaml_event_t *event)
{
	const char *name = (const char *)event->data.alias.anchor;
	struct position at = place(scan->document, &event->start_mark);

	for (size_t i = scan->anchor_count; i > 0; i--) {
		if (strcmp(scan->anchors[i - 1].name, name) != 0)
			continue;
		if (!scan->anchors[i - 1].node->is_open)
			return scan->anchors[i - 1].node;
		problem_error(scan->problems, at, "*%s stands inside of what it means", name);
		return NULL;
	}
	problem_error(scan->problems, at, "*%s: nothing is called &%s before", name, name);
	return NULL;
}

static struct node *scan_node(struct scan *scan, const yaml_event_t *event, unsigned depth);

static struct node *scan_scalar(struct scan *scan, const yaml_event_t *event)
{
	const char *value = (const char *)event->data.scalar.value;
	size_t length = event->data.scalar.length;
	struct position at = place(scan->document, &event->start_mark);

	if (memchr(value, '\0', length)) {
		problem_error(scan->problems, at, "a NUL character is in this value");
		return NULL;
	}
	struct node *node = document_add(scan->document, NODE_SCALAR, at);
	node->text = memory_copy_n(value, length);
	node->is_plain = event->data.scalar.style == YAML_PLAIN_SCALAR_STYLE;
	remember_anchor(scan, event->data.scalar.anchor, node);
	return node;
}

static int compare_keys(const void *a, const void *b)
{
	const struct node *one = *(struct node *const *)a, *other = *(struct node *const *)b;
	int order = strcmp(one->text, other->text);

	if (order)
		return order;
	return one->at.line != other->at.line ? (one->at.line < other->at.line ? -1 : 1)
					      : (int)one->at.column - (int)other->at.column;
}

static bool check_keys(struct problems *problems, const struct node *map)
{
	size_t count = map->count / 2;
	struct node **keys = memory_resize(NULL, count, sizeof *keys);
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		keys[i] = map->items[i * 2];
		if (keys[i]->kind != NODE_SCALAR)
			ok = problem_error(problems, keys[i]->at, "a key must be a name");
	}
	if (ok)
		qsort(keys, count, sizeof *keys, compare_keys);
	for (size_t i = 1; ok && i < count; i++)
		if (strcmp(keys[i]->text, "<<") != 0 &&
			strcmp(keys[i - 1]->text, keys[i]->text) == 0)
			ok = problem_error(problems, keys[i]->at,
				"'%s' is there twice: first in line %u", keys[i]->text,
				keys[i - 1]->at.line);
	free(keys);
	return ok;
}

/* `<<: *other`: what is not there is taken from the other. */
static bool merge_in(
	struct scan *scan, struct node *map, const struct node *other, struct position at)
{
	if (other->kind == NODE_LIST) {
		for (size_t i = 0; i < other->count; i++)
			if (!merge_in(scan, map, other->items[i], at))
				return false;
		return true;
	}
	if (other->kind != NODE_MAP)
		return problem_error(scan->problems, at, "'<<' takes a map, or a list of maps");
	for (size_t i = 0; i < other->count; i += 2) {
		if (node_get(map, other->items[i]->text))
			continue;
		node_append(map, other->items[i]);
		node_append(map, other->items[i + 1]);
		if (map->count > SCAN_NODES_MOST)
			return problem_error(scan->problems, at, "this grows too large");
	}
	return true;
}

static bool apply_merges(struct scan *scan, struct node *map)
{
	for (size_t i = 0; i + 1 < map->count; i += 2) {
		if (strcmp(map->items[i]->text, "<<") != 0 || !map->items[i]->is_plain)
			continue;
		struct node *other = map->items[i + 1];
		struct position at = map->items[i]->at;
		memmove(map->items + i, map->items + i + 2,
			(map->count - i - 2) * sizeof *map->items);
		/* two fewer: the room no longer follows from the count */
		struct node *smaller = document_add(scan->document, NODE_MAP, at);
		for (size_t k = 0; k + 2 < map->count; k++)
			node_append(smaller, map->items[k]);
		free(map->items);
		map->items = smaller->items;
		map->count = smaller->count;
		smaller->items = NULL;
		smaller->count = 0;
		if (!merge_in(scan, map, other, at))
			return false;
		i -= 2;
	}
	return true;
}

/* The items of a list or map, up to its end. */
static bool scan_items(struct scan *scan, struct node *node, yaml_event_type_t end, unsigned depth)
{
	yaml_event_t event;

	for (;;) {
		if (!next_event(scan, &event))
			return false;
		bool is_end = event.type == end;
		struct node *item = is_end ? NULL : scan_node(scan, &event, depth + 1);
		yaml_event_delete(&event);
		if (is_end)
			return true;
		if (!item)
			return false;
		node_append(node, item);
	}
}

static struct node *scan_collection(struct scan *scan, const yaml_event_t *event, unsigned depth)
{
	bool is_map = event->type == YAML_MAPPING_START_EVENT;
	struct position at = place(scan->document, &event->start_mark);

	if (depth >= SCAN_DEPTH_MOST) {
		problem_error(scan->problems, at, "nested more than %d deep", SCAN_DEPTH_MOST);
		return NULL;
	}
	struct node *node = document_add(scan->document, is_map ? NODE_MAP : NODE_LIST, at);
	remember_anchor(scan,
		is_map ? event->data.mapping_start.anchor : event->data.sequence_start.anchor,
		node);
	node->is_open = true;
	bool ok = scan_items(
		scan, node, is_map ? YAML_MAPPING_END_EVENT : YAML_SEQUENCE_END_EVENT, depth);
	node->is_open = false;
	if (ok && is_map)
		ok = check_keys(scan->problems, node) && apply_merges(scan, node);
	return ok ? node : NULL;
}

static struct node *scan_node(struct scan *scan, const yaml_event_t *event, unsigned depth)
{
	if (scan->document->count >= SCAN_NODES_MOST) {
		problem_error(scan->problems, place(scan->document, &event->start_mark),
			"more than %d values", SCAN_NODES_MOST);
		return NULL;
	}
	switch (event->type) {
	case YAML_ALIAS_EVENT:
		return find_anchor(scan, event);
	case YAML_SCALAR_EVENT:
		return scan_scalar(scan, event);
	default:
		return scan_collection(scan, event, depth);
	}
}

/* One document: its beginning, its root, and nothing behind it. */
static bool scan_document(struct scan *scan)
{
	yaml_event_t event;
	bool has_root = false, ok = true;

	for (bool is_over = false; ok && !is_over;) {
		if (!next_event(scan, &event))
			return false;
		is_over = event.type == YAML_STREAM_END_EVENT;
		if (event.type == YAML_DOCUMENT_START_EVENT && has_root) {
			ok = problem_error(scan->problems, place(scan->document, &event.start_mark),
				"only one document a file");
		} else if (event.type == YAML_SCALAR_EVENT || event.type == YAML_ALIAS_EVENT ||
			   event.type == YAML_SEQUENCE_START_EVENT ||
			   event.type == YAML_MAPPING_START_EVENT) {
			scan->document->root = scan_node(scan, &event, 0);
			ok = has_root = scan->document->root != NULL;
		}
		yaml_event_delete(&event);
	}
	return ok;
}

static bool begin(struct document *document, const char *name, const char *text, size_t size,
	struct problems *problems)
{
	*document = (struct document){ .name = memory_copy(name) };
	if (size > SCAN_FILE_MOST)
		return problem_error(problems, (struct position){ .file = document->name },
			"larger than %d MiB", SCAN_FILE_MOST / 1024 / 1024);
	document->source = memory_zeroed(size + 1, 1);
	memcpy(document->source, text, size);
	return true;
}

bool document_scan_yaml(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems)
{
	struct scan scan = { .document = document, .problems = problems };

	if (!begin(document, name, text, size, problems))
		return false;
	yaml_parser_initialize(&scan.parser);
	yaml_parser_set_encoding(&scan.parser, YAML_UTF8_ENCODING);
	yaml_parser_set_input_string(&scan.parser, (const unsigned char *)text, size);
	bool ok = scan_document(&scan);
	for (size_t i = 0; i < scan.anchor_count; i++)
		free(scan.anchors[i].name);
	free(scan.anchors);
	yaml_parser_delete(&scan.parser);
	return ok;
}

static struct node *add_scalar(struct document *document, const char *text, bool is_plain)
{
	struct node *node =
		document_add(document, NODE_SCALAR, (struct position){ .file = document->name });

	node->text = memory_copy(text);
	node->is_plain = is_plain;
	return node;
}

static struct node *add_number(struct document *document, const json_t *json)
{
	char text[48];

	if (json_is_integer(json))
		snprintf(text, sizeof text, "%" JSON_INTEGER_FORMAT, json_integer_value(json));
	else
		snprintf(text, sizeof text, "%.15g", json_real_value(json));
	return add_scalar(document, text, true);
}

/* jansson has bounded the depth, and allows no NULs in strings. */
static struct node *add_json(struct document *document, json_t *json)
{
	struct position at = { .file = document->name };
	struct node *node;
	const char *key;
	json_t *value;
	size_t i;

	switch (json_typeof(json)) {
	case JSON_OBJECT:
		node = document_add(document, NODE_MAP, at);
		json_object_foreach(json, key, value)
		{
			node_append(node, add_scalar(document, key, false));
			node_append(node, add_json(document, value));
		}
		return node;
	case JSON_ARRAY:
		node = document_add(document, NODE_LIST, at);
		json_array_foreach(json, i, value)
			node_append(node, add_json(document, value));
		return node;
	case JSON_STRING:
		return add_scalar(document, json_string_value(json), false);
	case JSON_INTEGER:
	case JSON_REAL:
		return add_number(document, json);
	case JSON_TRUE:
		return add_scalar(document, "true", true);
	case JSON_FALSE:
		return add_scalar(document, "false", true);
	default:
		return add_scalar(document, "null", true);
	}
}

bool document_scan_json(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems)
{
	json_error_t why;

	if (!begin(document, name, text, size, problems))
		return false;
	json_t *json = json_loadb(text, size, JSON_REJECT_DUPLICATES, &why);
	if (!json)
		return problem_error(problems,
			(struct position){ document->name, document->source,
				(unsigned)(why.line > 0 ? why.line : 1),
				(unsigned)(why.column > 0 ? why.column : 1) },
			"%s", why.text);
	document->root = add_json(document, json);
	json_decref(json);
	return true;
}
