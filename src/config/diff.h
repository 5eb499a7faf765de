/*
 * What a changed configuration means for what runs. A service is compared as it is printed, key
 * by key; one table says which keys a running process can do without: those are live.
 */
#ifndef CONFIG_DIFF_H
#define CONFIG_DIFF_H

#include <jansson.h>

#include "base/digest.h"
#include "model/spec.h"

/*
 * [{"key","old","new","live"}], a new reference: "environment.PORT", "log.rotate.max_size" …; a value that
 * is not there is null. How many instances there are is no part of it.
 */
json_t *config_diff(const struct service_spec *old, const struct service_spec *new);

/* The same of what is the project's own, and no service's. */
json_t *config_diff_project(const struct project_spec *old, const struct project_spec *new);

/* The same for two specs between which no process has to be restarted. */
void config_fingerprint(char out[DIGEST_SIZE], const struct service_spec *spec);

/*
 * Of a configuration as its files have it: not of where in a file a service stands, nor of what is in
 * files of variables, which are read at every start.
 */
void config_digest(char out[DIGEST_SIZE], const struct project_spec *project);

#endif
