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
	*one = (struct kept_one){ .ts_us = now_us, .text = text, .size = strlen(text) };
	snprintf(one->what, sizeof one->what, "%s", what);
	(*kept)->bytes += one->size;
	while ((*kept)->bytes > KEPT_BYTES_MOST)
		drop_oldest(*kept);
}

json_t *kept_find(const struct kept *kept, const char *what, uint64_t at_us)
{
	const struct kept_one *one = kept ? find(kept, what, at_us) : NULL;

	if (!one || at_us - one->ts_us > KEPT_VALID_US)
		return NULL;
	return json_loadb(one->text, one->size, 0, NULL);
}

void kept_destroy(struct kept *kept)
{
	while (kept && kept->first != kept->count)
		drop_oldest(kept);
	free(kept);
}
