#include "engine/journal.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "protocol/row.h"
#include "protocol/value.h"

enum {
	JOURNAL_MOST = 4 * 1024 * 1024,
	HEAD_SIZE = 128, /* of a line: service and instance stand there */
};

void journal_open(struct journal *journal, const char *dir)
{
	ledger_open(&journal->ledger, dir, "history.jsonl", JOURNAL_MOST);
}

void journal_close(struct journal *journal)
{
	ledger_close(&journal->ledger);
}

bool journal_add(struct journal *journal, const char *service, unsigned instance,
	const struct death *death, struct error *err)
{
	json_t *record = death_to_json(service, instance, death);
	char *line = json_dumps(record, JSON_COMPACT);

	json_decref(record);
	bool ok = ledger_add(&journal->ledger, line, err);
	free(line);
	return ok;
}

struct collection {
	const struct journal_query *query;
	char since[CLOCK_TEXT_SIZE]; /* as it is written; or "" */
	json_t *newest_first;
};

/* Whose death a line is about, and when, is read before it is parsed: most are not meant. */
static bool is_about(const struct journal_query *query, const char *line, size_t size)
{
	char head[HEAD_SIZE], service[64];
	unsigned instance;

	snprintf(head, sizeof head, "%.*s", (int)size, line);
	return sscanf(head, "{\"service\":\"%63[^\"]\",\"instance\":%u,", service, &instance) == 2 &&
	       query->is_wanted(query->context, service, instance);
}

/* Times are written so that their order is that of their characters. */
static bool is_since(const struct collection *collection, const char *line, size_t size)
{
	static const char key[] = "\"ended\":\"";
	const char *ended = memmem(line, size, key, sizeof key - 1);
	size_t length = strlen(collection->since);

	if (!ended)
		return false;
	ended += sizeof key - 1;
	return (size_t)(line + size - ended) >= length &&
	       memcmp(ended, collection->since, length) >= 0;
}

static bool is_meant(const struct journal_query *query, const json_t *record)
{
	json_int_t life = json_integer_value(json_object_get(record, "life"));

	return record && (!query->life || life == query->life) &&
	       (!query->started_us ||
		       time_from_json(json_object_get(record, "started")) == query->started_us);
}

static bool collect(void *context, const char *line, size_t size)
{
	struct collection *collection = context;
	const struct journal_query *query = collection->query;

	if (json_array_size(collection->newest_first) >= query->limit)
		return false;
	if (!is_about(query, line, size) || !is_since(collection, line, size))
		return true;
	json_t *record = json_loadb(line, size, 0, NULL);
	if (is_meant(query, record))
		json_array_append(collection->newest_first, record);
	json_decref(record);
	return true;
}

json_t *journal_read(const struct journal *journal, const struct journal_query *query)
{
	struct collection collection = { .query = query, .newest_first = json_array() };
	json_t *deaths = json_array();

	if (query->since_us)
		clock_format_iso(collection.since, query->since_us);
	ledger_read(&journal->ledger, collect, &collection);
	for (size_t i = json_array_size(collection.newest_first); i > 0; i--)
		json_array_append(deaths, json_array_get(collection.newest_first, i - 1));
	json_decref(collection.newest_first);
	return deaths;
}

struct looked_for {
	const char *service;
	unsigned instance;
};

static bool is_looked_for(void *context, const char *service, unsigned instance)
{
	const struct looked_for *wanted = context;

	return instance == wanted->instance && strcmp(service, wanted->service) == 0;
}

json_t *journal_find(const struct journal *journal, const char *service, unsigned instance,
	uint32_t life, uint64_t started_us)
{
	struct looked_for wanted = { service, instance };
	struct journal_query query = { 1, 0, life, started_us, is_looked_for, &wanted };
	json_t *deaths = journal_read(journal, &query);
	json_t *found = json_incref(json_array_get(deaths, 0));

	json_decref(deaths);
	return found;
}

bool journal_has(const struct journal *journal, const char *service, unsigned instance,
	const struct death *death)
{
	json_t *record = journal_find(journal, service, instance, 0, 0);
	struct death newest;
	struct error err;

	bool has = record && death_from_json(&newest, record, &err) &&
		   newest.life == death->life && newest.pid == death->pid &&
		   newest.started_us == death->started_us;
	json_decref(record);
	return has;
}
