/* Whom a process talks to: its sockets and pipes, and who has their other ends, as far as may be seen. */
#ifndef INSPECT_PEERS_H
#define INSPECT_PEERS_H

#include "model/inside.h"

/* Into study->peers. */
void peers_find(struct study *study);

#endif
