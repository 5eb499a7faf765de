/* One request being carried out, and whom it is about: what the files of requests share. */
#ifndef SERVER_CALL_H
#define SERVER_CALL_H

#include <jansson.h>

#include "server/session.h"

/* One request being carried out. */
struct call {
	struct session *session;
	struct engine *engine;
	json_t *params;
	json_t *id;
	struct error err; /* of a refusal, with the protocol's code */
	bool is_answered; /* or will be later */
};

/* The members that a request is about. */
struct selection {
	struct member *items[STORE_SEATS];
	size_t count;
	bool is_by_name; /* one of them was named itself, not by a pattern */
};

/* Fills in err; returns NULL, as a result. */
json_t *call_refuse(struct call *call, int code, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* By names or identity; without either, everything when that is allowed. False: refused. */
bool call_select(struct call *call, struct selection *selection, bool all_by_default);
/* Those of one name too. */
bool call_select_name(struct call *call, struct selection *selection, const char *name);
/* Refuse, since nothing has that name; false. */
bool call_say_unknown(struct call *call, const char *name);
/* {"instances":[…]} */
json_t *call_names(const struct selection *selection);

/* In the order of the file. */
void call_each_member(
	struct engine *engine, void (*visit)(void *context, struct member *member), void *context);

#endif
