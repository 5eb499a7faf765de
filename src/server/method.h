/* What can be asked on the control socket; doc/protocol.md is the description. */
#ifndef SERVER_METHOD_H
#define SERVER_METHOD_H

#include <jansson.h>

#include "protocol/row.h"
#include "server/session.h"

/* Carries a request out and replies; refuses with a sentence what cannot be done. */
void method_call(struct session *session, json_t *request);

/* The reply of a `list` whose sample has come, and of an `inspect`. */
json_t *method_list(struct session *session, json_t *params);
json_t *method_inspect(struct session *session, json_t *params);
json_t *method_map(struct session *session, json_t *params);

/* An instance as clients see it. */
void row_of_member(struct row *row, const struct member *member);
struct traffic traffic_of_member(const struct member *member);
json_t *member_to_json(const struct member *member);

/* {"service","instance"} */
json_t *member_name(const struct member *member);

#endif
