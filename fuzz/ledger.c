/* A history that was cut off, or that anybody has written to: lines come back whole, newest first, and deaths within bounds. */
#include <jansson.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/journal.h"
#include "protocol/row.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static bool want_all(void *context, const char *service, unsigned instance)
{
	(void)context, (void)service, (void)instance;
	return true;
}

static void check(const json_t *record)
{
	struct death death;
	struct error err;

	if (death_from_json(&death, record, &err) &&
		(death.cause >= CAUSE_COUNT || strlen(death.detail) >= sizeof death.detail))
		__builtin_trap();
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static const struct journal_query query = { .limit = 100, .is_wanted = want_all };
	static char folder[64], path[80];
	struct journal journal;
	struct error err;

	if (!folder[0]) {
		snprintf(folder, sizeof folder, "/dev/shm/thrum-fuzz-XXXXXX");
		if (!mkdtemp(folder))
			abort();
		snprintf(path, sizeof path, "%s/history.jsonl", folder);
	}
	FILE *file = fopen(path, "we");
	if (!file)
		abort();
	fwrite(bytes, size, 1, file);
	fclose(file);
	journal_open(&journal, folder);
	const struct death newest = { .life = 7,
		.pid = 8,
		.started_us = 1764360000000000,
		.ended_us = 1764360000000001,
		.code = -1,
		.signal = 9,
		.cause = CAUSE_SIGNAL };
	bool is_whole = size && bytes[size - 1] == '\n';
	if (!journal_add(&journal, "web", 3, &newest, &err) || (is_whole && !journal_has(&journal, "web", 3, &newest)))
		__builtin_trap();
	json_t *deaths = journal_read(&journal, &query), *record;
	size_t i;
	if (json_array_size(deaths) > query.limit)
		__builtin_trap();
	json_array_foreach(deaths, i, record) check(record);
	json_decref(deaths);
	journal_close(&journal);
	return 0;
}
