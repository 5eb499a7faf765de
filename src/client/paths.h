/*
 * Where a project lives: its folder in the runtime folder (control socket and lock) and
 * its folder in the state folder (logs, history).
 * A folder that others could have made or could write is refused.
 */
#ifndef CLIENT_PATHS_H
#define CLIENT_PATHS_H

#include <limits.h>
#include <stdbool.h>
#include <sys/un.h>

#include "base/error.h"

#define PATHS_SOCKET "control"
#define PATHS_LOCK "lock"
#define PATHS_LOG "engine.log"

/* Absolute: THRUM_RUNTIME_DIR, else $XDG_RUNTIME_DIR/thrum, else /tmp/thrum-UID. */
bool paths_runtime(char out[PATH_MAX], struct error *err);

/* Absolute: THRUM_STATE_DIR, else $XDG_STATE_HOME/thrum, else ~/.local/state/thrum. */
bool paths_state(char out[PATH_MAX], struct error *err);

/* What is to be done with a folder that is not there. */
enum paths_missing { PATHS_FAIL,
	PATHS_MAKE };

/*
 * A descriptor of the project's folder in the runtime folder; -1 with err set.
 * err->code is ENOENT when it is not there, EPERM when it is not ours alone.
 */
int paths_open_runtime(const char *project, enum paths_missing missing, struct error *err);

/* The same in the state folder, which others may read but not write. */
int paths_open_state(const char *project, enum paths_missing missing, struct error *err);

/*
 * The address of the control socket in that folder. It leads through /proc/self/fd, so it
 * is short enough however long the path is; folder must stay open while it is used.
 */
void paths_socket_address(struct sockaddr_un *address, int folder);

#endif
