/*
 * The system calls of one process as strace(1) tells them, for `thrum top`. Of what is said the last part is kept; strace is ended with
 * us, and lets go of the process then, which goes on.
 */
#ifndef CLI_TRACER_H
#define CLI_TRACER_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"
#include "model/machine.h"

struct tracer; /* defined in tracer.c */

/* poll_fd: an epoll(7) descriptor to which it adds what it waits for. */
struct tracer *tracer_create(int poll_fd);
void tracer_destroy(struct tracer *tracer); /* accepts NULL */

/* From now on of this one; pid 0: of nobody. False: there is no strace, or it cannot be started. */
bool tracer_begin(struct tracer *tracer, const struct machine_id *id, struct error *err);
/* Is there something new? Whose it is, and, where out is wanted, all that is kept, safe to show. */
bool tracer_hear(struct tracer *tracer, struct machine_id *id, struct text *out);

#endif
