#include "tui/bindings.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { FUNCTIONS = 12 };

/* The first name of a key is the one that is shown. */
static const struct {
	const char *name;
	uint32_t key;
} names[] = {
	{ "Up", INPUT_ARROW_UP },
	{ "Down", INPUT_ARROW_DOWN },
	{ "Left", INPUT_ARROW_LEFT },
	{ "Right", INPUT_ARROW_RIGHT },
	{ "Home", INPUT_TOP },
	{ "End", INPUT_BOTTOM },
	{ "PgUp", INPUT_PAGE_UP },
	{ "PgDn", INPUT_PAGE_DOWN },
	{ "PageUp", INPUT_PAGE_UP },
	{ "PageDown", INPUT_PAGE_DOWN },
	{ "Backspace", INPUT_ERASE },
	{ "S-Tab", INPUT_BACK_TAB },
	{ "Enter", INPUT_RETURN },
	{ "Esc", INPUT_ESCAPE },
	{ "Escape", INPUT_ESCAPE },
	{ "Tab", INPUT_TABULATOR },
	{ "Space", ' ' },
	{ "Hash", '#' }, /* which begins a comment */
};
enum { NAME_COUNT = sizeof names / sizeof *names };

const char *bindings_find(const struct bindings *bindings, uint32_t key)
{
	for (unsigned i = 0; i < bindings->count; i++)
		if (bindings->all[i].key == key)
			return bindings->all[i].action;
	return NULL;
}

bool bindings_choose(struct bindings *bindings, uint32_t key, const char *action)
{
	struct binding *binding = bindings->all;

	while (binding < bindings->all + bindings->count && binding->key != key)
		binding++;
	if (binding == bindings->all + BINDINGS_MOST)
		return false;
	if (binding == bindings->all + bindings->count)
		bindings->count++;
	binding->key = key;
	snprintf(binding->action, sizeof binding->action, "%s", action);
	return true;
}

static uint32_t control_key(const char *name)
{
	const char *letter = name[0] == '^' ? name + 1 : strncasecmp(name, "C-", 2) == 0 ? name + 2
											 : "";

	return *letter >= '@' && *letter <= 'z' && !letter[1] ? (uint32_t)INPUT_CONTROL(*letter) : 0;
}

static uint32_t function_key(const char *name)
{
	char *end = (char *)name;
	unsigned long number = name[0] == 'F' ? strtoul(name + 1, &end, 10) : 0;

	return !*end && number >= 1 && number <= FUNCTIONS ? INPUT_FUNCTION + (uint32_t)number : 0;
}

uint32_t bindings_key(const char *name)
{
	size_t size = strlen(name);
	uint32_t key = 0;

	for (size_t i = 0; i < NAME_COUNT; i++)
		if (strcasecmp(names[i].name, name) == 0)
			return names[i].key;
	if (size && utf8_decode(name, size, &key) == size)
		return key > ' ' && key != UTF8_BAD ? key : 0;
	key = control_key(name);
	return key ? key : function_key(name);
}

void bindings_key_name(uint32_t key, char out[KEY_NAME_SIZE])
{
	for (size_t i = 0; i < NAME_COUNT; i++)
		if (names[i].key == key) {
			snprintf(out, KEY_NAME_SIZE, "%s", names[i].name);
			return;
		}
	if (key > INPUT_FUNCTION)
		snprintf(out, KEY_NAME_SIZE, "F%u", (unsigned)(key - INPUT_FUNCTION));
	else if (key < ' ')
		snprintf(out, KEY_NAME_SIZE, "^%c", (char)(key | '@'));
	else
		out[utf8_encode(out, key)] = '\0';
}
