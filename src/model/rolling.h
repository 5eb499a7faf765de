/*
 * A rolling reload: the instances of a service get a new process one after another, the next only when
 * the former is ready. Where sockets are shared, a spare instance stands in from the first to the last, so
 * that there are never fewer than before. Which instances have still to come is a mark of their own. Pure.
 */
#ifndef MODEL_ROLLING_H
#define MODEL_ROLLING_H

#include "model/project.h"

enum rolling_deed {
	ROLLING_NONE,    /* no reload is under way */
	ROLLING_WAIT,    /* for somebody to be ready */
	ROLLING_RESTART, /* this one is next */
	ROLLING_DONE,
	ROLLING_GIVE_UP, /* this one does not get ready: the others stay as they are */
};

struct rolling_step {
	enum rolling_deed deed;
	struct instance *instance;
};

/* Mark all that run; false: none does. */
bool rolling_begin(struct service *service);
struct rolling_step rolling_next(const struct service *service);
/* No marks any more; the caller sees to the spare. */
void rolling_end(struct service *service);

/* Is there something that can stand in: do its processes share their sockets? */
bool rolling_wants_spare(const struct service_spec *spec);

#endif
