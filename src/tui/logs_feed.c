#include "tui/logs_feed.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/memory.h"
#include "client/link.h"
#include "protocol/chunk.h"
#include "protocol/value.h"
#include "tui/ui.h"

enum { WORK_MS = 10, /* keys are looked at again after it */
	STEPS = 16,  /* between two looks at the clock */
	AHEAD = 3 /* blocks in the direction that it goes */ };

/* ---- whose logs ---- */

/* All that is tagged, if what is selected is; a service's instances; or the one that is selected. */
static json_t *names_of(const struct ui *ui)
{
	json_t *names = json_array();

	if (tags_has(ui, &ui->selected))
		for (unsigned i = 0; i < ui->tag_count; i++)
			json_array_append_new(names, ui_name(&ui->tags[i]));
	else
		json_array_append_new(names, ui_name(&ui->selected));
	return names;
}

void feed_forget(struct ui *ui)
{
	ui->feed = (struct log_feed){ 0 };
}

void feed_go_on(struct ui *ui)
{
	ui->feed.names[0] = '\0';
}

static void ask_streams(struct ui *ui, json_t *names)
{
	json_t *params = json_pack("{s:O,s:i}", "names", names, "most", LOG_SOURCES);
	struct error err;

	if (ui->feed.until_us)
		json_object_set_new(params, "until", time_to_json(ui->feed.until_us));
	if (!link_send(ui->link, "log.list", params, &ui->feed.listing, &err))
		ui->feed.listing = 0; /* the loss is seen where messages are read */
}

void feed_follow(struct ui *ui)
{
	if (!ui->link || !rows_selected(ui))
		return;
	json_t *names = names_of(ui);
	char *text = json_dumps(names, JSON_COMPACT);

	bool is_then = ui->feed.until_us == ui->past_us;
	if (text && (!is_then || strncmp(text, ui->feed.names, sizeof ui->feed.names - 1) != 0)) {
		bool is_anew = ui->feed.is_anew || !is_then;
		feed_forget(ui);
		ui->feed.until_us = ui->past_us;
		ui->feed.is_anew = is_anew;
		snprintf(ui->feed.names, sizeof ui->feed.names, "%s", text);
		ask_streams(ui, names);
	}
	free(text);
	json_decref(names);
}

/* ---- streams ---- */

static struct log_source *find_source(const struct log_sources *all, const json_t *stream)
{
	const char *service = json_string_value(json_object_get(stream, "service"));
	const char *name = json_string_value(json_object_get(stream, "stream"));
	unsigned instance = (unsigned)json_integer_value(json_object_get(stream, "instance"));

	for (unsigned i = 0; service && name && i < all->count; i++) {
		struct log_source *source = &all->items[i];
		bool is_its = source->instance == instance && strcmp(source->service, service) == 0;
		if (is_its && source->is_err == (strcmp(name, "stderr") == 0))
			return source;
	}
	return NULL;
}

static void set_ends(struct log_source *source, const json_t *stream)
{
	source->first = (uint64_t)json_integer_value(json_object_get(stream, "first"));
	source->end = (uint64_t)json_integer_value(json_object_get(stream, "end"));
	source->is_grown = !source->is_fixed;
	source->is_gone = false;
}

static struct log_source make_source(const json_t *stream, bool is_fixed)
{
	const char *service = json_string_value(json_object_get(stream, "service"));
	const char *name = json_string_value(json_object_get(stream, "stream"));
	struct log_source source = { .instance = (unsigned)json_integer_value(json_object_get(stream, "instance")),
		.is_err = name && strcmp(name, "stderr") == 0,
		.is_fixed = is_fixed };

	snprintf(source.service, sizeof source.service, "%s", service ? service : "");
	set_ends(&source, stream);
	return source;
}

static void begin_anew(struct ui *ui, const json_t *streams, unsigned count)
{
	struct log_source *sources = memory_zeroed(count ? count : 1, sizeof *sources);

	for (unsigned i = 0; i < count; i++)
		sources[i] = make_source(json_array_get(streams, i), ui->feed.until_us);
	logs_begin(&ui->logs, sources, count);
}

/* The same ones as before are read on: the engine was another one meanwhile. */
static void take_streams(struct ui *ui, const json_t *result)
{
	const json_t *streams = json_object_get(result, "streams");
	size_t all = json_array_size(streams), known = 0;
	unsigned count = all < LOG_SOURCES ? (unsigned)all : LOG_SOURCES;

	ui->feed.left_out = (unsigned)(all - count) + (unsigned)json_integer_value(json_object_get(result, "left_out"));
	for (unsigned i = 0; i < count; i++)
		known += find_source(&ui->logs.sources, json_array_get(streams, i)) != NULL;
	if (known < count || count != ui->logs.sources.count || ui->feed.is_anew) {
		begin_anew(ui, streams, count);
		ui->feed.is_anew = false;
		return;
	}
	for (unsigned i = 0; i < count; i++)
		set_ends(find_source(&ui->logs.sources, json_array_get(streams, i)), json_array_get(streams, i));
}

