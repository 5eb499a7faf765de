/* Whom a process talks to: its sockets and pipes, and who has their other ends, as far as may be seen. */
#ifndef INSPECT_PEERS_H
#define INSPECT_PEERS_H

#include <stdbool.h>
#include <stddef.h>

#include "model/inside.h"

/* Who has what, on the whole machine: to be asked for several processes. */
struct directory; /* defined in peers.c */
struct directory *directory_create(void);
void directory_destroy(struct directory *directory); /* accepts NULL */

/* Into study->peers; directory may be NULL: then one is made for it. */
void peers_find(struct study *study, const struct directory *directory);

/* Who has that port (in figures) or path, to be spoken to: "node (4711)". False: nobody, as far as we can see. */
bool peers_holder(char *out, size_t size, enum peer_transport transport, const char *place);

#endif
