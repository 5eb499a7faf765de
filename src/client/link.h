/*
 * A client's connection to the engine: requests with replies, and notifications in between.
 * One thread. Nothing in here waits longer than it is told to.
 */
#ifndef CLIENT_LINK_H
#define CLIENT_LINK_H

#include <jansson.h>
#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"

struct link; /* defined in link.c */

/*
 * Connects to PROJECT's control socket, here or on the machine that THRUM_HOST names. NULL with err set; err->code
 * ENOENT or ECONNREFUSED: no engine.
 */
struct link *link_open(const char *project, struct error *err);
/* The same over a socket that is connected already, to who takes the place of an engine; it is taken over. */
struct link *link_join(int fd);
void link_close(struct link *link); /* accepts NULL */

/*
 * Connect again, after the engine was lost: all that was under way is forgotten. False with err set
 * as by link_open; the link stays as it was then. Not for one that was joined.
 */
bool link_reopen(struct link *link, struct error *err);

/* For poll(): readable when link_next may have something. */
int link_fd(const struct link *link);

/*
 * Send a request and wait up to timeout_ms for its reply; notifications that come first are
 * kept for link_next. params is stolen (NULL: none). Returns a new reference to the result;
 * NULL with err set: the engine's error text with its code (see protocol/method.h),
 * ETIMEDOUT, or ECONNRESET when the engine is gone.
 */
json_t *link_call(struct link *link, const char *method, json_t *params, int timeout_ms,
	struct error *err);

/*
 * The same, where some of what comes before the reply belongs to it: what this says true to is not kept. So an answer of any
 * length comes in short messages.
 */
typedef bool link_taker(void *context, const json_t *message);
json_t *link_call_taking(struct link *link, const char *method, json_t *params, int timeout_ms, link_taker *take, void *context,
	struct error *err);

/* Send a request without waiting; *id is what its reply will carry. False when the engine is gone. */
bool link_send(struct link *link, const char *method, json_t *params, json_int_t *id,
	struct error *err);

/* Send bytes as they are, as many as are taken now: how many; -1 when the engine is gone. */
ssize_t link_write_some(struct link *link, const char *bytes, size_t size, struct error *err);
/* The same, waiting until they are taken. False when the engine is gone. */
bool link_write(struct link *link, const char *bytes, size_t size, struct error *err);

/*
 * The next whole message that has come in, without waiting: a notification {"method","params"}
 * or a reply {"id","result"|"error"} of link_send. A new reference; NULL: none now, and err->code
 * is 0, or ECONNRESET when the engine is gone.
 */
json_t *link_next(struct link *link, struct error *err);

/*
 * Lines that this says true to, of all that come from now on: it has taken them, and they are messages to nobody else. For many, and
 * for what is to stay as it came.
 */
typedef bool link_line_taker(void *context, const char *line, size_t size);
void link_take_lines(struct link *link, link_line_taker *take, void *context);

/* Wait up to timeout_ms (-1: for ever) for something to come in. False: nothing came. */
bool link_wait(struct link *link, int timeout_ms);

#endif
