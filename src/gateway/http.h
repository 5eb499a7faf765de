/* HTTP for one project: /health, /live, /ready, /metrics, and /api, which only reads without a token. */
#ifndef GATEWAY_HTTP_H
#define GATEWAY_HTTP_H

#include "base/error.h"
#include "gateway/door.h"

struct http; /* defined in http.c */

/*
 * listen: a port of 127.0.0.1, HOST:PORT, [HOST]:PORT, or unix:///PATH. token: what may do more than read;
 * NULL: nobody. door: borrowed. NULL with err set.
 */
struct http *http_create(const char *listen, const char *token, struct door *door, struct error *err);
void http_destroy(struct http *http); /* accepts NULL */

int http_fd(const struct http *http); /* for poll() */
/* At the most this long until the next http_run; -1: as long as one likes. */
int http_wait_ms(const struct http *http);
void http_run(struct http *http);

#endif
