/* Thread pools inside processes: those of a project by its engine, those of any other process by our own hand. */
#ifndef CLI_THREADS_H
#define CLI_THREADS_H

#include <jansson.h>

#include "cli/cli.h"

/* Whether `scale`'s second name means a thread pool: "jobs=4". */
bool threads_is_wish(const char *text);
int cli_scale_threads(struct invocation *invocation);
int cli_drain_threads(struct invocation *invocation);

/* Whether this is the pid of a process, of which `pool` tells without an engine. */
int32_t threads_pid(const char *name);
int threads_show(struct invocation *invocation, int32_t pid);
void threads_print(const json_t *pools);

#endif
