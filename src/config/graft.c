#include "config/graft.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/memory.h"
#include "model/command.h"
#include "config/load.h"

static struct node *add_scalar(struct graft *graft, struct position at, char *text, bool is_plain)
{
	struct node *node = document_add(graft->document, NODE_SCALAR, at);

	node->text = text;
	node->is_plain = is_plain;
	return node;
}

/* Where the reader would see a variable, or an escape, the dollar is doubled. */
static char *escape(const char *text)
{
	struct text out;

	text_init(&out, SCAN_FILE_MOST * 2);
	for (; *text; text++) {
		text_putc(&out, *text);
		if (text[0] == '$' && (text[1] == '{' || text[1] == '$'))
			text_putc(&out, '$');
	}
	text_puts(&out, "");
	char *escaped = memory_copy(text_string(&out));
	text_finish(&out);
	return escaped;
}

struct node *graft_text(struct graft *graft, struct position at, const char *text)
{
	return add_scalar(graft, at, escape(text), false);
}

struct node *graft_plain(struct graft *graft, struct position at, const char *text)
{
	return add_scalar(graft, at, memory_copy(text), true);
}

struct node *graft_format(struct graft *graft, struct position at, const char *fmt, ...)
{
	char text[1024];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	return graft_plain(graft, at, text);
}

struct node *graft_map(struct graft *graft, struct position at)
{
	return document_add(graft->document, NODE_MAP, at);
}

struct node *graft_list(struct graft *graft, struct position at)
{
	return document_add(graft->document, NODE_LIST, at);
}

struct node *graft_literal(struct graft *graft, const struct node *node)
{
	if (node->kind == NODE_SCALAR)
		return add_scalar(graft, node->at, escape(node->text), node->is_plain);
	if (graft->document->count > SCAN_NODES_MOST) { /* aliases of aliases */
		problem_error(graft->problems, node->at, "this grows too large");
		return add_scalar(graft, node->at, memory_copy(""), false);
	}
	struct node *copy = document_add(graft->document, node->kind, node->at);
	for (size_t i = 0; i < node->count; i++)
		node_append(copy, graft_literal(graft, node->items[i]));
	return copy;
}

void graft_set(struct graft *graft, struct node *map, const char *key, struct node *value)
{
	for (size_t i = 0; i < map->count; i += 2) {
		if (strcmp(map->items[i]->text, key) != 0)
			continue;
		map->items[i + 1] = value;
		return;
	}
	node_append(map, graft_plain(graft, value->at, key));
	node_append(map, value);
}

void graft_put(struct graft *graft, struct node *map, const char *path, struct node *value)
{
	const char *dot;

	for (; (dot = strchr(path, '.')); path = dot + 1) {
		char *key = memory_copy_n(path, (size_t)(dot - path));
		struct node *inner = node_get(map, key);
		if (!inner || inner->kind != NODE_MAP)
			graft_set(graft, map, key, inner = graft_map(graft, value->at));
		free(key);
		map = inner;
	}
	graft_set(graft, map, path, value);
}

struct node *graft_get(struct node *map, const char *path)
{
	const char *dot;

	for (; map && (dot = strchr(path, '.')); path = dot + 1) {
		char *key = memory_copy_n(path, (size_t)(dot - path));
		map = node_get(map, key);
		free(key);
	}
	return node_get(map, path);
}

struct node *graft_begin(struct graft *graft)
{
	struct position at = { .file = graft->document->name };
	struct node *processes = graft_map(graft, at);

	graft->document->root = graft_map(graft, at);
	graft_set(graft, graft->document->root, "processes", processes);
	return processes;
}

struct node *graft_service(
	struct graft *graft, struct node *processes, struct position at, const char *name)
{
	char *fit = config_make_name(name);

	if (strlen(fit) > SERVICE_NAME_MOST)
		fit[SERVICE_NAME_MOST] = '\0';
	if (strcmp(fit, name) != 0)
		problem_warning(graft->problems, at,
			"'%.60s' cannot be the name of a service, and is called '%s'", name, fit);
	struct node *service = node_get(processes, fit) ? NULL : graft_map(graft, at);
	if (service)
		graft_set(graft, processes, fit, service);
	else
		problem_error(graft->problems, at, "'%s' is there twice; give one of them another name", fit);
	free(fit);
	return service;
}

bool graft_is_true(const struct node *node)
{
	static const char *const words[] = { "true", "1", "yes", "on" };

	for (size_t i = 0; node && node->kind == NODE_SCALAR && i < sizeof words / sizeof *words; i++)
		if (strcasecmp(node->text, words[i]) == 0)
			return true;
	return false;
}

const char *graft_string(const struct node *node)
{
	return node && node->kind == NODE_SCALAR && !node_is_null(node) ? node->text : NULL;
}

char *graft_quote(const char *text)
{
	struct text out;

	text_init(&out, SCAN_FILE_MOST);
	command_quote(&out, text);
	return text_take(&out);
}
