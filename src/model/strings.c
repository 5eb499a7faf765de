#include "model/strings.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { FIRST_ROOM = 4 };

void strings_add(struct strings *list, const char *text)
{
	/* room for this one and the NULL behind it */
	if (list->count == 0 ||
		(list->count >= FIRST_ROOM - 1 && ((list->count + 1) & list->count) == 0)) {
		size_t room = list->count ? (list->count + 1) * 2 : FIRST_ROOM;
		list->items = memory_resize(list->items, room, sizeof *list->items);
	}
	list->items[list->count++] = memory_copy(text);
	list->items[list->count] = NULL;
}

void strings_finish(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){ 0 };
}

static char **find_variable(const struct strings *list, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], name, length) == 0 && list->items[i][length] == '=')
			return &list->items[i];
	return NULL;
}

void strings_set_variable(struct strings *list, const char *name, const char *value)
{
	char **place = find_variable(list, name);
	char *entry = memory_format("%s=%s", name, value);

	if (place) {
		free(*place);
		*place = entry;
		return;
	}
	strings_add(list, entry);
	free(entry);
}

const char *strings_get_variable(const struct strings *list, const char *name)
{
	char **place = find_variable(list, name);

	return place ? *place + strlen(name) + 1 : NULL;
}

bool strings_are_equal(const struct strings *one, const struct strings *other)
{
	if (one->count != other->count)
		return false;
	for (size_t i = 0; i < one->count; i++)
		if (strcmp(one->items[i], other->items[i]) != 0)
			return false;
	return true;
}
