/* A recording in the place of an engine: it answers on a socket until that is closed. */
#ifndef REPLAY_SERVE_H
#define REPLAY_SERVE_H

#include "replay/recording.h"

/* name: what is replayed. Returns when the other end is gone, or says what is no request. */
void replay_serve(struct recording *recording, const char *name, int fd);

#endif
