/* One instance, where a command is about one alone. */
#ifndef CLI_INSTANCE_H
#define CLI_INSTANCE_H

#include <jansson.h>
#include <stdbool.h>

#include "client/link.h"

/* Not a name: "all", "ns:…" or a glob, which means whoever it fits. */
bool instance_is_pattern(const char *name);

/* What `info` says of "web/0", or of "web" when that is one alone. NULL after saying why not. */
json_t *instance_find(struct link *link, const char *name, int *status);

/* {"service","instance"} of what was found. */
json_t *instance_params(const json_t *info);

#endif
