/* A resolved configuration as JSON with the keys of thrum.yaml: it can be loaded again. */
#ifndef CONFIG_PRINT_H
#define CONFIG_PRINT_H

#include "base/text.h"
#include "model/spec.h"

void config_print(struct text *out, const struct project_spec *project);
void config_print_service(struct text *out, const struct service_spec *service);

#endif
