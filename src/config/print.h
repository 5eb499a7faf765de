/* A resolved configuration as JSON with the keys of thrum.yaml: it can be loaded again. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include <jansson.h>

#include "base/text.h"
#include "model/spec.h"

json_t *config_to_json(const struct project_spec *project);
json_t *config_service_to_json(const struct service_spec *service);

void config_print(struct text *out, const struct project_spec *project);
void config_print_service(struct text *out, const struct service_spec *service);

#endif
