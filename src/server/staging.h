/*
 * A configuration that a client sends in pieces, since it may be larger than a line of the protocol;
 * then it is planned or applied.
 */
#ifndef SERVER_STAGING_H
#define SERVER_STAGING_H

#include "model/spec.h"
#include "server/session.h"

/* False: it grows too large. is_first: what was sent before does not count. */
bool staging_add(struct session *session, const char *piece, size_t size, bool is_first,
	struct error *err);

/* What was sent, read; the caller's. NULL: nothing was, or it is wrong, and err says what. */
struct project_spec *staging_read(struct session *session, struct error *err);

#endif
