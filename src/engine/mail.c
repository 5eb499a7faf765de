#include "engine/mail.h"

#include <string.h>

#include "engine/channel.h"
#include "engine/cluster.h"
#include "engine/pool.h"
#include "engine/report.h"

/* "ready", or {"type":"ready"}. */
static bool says(const struct message *message, const char *wanted)
{
	return span_is(message->whole, wanted) || span_is(message->members[MEMBER_TYPE], wanted);
}

/* It may mean something else to others too. */
static bool take_ready(struct member *member, const struct message *message)
{
	if (!(member->now.gates & GATE_MESSAGE))
		return false;
	const char *wanted = member_spec(member)->ready.message;
	if (wanted && says(message, wanted))
		engine_pass(member->engine, member, GATE_MESSAGE);
	return false;
}

/* The order matters: what is Node's own is nobody else's. */
static bool (*const takers[])(struct member *member, const struct message *message) = {
	cluster_take,
	take_ready,
	pool_take,
	report_take,
};

/* Those who look on see everything, and before it has an effect. */
void mail_take(struct member *member, const struct message *message)
{
	const struct engine_listener *listener = &member->engine->listener;
	const struct channel *channel = member->channel;

	if (member->engine->mail_readers)
		listener->on_mail(listener->context, member, true, message);
	for (size_t i = 0; i < sizeof takers / sizeof *takers && member->channel == channel; i++)
		if (takers[i](member, message))
			return;
}

void mail_sent(struct member *member, const char *json, size_t size)
{
	const struct engine_listener *listener = &member->engine->listener;
	struct message message;

	if (member->engine->mail_readers && message_scan(&message, json, size))
		listener->on_mail(listener->context, member, false, &message);
}

void mail_read(struct member *member)
{
	pool_refill(member);
}

void mail_room(struct member *member)
{
	cluster_room(member);
	pool_consider(member);
	member->engine->listener.on_room(member->engine->listener.context, member);
}

void mail_ended(struct member *member)
{
	cluster_ended(member);
	pool_ended(member);
	member->engine->listener.on_room(member->engine->listener.context, member); /* nobody is to wait for it */
}
