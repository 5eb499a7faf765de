/*
 * What processes tell by sd_notify: one datagram socket for the project, held by the keeper so that
 * nothing is lost while there is no engine. The kernel says who sent a datagram; only those
 * whose process belongs to an instance count. Loop thread only.
 */
#ifndef ENGINE_NOTIFY_H
#define ENGINE_NOTIFY_H

#include <stdbool.h>
#include <stdint.h>
#include <uv.h>

struct engine;

struct notify {
	struct engine *engine;  /* borrowed */
	int fd;                 /* owned; -1: none */
	char address[32];       /* NOTIFY_SOCKET: "@…" */
	uint64_t complained_us; /* about a stranger; monotonic */
	uv_poll_t poll;
};

/* Taken over from the former engine, or made when the first service wants it. */
void notify_restore(struct notify *notify, struct engine *engine);
/* NOTIFY_SOCKET for a child; NULL: none can be had, errno says why. */
const char *notify_address(struct notify *notify);
void notify_close(struct notify *notify);

#endif
