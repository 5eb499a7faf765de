/* A tree as YAML, for people: what the importers make, and what the exporters write. */
#ifndef CONFIG_EMIT_H
#define CONFIG_EMIT_H

#include "base/text.h"
#include "config/scan.h"

void config_emit(struct text *out, const struct node *node);

/* A scalar as YAML has it, in quotes when it would mean something else without. */
void config_emit_text(struct text *out, const char *text, bool is_plain);

#endif
