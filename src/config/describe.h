/* The table of keys, told to editors and to readers of manuals. */
#ifndef CONFIG_DESCRIBE_H
#define CONFIG_DESCRIBE_H

#include <jansson.h>

#include "base/text.h"

/* A JSON Schema (2020-12) of a configuration. */
json_t *config_schema(void);

/* The keys as the body of thrum.yaml(5), in mdoc. */
void config_manual(struct text *out);

#endif
