/* One look at a process, as several commands take it. */
#ifndef CLI_INSPECT_H
#define CLI_INSPECT_H

#include "cli/cli.h"
#include "model/inside.h"

/* At the instance or the pid that is the first name, as `--over` and `--files` say. A status; study_finish() it in any case. */
int inspect_look(struct study *study, struct invocation *invocation);

#endif