/* One that we do not know may be of an instance that has come: then the names say so. */
void feed_grown(struct ui *ui, const json_t *params)
{
	struct log_source *source = find_source(&ui->logs.sources, params);
	uint64_t end = (uint64_t)json_integer_value(json_object_get(params, "end"));
	const char *service = json_string_value(json_object_get(params, "service"));

	if (ui->feed.until_us || ui->is_paused)
		return;
	if (source) {
		source->end = end > source->end ? end : source->end;
		source->is_grown = true;
		source->is_gone = false;
	} else if (service && !ui->feed.listing && !ui->feed.left_out && strstr(ui->feed.names, service)) {
		feed_go_on(ui);
	}
}

/* ---- blocks ---- */

static bool is_asked(const struct log_feed *feed, unsigned source, uint64_t number)
{
	for (unsigned i = 0; i < FEED_REQUESTS; i++)
		if (feed->requests[i].id && feed->requests[i].source == source && feed->requests[i].number == number)
			return true;
	return false;
}

static struct feed_request *free_request(struct log_feed *feed)
{
	for (unsigned i = 0; i < FEED_REQUESTS; i++)
		if (!feed->requests[i].id)
			return &feed->requests[i];
	return NULL;
}

static bool ask_bytes(struct ui *ui, unsigned i, uint64_t number, uint64_t offset, size_t most)
{
	const struct log_source *source = &ui->logs.sources.items[i];
	struct feed_request *request = free_request(&ui->feed);
	struct error err;

	if (!request || !ui->link)
		return false;
	*request = (struct feed_request){ .source = i, .number = number, .offset = offset };
	json_t *params = chunk_request(source->service, source->instance, source->is_err, offset, most);
	if (!link_send(ui->link, "log.read", params, &request->id, &err))
		request->id = 0;
	return request->id;
}

static bool ask_block(struct ui *ui, unsigned i, uint64_t number)
{
	uint64_t offset;
	size_t most;

	if (is_asked(&ui->feed, i, number) || !log_source_lacks(&ui->logs.sources.items[i], number, &offset, &most))
		return true;
	return ask_bytes(ui, i, number, offset, most);
}

/* What is wanted, and what is likely to be wanted after it. */
static void ask_wanted(struct ui *ui, unsigned i)
{
	struct log_source *source = &ui->logs.sources.items[i];
	uint64_t number = source->wanted / LOG_BLOCK;

	for (int ahead = 0; source->is_wanted && ahead < AHEAD; ahead++) {
		if (!ask_block(ui, i, number))
			return;
		if (source->direction < 0 && !number)
			break;
		number += (uint64_t)(int64_t)source->direction;
	}
	source->is_wanted = false;
}

/* It may have no more bytes, but the word that its process has closed it. */
static void ask_end(struct ui *ui, unsigned i)
{
	const struct log_source *source = &ui->logs.sources.items[i];
	uint64_t number = source->end / LOG_BLOCK, offset;
	size_t most;

	log_source_lacks(source, number, &offset, &most);
	if (source->is_grown && !source->is_gone && ui->logs.follows && offset >= source->end && !is_asked(&ui->feed, i, number))
		ask_bytes(ui, i, number, source->end, LOG_BLOCK - (size_t)(source->end % LOG_BLOCK));
}

static void ask_all(struct ui *ui)
{
	for (unsigned i = 0; i < ui->logs.sources.count; i++) {
		ask_wanted(ui, i);
		ask_end(ui, i);
	}
}

/* Nothing although there should be something: it would be asked for again and again. */
static void take_blocks(const struct ui *ui, struct log_source *source, const struct feed_request *request, const json_t *result)
{
	const json_t *chunks = json_object_get(result, "chunks"), *json;
	uint64_t next = (uint64_t)json_integer_value(json_object_get(result, "next"));
	struct chunk chunk;
	struct error err;
	struct text room;
	size_t i;

	text_init(&room, CHUNK_MOST);
	source->first = (uint64_t)json_integer_value(json_object_get(result, "first"));
	if (!source->is_fixed && !ui->is_paused)
		source->end = (uint64_t)json_integer_value(json_object_get(result, "end"));
	json_array_foreach(chunks, i, json) if (chunk_from_json(&chunk, json, &room, &err))
		log_source_take(source, &chunk);
	text_finish(&room);
	source->is_grown = next < source->end;
	source->is_gone = !result || (!json_array_size(chunks) && next < source->end && next >= request->offset);
}

bool feed_reply(struct ui *ui, const json_t *message)
{
	json_int_t id = json_integer_value(json_object_get(message, "id"));
	const json_t *result = json_object_get(message, "result");
	struct log_feed *feed = &ui->feed;

	if (id && id == feed->listing) {
		feed->listing = 0;
		take_streams(ui, result);
		return true;
	}
	for (unsigned i = 0; id && i < FEED_REQUESTS; i++) {
		if (feed->requests[i].id != id)
			continue;
		feed->requests[i].id = 0;
		if (feed->requests[i].source < ui->logs.sources.count)
			take_blocks(ui, &ui->logs.sources.items[feed->requests[i].source], &feed->requests[i], result);
		return true;
	}
	return false;
}

/* ---- work ---- */

bool feed_work(struct ui *ui)
{
	uint64_t stop_ms = clock_monotonic_ms() + WORK_MS;
	enum log_step step = LOG_FOUND;

	while (step == LOG_FOUND && clock_monotonic_ms() < stop_ms)
		for (unsigned i = 0; step == LOG_FOUND && i < STEPS; i++)
			step = logs_step(&ui->logs);
	ask_all(ui);
	return step == LOG_FOUND;
}
