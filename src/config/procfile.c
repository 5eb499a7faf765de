#include "config/procfile.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "config/overmind.h"

static struct node *add_text(
	struct document *document, struct position at, const char *text, size_t size)
{
	struct node *node = document_add(document, NODE_SCALAR, at);

	node->text = memory_copy_n(text, size);
	return node;
}

static void add_pair(struct document *document, struct node *map, struct node *key,
	const char *value)
{
	node_append(map, key);
	node_append(map, add_text(document, key->at, value, strlen(value)));
}

/* A command of a Procfile is the shell's, and is not restarted unless asked for. */
static struct node *make_service(
	struct document *document, struct position at, const char *command, size_t size)
{
	struct node *service = document_add(document, NODE_MAP, at);

	node_append(service, add_text(document, at, "command", 7));
	node_append(service, add_text(document, at, command, size));
	struct node *availability = document_add(document, NODE_MAP, at);
	add_pair(document, availability, add_text(document, at, "restart", 7), "no");
	node_append(service, add_text(document, at, "availability", 12));
	node_append(service, availability);
	return service;
}

static bool take_line(struct document *document, struct node *processes, const char *line,
	size_t size, struct position at, struct problems *problems)
{
	const char *colon = memchr(line, ':', size), *end = line + size;

	while (size && isspace((unsigned char)*line))
		line++, size--;
	if (!size || *line == '#')
		return true;
	if (!colon || colon == line)
		return problem_error(problems, at, "a line of a Procfile is `name: command`");
	const char *command = colon + 1;
	while (command < end && isspace((unsigned char)*command))
		command++;
	struct node *name = add_text(document, at, line, (size_t)(colon - line));
	if (node_get(processes, name->text))
		return problem_error(problems, at, "'%s' is there twice", name->text);
	at.column = 1 + (unsigned)(command - line);
	node_append(processes, name);
	node_append(processes, make_service(document, at, command, (size_t)(end - command)));
	return true;
}

bool document_scan_procfile(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems)
{
	bool ok = true;

	*document =
		(struct document){ .name = memory_copy(name), .source = memory_copy_n(text, size) };
	struct position at = { document->name, document->source, 0, 1 };
	if (strlen(document->source) != size || !utf8_is_valid(text, size))
		return problem_error(
			problems, (struct position){ .file = document->name }, "is not UTF-8 text");
	document->root = document_add(document, NODE_MAP, at);
	struct node *processes = document_add(document, NODE_MAP, at);
	node_append(document->root, add_text(document, at, "processes", 9));
	node_append(document->root, processes);
	for (const char *line = document->source; *line;) {
		size_t length = strcspn(line, "\n");
		at.line++;
		ok = take_line(document, processes, line, length, at, problems) && ok;
		line += length + (line[length] == '\n');
	}
	if (ok && !processes->count)
		ok = problem_error(problems, (struct position){ .file = document->name },
			"no process is in it; a line is `name: command`");
	return ok && overmind_apply(&(struct graft){ document, problems }, processes, document->name);
}
