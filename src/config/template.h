/*
 * Templates in values, as process-compose has them: {{.NAME}}, {{if .A}}…{{else}}…{{end}} and the like, with what stands
 * under `vars`. The part of Go's text/template that such a file can need: no variables, no definitions of its own.
 * Hostile input is refused in bounded time and memory.
 */
#ifndef CONFIG_TEMPLATE_H
#define CONFIG_TEMPLATE_H

#include "config/scan.h"
#include "model/strings.h"

enum { TEMPLATE_VARS_MOST = 3 };

/* Where names are looked for, in this order. */
struct template_vars {
	const struct node *maps[TEMPLATE_VARS_MOST]; /* borrowed; of an instance's number see INSTANCE_MARK of spec.h */
	size_t count;
};

/*
 * The text with its actions carried out; free() it. NULL: wrong, and said. literals: variables that are put in place of
 * ${NAME} in quoted words inside of actions; NULL: they are taken as they are.
 */
char *template_render(const char *text, const struct template_vars *vars, const struct strings *literals,
	struct position at, struct problems *problems);

#endif
