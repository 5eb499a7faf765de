/*
 * Messages between clients and processes: sent and answered (`send`, `trigger`), and looked at on
 * their way (`ipc.watch`). Whoever looks on is told as much as it takes; the rest is counted.
 */
#ifndef SERVER_MAIL_H
#define SERVER_MAIL_H

#include "server/call.h"
#include "wire/message.h"

enum {
	MAIL_TEXT_MOST = 64 * 1024,          /* bytes of a message that are shown; of longer ones these */
	MAIL_WAITING_MOST = 3 * 1024 * 1024, /* bytes that may wait for who looks on; then messages are left out */
	MAIL_ASKERS_MOST = 1024,             /* requests that wait for an answer at a time */

};

json_t *mail_send(struct call *call);
json_t *mail_trigger(struct call *call);
json_t *mail_stream(struct call *call);
json_t *mail_watch(struct call *call);

/* What is known of a member's channel and of the sockets that it listens on; null: nothing. */
json_t *mail_describe(const struct member *member);
json_t *mail_describe_sockets(const struct member *member);

/* A line of a session that streams. False: no more now. */
bool mail_take_line(struct session *session, const char *line, size_t size);

/* The engine's listener. */
void mail_on_room(void *context, struct member *member);
void mail_on_message(void *context, struct member *member, bool is_incoming, const struct message *message);
/* It has read all that was sent to it: how many messages it missed is told. */
void mail_caught_up(struct session *session);
/* The session is being closed: it waits for nothing any more. */
void mail_left(struct session *session);

#endif
