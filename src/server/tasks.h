/*
 * Tasks from clients: `submit` turns a connection into a stream of tasks, one a line, and the answers come back on it
 * as `result` notifications, as fast as the client reads. Also how a pool is, and its draining.
 */
#ifndef SERVER_TASKS_H
#define SERVER_TASKS_H

#include "server/call.h"

struct pool;

json_t *tasks_submit(struct call *call);
json_t *tasks_pool(struct call *call);
json_t *tasks_drain(struct call *call);
json_t *tasks_cancel(struct call *call);

/* A line of a session that submits. False: no more now. */
bool tasks_take_line(struct session *session, const char *line, size_t size);
/* The session has read what it was sent. */
void tasks_caught_up(struct session *session);
/* It is being closed. */
void tasks_left(struct session *session);
/* The engine's listener. */
void tasks_on_pool(void *context, struct pool *pool);

#endif
