/* All sockets of the machine (of our network namespace), as the kernel's sock_diag tells them. */
#ifndef INSPECT_SOCKETS_H
#define INSPECT_SOCKETS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

struct socket_row {
	enum peer_transport transport;
	uint64_t inode;
	uint64_t peer_inode; /* 0: not known, or none */
	bool is_listening;
	uint64_t in_queued, out_queued;
	uint64_t in_bytes, out_bytes; /* SAMPLE_UNKNOWN for unix sockets: the kernel does not count; as the next ones */
	uint64_t resent, unanswered;
	double rtt_ms; /* below 0: not known */
	char local[INSIDE_NAME_SIZE], remote[INSIDE_NAME_SIZE];
};

/* Zeroed is empty; sorted by inode. */
struct sockets {
	struct socket_row *rows; /* owned */
	size_t count, room;
};

void sockets_read(struct sockets *sockets);
void sockets_finish(struct sockets *sockets);
const struct socket_row *sockets_find(const struct sockets *sockets, uint64_t inode); /* or NULL */

#endif
