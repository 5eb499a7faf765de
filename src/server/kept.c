#include "server/kept.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct kept {
	struct kept_one {
		char what[KEPT_NAME_SIZE];
		uint64_t ts_us;
		char *text; /* owned */
		size_t size;
		json_int_t queued, busy; /* below 0: it has no such figure */
	} ring[KEPT_MOST];
	unsigned count, first; /* ever kept; … of which those before are gone */
	size_t bytes;
};

static struct kept_one *one_at(const struct kept *kept, unsigned number)
{
	return (struct kept_one *)&kept->ring[number % KEPT_MOST];
}

static void drop_oldest(struct kept *kept)
{
	struct kept_one *one = one_at(kept, kept->first++);

	kept->bytes -= one->size;
	free(one->text);
	one->text = NULL;
}

/* The newest that is not later; NULL: there is none. */
static const struct kept_one *find(const struct kept *kept, const char *what, uint64_t at_us)
{
	for (unsigned number = kept->count; number > kept->first; number--) {
		const struct kept_one *one = one_at(kept, number - 1);
		if (one->ts_us <= at_us && strcmp(one->what, what) == 0)
			return one;
	}
	return NULL;
}

static json_int_t figure_of(const json_t *answer, const char *key)
{
	const json_t *figure = json_object_get(answer, key);

	return json_is_integer(figure) ? json_integer_value(figure) : -1;
}

void kept_add(struct kept **kept, const char *what, uint64_t now_us, const json_t *answer)
{
	if (!*kept)
		*kept = memory_zeroed(1, sizeof **kept);
	const struct kept_one *last = find(*kept, what, now_us);
	if (last && now_us - last->ts_us < KEPT_STEP_US)
		return;
	char *text = json_dumps(answer, JSON_COMPACT);
	if (!text)
		return;
	if ((*kept)->count - (*kept)->first == KEPT_MOST)
		drop_oldest(*kept);
	struct kept_one *one = one_at(*kept, (*kept)->count++);
	const char *queued = json_object_get(answer, "queued") ? "queued" : "queue"; /* of a pool, and of a process */
	*one = (struct kept_one){ .ts_us = now_us, .text = text, .size = strlen(text) };
	one->queued = figure_of(answer, queued);
	one->busy = figure_of(answer, "busy");
	snprintf(one->what, sizeof one->what, "%s", what);
	(*kept)->bytes += one->size;
	while ((*kept)->bytes > KEPT_BYTES_MOST)
		drop_oldest(*kept);
}

/* Oldest first. */
static json_t *course_of(const struct kept *kept, const char *what, uint64_t at_us)
{
	json_t *queued = json_array(), *busy = json_array();

	for (unsigned number = kept->count; number > kept->first && json_array_size(busy) < KEPT_COURSE_MOST; number--) {
		const struct kept_one *one = one_at(kept, number - 1);
		if (one->ts_us > at_us || one->queued < 0 || one->busy < 0 || strcmp(one->what, what) != 0)
			continue;
		if (at_us - one->ts_us > KEPT_COURSE_US)
			break;
		json_array_insert_new(queued, 0, json_integer(one->queued));
		json_array_insert_new(busy, 0, json_integer(one->busy));
	}
	return json_pack("{s:o,s:o}", "queued", queued, "busy", busy);
}

json_t *kept_find(const struct kept *kept, const char *what, uint64_t at_us)
{
	const struct kept_one *one = kept ? find(kept, what, at_us) : NULL;

	if (!one || at_us - one->ts_us > KEPT_VALID_US)
		return NULL;
	json_t *answer = json_loadb(one->text, one->size, 0, NULL);
	json_object_set_new(answer, "course", course_of(kept, what, at_us));
	return answer;
}

void kept_destroy(struct kept *kept)
{
	while (kept && kept->first != kept->count)
		drop_oldest(kept);
	free(kept);
}
