#include "server/call.h"

#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "protocol/method.h"
#include "server/method.h"

enum { NAMES_TEXT_MOST = 300 };

json_t *call_refuse(struct call *call, int code, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	vsnprintf(call->err.text, sizeof call->err.text, fmt, args);
	va_end(args);
	call->err.code = code;
	return NULL;
}

static bool is_pattern(const char *name)
{
	return strcmp(name, "all") == 0 || strncmp(name, "ns:", 3) == 0 || strpbrk(name, "*?[");
}

static bool is_selected(const struct selection *selection, const struct member *member)
{
	for (size_t i = 0; i < selection->count; i++)
		if (selection->items[i] == member)
			return true;
	return false;
}

/* In the order of the file. */
void call_each_member(
	struct engine *engine, void (*visit)(void *context, struct member *member), void *context)
{
	for (size_t i = 0; i < engine->project.count; i++)
		for (size_t k = 0; k < engine->project.services[i].count; k++)
			visit(context, member_of(engine->project.services[i].instances[k]));
}

struct matcher {
	struct selection *selection;
	const char *name;
	size_t found;
};

static void match(void *context, struct member *member)
{
	struct matcher *matcher = context;

	if (!name_matches(matcher->name, member_spec(member), member->now.index))
		return;
	matcher->found++;
	if (!is_selected(matcher->selection, member))
		matcher->selection->items[matcher->selection->count++] = member;
}

bool call_say_unknown(struct call *call, const char *name)
{
	struct text names;

	text_init(&names, NAMES_TEXT_MOST);
	for (size_t i = 0; i < call->engine->project.count; i++)
		text_format(&names, "%s%s", i ? ", " : "",
			call->engine->project.services[i].spec->name);
	call_refuse(call, PROTOCOL_NO_SUCH_SERVICE, "no service matches '%.80s'; %s%s%s", name,
		names.size ? "there are: " : "there is none", text_string(&names),
		names.full ? " …" : "");
	text_finish(&names);
	return false;
}

bool call_select_name(struct call *call, struct selection *selection, const char *name)
{
	struct matcher matcher = { selection, name, 0 };

	call_each_member(call->engine, match, &matcher);
	if (!is_pattern(name))
		selection->is_by_name = true;
	return matcher.found || strcmp(name, "all") == 0 || call_say_unknown(call, name);
}

static bool select_identity(struct call *call, struct selection *selection, json_t *identity)
{
	const char *service;
	int instance, life = -1;

	if (json_unpack(identity, "{s:s,s:i,s?i}", "service", &service, "instance", &instance,
		    "life", &life) < 0) {
		call_refuse(call, PROTOCOL_INVALID_PARAMS,
			"identity is {\"service\",\"instance\",\"life\"}");
		return false;
	}
	struct member *member = engine_find(call->engine, service, (unsigned)instance);
	if (!member)
		return call_say_unknown(call, service);
	if (life >= 0 && (uint32_t)life != member->now.life) {
		call_refuse(call, PROTOCOL_GONE,
			"%s/%d was restarted meanwhile: it is another process now", service,
			instance);
		return false;
	}
	selection->items[selection->count++] = member;
	selection->is_by_name = true;
	return true;
}

/* By names or identity; without either, everything when that is allowed. */
bool call_select(struct call *call, struct selection *selection, bool all_by_default)
{
	json_t *identity = json_object_get(call->params, "identity");
	json_t *names = json_object_get(call->params, "names"), *name;
	size_t i;

	selection->count = 0;
	selection->is_by_name = false;
	if (identity)
		return select_identity(call, selection, identity);
	if (!json_array_size(names) && all_by_default)
		return call_select_name(call, selection, "all");
	if (!json_array_size(names)) {
		call_refuse(call, PROTOCOL_INVALID_PARAMS,
			"names: which ones? (a list of names, or [\"all\"])");
		return false;
	}
	json_array_foreach(names, i, name)
	{
		if (!json_is_string(name)) {
			call_refuse(call, PROTOCOL_INVALID_PARAMS, "names is a list of strings");
			return false;
		}
		if (!call_select_name(call, selection, json_string_value(name)))
			return false;
	}
	return true;
}

json_t *call_names(const struct selection *selection)
{
	json_t *list = json_array();

	for (size_t i = 0; i < selection->count; i++)
		json_array_append_new(list, member_name(selection->items[i]));
	return json_pack("{s:o}", "instances", list);
}
