/* A project as files of other systems; what has no equivalent is said on standard error. */
#ifndef CLI_EXPORT_H
#define CLI_EXPORT_H

#include "base/text.h"
#include "cli/cli.h"

void export_systemd(struct text *out, const struct project_spec *project, const struct invocation *invocation);
void export_kubernetes(struct text *out, const struct project_spec *project, const struct invocation *invocation);
void export_compose(struct text *out, const struct project_spec *project, const struct invocation *invocation);

/* ---- what they share ---- */

/* "web: pty has no equivalent" on standard error. */
void export_lost(const struct service_spec *spec, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

/* Is it for systems that have no engine? What serves the engine is not, and that is said. */
bool export_takes(const struct service_spec *spec);

/* Appends json as YAML; json is stolen. */
void export_yaml(struct text *out, json_t *json);

/* The bytes that it may have in memory before it is restarted or killed; 0: as many as it likes. */
uint64_t export_memory(const struct service_spec *spec);
/* Milliseconds as whole seconds, 1 at least. */
int export_seconds(uint64_t ms);

#endif
