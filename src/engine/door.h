/*
 * Sockets that listen for services: asked for by the workers of a cluster, or given to processes by `listen`. They
 * are opened here and held by the keeper, so that no connection is refused while processes, or the
 * engine, are replaced; they are closed when all instances of their service are over. Loop thread only.
 */
#ifndef ENGINE_DOOR_H
#define ENGINE_DOOR_H

#include "engine/engine.h"
#include "engine/lost.h"

enum {
	ADDRESS_IPV4 = 4, /* what a worker calls the type of an address */
	ADDRESS_IPV6 = 6,
	ADDRESS_UNIX = -1,
	ADDRESS_UDP4 = 104,
	ADDRESS_UDP6 = 106,
	ADDRESS_FD = 0, /* none: it names a descriptor */
	DOOR_V6ONLY = 1,
};

struct door {
	struct engine *engine;
	uint32_t place; /* in the store */
	int fd;
	unsigned turn; /* which instance is looked at first for the next connection */
	bool is_polled;
	uint64_t refused_ms; /* when it was told that all who hold it refuse; 0: never */
	uv_poll_t poll;
	uv_timer_t rest;  /* all who could take connections refuse them, or none can be taken: wait a little */
	struct lost lost; /* connections whose worker is gone or refused them */
	unsigned open_handles;
};

/* What is asked for: address, port, type, fd, index, service …; flags: DOOR_V6ONLY. */
struct door_wish {
	const struct listening *what;
	const struct service_spec *spec; /* whose user and group have the file of a unix socket */
	unsigned mode;                   /* … of it; 0: as it comes */
	unsigned flags, backlog;
	bool is_to_listen;
	bool is_own; /* SO_REUSEPORT */
};

/* NULL: err.code is the errno. */
struct door *door_open(struct engine *engine, const struct door_wish *wish, struct error *err);
void door_close(struct door *door);
/* After a start: those that a former engine opened. */
void door_restore_all(struct engine *engine);

struct listening *door_listening(const struct door *door);
/* The one that was opened for the same; NULL: none. */
struct door *door_find(struct engine *engine, const struct listening *what);
/* "tcp 127.0.0.1:8000" */
void door_describe(const struct door *door, char *out, size_t size);
/* Its own address, as Node tells it: {"address","family","port"}; "" of a unix socket. */
void door_sockname(const struct door *door, char *out, size_t size);

/* Connections are waited for, or are not; or not for so long. */
void door_poll(struct door *door, bool is_wanted);
void door_rest(struct door *door, uint64_t ms);

/* A connection; -1: none now, errno says why. */
int door_accept(struct door *door);
/* Given back, to be handed to somebody else; taken over. */
void door_return(struct door *door, int connection);

/* The sockets that a process of this instance is started with: descriptors, in the order of its `listen`. */
bool door_open_given(struct engine *engine, struct member *member, int fds[LISTENS_MOST], struct error *err);

/* After a change of an instance: close what nobody needs any more. */
void door_consider(struct engine *engine, const struct member *member);
/* … now, whoever has changed. */
void door_tidy(struct engine *engine);

#endif
