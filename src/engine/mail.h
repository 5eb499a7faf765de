/*
 * What the messages of processes mean: each is shown to a row of takers, of which the first that it belongs to
 * acts on it. Nothing in here trusts what it reads. Loop thread only.
 */
#ifndef ENGINE_MAIL_H
#define ENGINE_MAIL_H

#include "engine/engine.h"
#include "wire/message.h"

void mail_take(struct member *member, const struct message *message);
/* For now that was all that it has sent: what it is given for it goes out at once. */
void mail_read(struct member *member);
/* This was put on its way to the process. */
void mail_sent(struct member *member, const char *json, size_t size);
/* It takes more again. */
void mail_room(struct member *member);
/* Its channel is being closed; it is still there. */
void mail_ended(struct member *member);

#endif
