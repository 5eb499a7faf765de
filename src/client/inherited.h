/* The control socket, if systemd has made it: it listens before any engine runs, and the first client starts one. */
#ifndef CLIENT_INHERITED_H
#define CLIENT_INHERITED_H

#include <stdbool.h>

#include "base/error.h"

/*
 * Takes the socket that sd_listen_fds(3) gives us, for the project's folder in the runtime folder: *fd is -1 when there is none.
 * False with err set: what is given is not the control socket of this project.
 */
bool inherited_take(int folder, int *fd, struct error *err);

#endif
