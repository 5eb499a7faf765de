/*
 * What a process does not take now, in a file that outlives the engine: how far it was sent is the position of
 * the open file itself, which the kernel moves with the bytes. It holds whole messages; the
 * last may be cut off if the engine died writing it, and is then dropped. Loop thread only.
 */
#ifndef ENGINE_OUTBOX_H
#define ENGINE_OUTBOX_H

#include <stdbool.h>
#include <stddef.h>

struct outbox {
	int fd;      /* -1: there never was anything in it */
	size_t size; /* of the file */
	size_t sent; /* of it */
};

/* False: errno says why. */
bool outbox_make(struct outbox *outbox);
/* One that a former engine had; the descriptor is taken over. */
void outbox_restore(struct outbox *outbox, int fd);
void outbox_close(struct outbox *outbox);

size_t outbox_waiting(const struct outbox *outbox);
/* All of it, or, false, nothing. */
bool outbox_add(struct outbox *outbox, const char *bytes, size_t size);
/* As far as the socket takes it. False: it never will. */
bool outbox_flush(struct outbox *outbox, int socket);

#endif
