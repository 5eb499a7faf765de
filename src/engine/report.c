#include "engine/report.h"

#include <stdio.h>
#include <string.h>

#include "engine/channel.h"
#include "wire/message.h"

/* Cut where a character ends. */
static void copy_text(char *out, size_t size, const char *text)
{
	size_t length = strlen(text);

	if (length >= size)
		for (length = size - 1; length && ((unsigned char)text[length] & 0xc0) == 0x80;)
			length--;
	memcpy(out, text, length);
	out[length] = '\0';
}

/* NULL: there is no room for another one. */
static struct metric *metric_of(struct report *report, const char *name)
{
	struct metric *metric;

	for (uint32_t i = 0; i < report->metric_count; i++)
		if (strncmp(report->metrics[i].name, name, sizeof report->metrics[i].name - 1) == 0)
			return &report->metrics[i];
	if (report->metric_count == REPORT_METRICS)
		return NULL;
	metric = &report->metrics[report->metric_count++];
	copy_text(metric->name, sizeof metric->name, name);
	return metric;
}

/* {"value":5,"unit":"ms",…}, or the value alone. */
static void take_metric(struct report *report, const char *name, json_t *said)
{
	json_t *value = json_is_object(said) ? json_object_get(said, "value") : said;
	const char *unit = json_string_value(json_object_get(said, "unit"));
	struct metric *metric = metric_of(report, name);

	if (!metric || !value)
		return;
	if (json_is_string(value))
		copy_text(metric->value, sizeof metric->value, json_string_value(value));
	else if (json_is_integer(value))
		snprintf(metric->value, sizeof metric->value, "%" JSON_INTEGER_FORMAT, json_integer_value(value));
	else if (json_is_real(value))
		snprintf(metric->value, sizeof metric->value, "%.6g", json_real_value(value));
	copy_text(metric->unit, sizeof metric->unit, unit ? unit : "");
}

/* What a library measures of Node itself, unasked. */
static bool is_internal(const json_t *said)
{
	const char *type = json_string_value(json_object_get(said, "type"));

	return type && strncmp(type, "internal/", strlen("internal/")) == 0;
}

/* What the program itself tells comes first: there is not room for all everywhere. */
static void take_metrics(struct report *report, json_t *data)
{
	const char *name;
	json_t *said;

	json_object_foreach(data, name, said) if (!is_internal(said)) take_metric(report, name, said);
	json_object_foreach(data, name, said) if (is_internal(said)) take_metric(report, name, said);
}

static void take_action(struct report *report, json_t *data)
{
	const char *name = json_string_value(json_object_get(data, "action_name"));

	for (uint32_t i = 0; name && i < report->action_count; i++)
		if (strcmp(report->actions[i], name) == 0)
			return;
	if (name && report->action_count < REPORT_ACTIONS && strlen(name) < sizeof *report->actions)
		copy_text(report->actions[report->action_count++], sizeof *report->actions, name);
}

static const struct {
	const char *type;
	void (*take)(struct report *report, json_t *data);
} types[] = {
	{ "axm:monitor", take_metrics },
	{ "axm:action", take_action },
};

bool report_take(struct member *member, const struct message *message)
{
	for (size_t i = 0; i < sizeof types / sizeof *types; i++) {
		if (!span_is(message->members[MEMBER_TYPE], types[i].type))
			continue;
		struct span data = message->members[MEMBER_DATA];
		json_t *json = json_loadb(data.at, data.size, 0, NULL);
		if (json_is_object(json))
			types[i].take(&channel_page(member)->report, json);
		json_decref(json);
		return true;
	}
	return false;
}

json_t *report_to_json(const struct member *member)
{
	const struct inbox_page *page = channel_page(member);
	const struct report *report = page ? &page->report : NULL;

	if (!report || (!report->metric_count && !report->action_count))
		return NULL;
	json_t *metrics = json_object(), *actions = json_array();
	for (uint32_t i = 0; i < report->metric_count; i++)
		json_object_set_new(metrics, report->metrics[i].name,
			json_pack("{s:s,s:s}", "value", report->metrics[i].value, "unit", report->metrics[i].unit));
	for (uint32_t i = 0; i < report->action_count; i++)
		json_array_append_new(actions, json_string(report->actions[i]));
	return json_pack("{s:o,s:o}", "metrics", metrics, "actions", actions);
}

void report_metrics(const struct member *member, struct metrics *out)
{
	const struct inbox_page *page = channel_page(member);

	out->count = !page ? 0 : page->report.metric_count < METRICS_MOST ? page->report.metric_count
									  : METRICS_MOST;
	for (unsigned i = 0; i < out->count; i++)
		out->items[i] = page->report.metrics[i];
}

bool report_has_action(const struct member *member, const char *name)
{
	const struct inbox_page *page = channel_page(member);

	for (uint32_t i = 0; page && i < page->report.action_count; i++)
		if (strcmp(page->report.actions[i], name) == 0)
			return true;
	return false;
}
