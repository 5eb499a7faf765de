/*
 * A connection to Redis that comes back: commands are sent without waiting and answered in their order. Those that are
 * under way when it is lost are answered with nothing, and it is for the sender to know what that means.
 */
#ifndef FLEET_REDIS_H
#define FLEET_REDIS_H

#include <hiredis/hiredis.h>
#include <poll.h>
#include <stdbool.h>
#include <stdint.h>

#include "fleet/settings.h"

struct redis; /* defined in redis.c */

/* reply NULL: the connection was lost, and whether the command was carried out is not known. */
typedef void redis_on_reply(void *context, const redisReply *reply);

struct redis *redis_create(const struct settings *settings); /* settings are borrowed */
void redis_destroy(struct redis *redis);                     /* accepts NULL; what is under way is answered with nothing */

/* Connects when that is due, and gives up a connection that has been silent for too long. */
void redis_turn(struct redis *redis);
struct pollfd redis_poll(const struct redis *redis);
void redis_handle(struct redis *redis, short events);
/* At the most this long until the next redis_turn. */
int redis_wait_ms(const struct redis *redis);

bool redis_is_up(const struct redis *redis);
/* How often it was connected: what was read in another era may have to be asked for again. */
unsigned redis_era(const struct redis *redis);
/* Why there is no connection; "" if nothing is known. */
const char *redis_trouble(const struct redis *redis);

/* A command as hiredis formats it: %s %b, and numbers as printf has them. False: it is not connected, on_reply is not called. */
bool redis_ask(struct redis *redis, redis_on_reply *on_reply, void *context, const char *fmt, ...);

/* The same of words that are there: nothing is formatted. */
bool redis_ask_words(struct redis *redis, redis_on_reply *on_reply, void *context, size_t count, const char **words);

/* Helpers on replies, all of which accept NULL. */
bool reply_is_error(const redisReply *reply, const char *begins);  /* begins "": any */
const redisReply *reply_at(const redisReply *reply, size_t index); /* NULL: none there */
const char *reply_string(const redisReply *reply);                 /* "": it is none */
/* The value of a name in a list of names and values. */
const redisReply *reply_field(const redisReply *fields, const char *name);

#endif
