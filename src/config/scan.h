/*
 * Text into a tree of nodes that know where they stand: YAML by libyaml's events, JSON of our own
 * by jansson. Hostile input is refused in bounded time and memory; aliases are shared, never copied.
 */
#ifndef CONFIG_SCAN_H
#define CONFIG_SCAN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problem.h"

enum {
	SCAN_FILE_MOST = 4 * 1024 * 1024,
	SCAN_DEPTH_MOST = 64,
	SCAN_NODES_MOST = 500000,
};

enum node_kind { NODE_SCALAR,
	NODE_LIST,
	NODE_MAP };

struct node {
	enum node_kind kind;
	bool is_plain; /* a scalar without quotes: may be null, a number, a bool */
	bool is_open;  /* still being read: an alias to it would be a loop */
	struct position at;
	char *text;          /* owned; of a scalar, without NULs inside */
	struct node **items; /* owned table, borrowed nodes; of a map: key, value, key, value … */
	size_t count;        /* of items */
};

/* Owns all nodes of one text, and the text. */
struct document {
	char *name;
	char *source;
	struct node **nodes;
	size_t count, room;
	struct node *root; /* NULL: empty */
};

/* False when it cannot be read; problems say why. document is always to be finished. */
bool document_scan_yaml(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems);
bool document_scan_json(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems);
void document_finish(struct document *document);

/* text is where a tree came from by way of a program, or of a scanner that tells no places. */
void document_place(struct document *document, const char *text, size_t size);

/* All that another one owns is the document's from now on; the other is empty, and needs no end. Gives its root. */
struct node *document_adopt(struct document *document, struct document *other);

/* A node of the document's own, for what was not written there. */
struct node *document_add(struct document *document, enum node_kind kind, struct position at);
void node_append(struct node *node, struct node *item);

/* The value of a key, or NULL. */
struct node *node_get(const struct node *map, const char *key);
/* null, ~, or nothing at all */
bool node_is_null(const struct node *node);

#endif
