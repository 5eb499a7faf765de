/*
 * Making the tree that thrum.yaml would be out of a file of another tool: nodes keep the places of
 * what they come from, so that whatever is wrong is told where it was written.
 */
#ifndef CONFIG_GRAFT_H
#define CONFIG_GRAFT_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problem.h"
#include "config/scan.h"

struct graft {
	struct document *document; /* borrowed; owns all nodes */
	struct problems *problems; /* borrowed */
};

/* A value that is meant as it stands: no variable is replaced in it. */
struct node *graft_text(struct graft *graft, struct position at, const char *text);
/* A value with ${NAME} in it, or a number, or a bool. */
struct node *graft_plain(struct graft *graft, struct position at, const char *text);
struct node *graft_format(struct graft *graft, struct position at, const char *fmt, ...)
	__attribute__((format(printf, 3, 4)));
struct node *graft_map(struct graft *graft, struct position at);
struct node *graft_list(struct graft *graft, struct position at);

/* A copy that is meant as it stands, whatever its kind. */
struct node *graft_literal(struct graft *graft, const struct node *node);

/* Sets "availability.backoff.max" in a map, making the maps on the way; an older value is replaced. */
void graft_put(struct graft *graft, struct node *map, const char *path, struct node *value);
/* The value at such a path, or NULL. */
struct node *graft_get(struct node *map, const char *path);
/* The same for one key, whatever is in it. */
void graft_set(struct graft *graft, struct node *map, const char *key, struct node *value);

/* An empty root with `processes`, which is returned; the document's root from now on. */
struct node *graft_begin(struct graft *graft);

/* Adds an empty service; its name is made to fit. NULL: there is one of that name, and it was said. */
struct node *graft_service(struct graft *graft, struct node *processes, struct position at, const char *name);

/* "true", 1, "yes" … as the tools that are read here take it. */
bool graft_is_true(const struct node *node);
const char *graft_string(const struct node *node); /* NULL: no scalar, or null */

/* The text as one word of a shell's command line; free() it. */
char *graft_quote(const char *text);

#endif
