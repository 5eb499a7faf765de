#include "cli/keys.h"

#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "base/utf8.h"

enum { SHIFT = 1,
	META = 2,
	CONTROL = 4,
	NAMES_MOST = 128 };

/*
 * final: of "ESC [ … final", or of "ESC O final" where is_ss3 is set and no modifier is held; then
 * number is what stands before it: "ESC [ 5 ~". A key with neither sends its character.
 */
// clang-format off
static const struct key {
	const char *name;
	char character, final;
	unsigned char number;
	bool is_ss3;
} keys[] = {
	{ "Enter", '\r', 0, 0, false },
	{ "Tab", '\t', 0, 0, false },
	{ "Space", ' ', 0, 0, false },
	{ "BSpace", 0x7f, 0, 0, false },
	{ "Escape", 0x1b, 0, 0, false },
	{ "BTab", 0, 'Z', 0, false },
	{ "Up", 0, 'A', 0, false },
	{ "Down", 0, 'B', 0, false },
	{ "Right", 0, 'C', 0, false },
	{ "Left", 0, 'D', 0, false },
	{ "Home", 0, 'H', 0, false },
	{ "End", 0, 'F', 0, false },
	{ "IC", 0, '~', 2, false }, { "Insert", 0, '~', 2, false },
	{ "DC", 0, '~', 3, false }, { "Delete", 0, '~', 3, false },
	{ "PPage", 0, '~', 5, false }, { "PageUp", 0, '~', 5, false }, { "PgUp", 0, '~', 5, false },
	{ "NPage", 0, '~', 6, false }, { "PageDown", 0, '~', 6, false }, { "PgDn", 0, '~', 6, false },
	{ "F1", 0, 'P', 0, true }, { "F2", 0, 'Q', 0, true }, { "F3", 0, 'R', 0, true }, { "F4", 0, 'S', 0, true },
	{ "F5", 0, '~', 15, false }, { "F6", 0, '~', 17, false }, { "F7", 0, '~', 18, false }, { "F8", 0, '~', 19, false },
	{ "F9", 0, '~', 20, false }, { "F10", 0, '~', 21, false }, { "F11", 0, '~', 23, false }, { "F12", 0, '~', 24, false },
};

static const struct {
	const char *text;
	unsigned modifier;
} prefixes[] = {
	{ "C-", CONTROL }, { "ctrl-", CONTROL }, { "^", CONTROL },
	{ "M-", META }, { "alt-", META },
	{ "S-", SHIFT }, { "shift-", SHIFT },
};
// clang-format on

static const struct key *find(const char *name)
{
	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (strcasecmp(keys[i].name, name) == 0)
			return &keys[i];
	return NULL;
}

/* The modifiers in front of a name, which is moved on; what is left is never empty. */
static unsigned take_modifiers(const char **name)
{
	unsigned held = 0;

	for (size_t i = 0; i < sizeof prefixes / sizeof *prefixes; i++) {
		size_t length = strlen(prefixes[i].text);
		if (strncasecmp(*name, prefixes[i].text, length) != 0 || !(*name)[length])
			continue;
		*name += length;
		held |= prefixes[i].modifier;
		i = (size_t)-1; /* from the first one again */
	}
	return held;
}

/* xterm's way: ESC [ 5 ; 3 ~, where 3 is 1 + the modifiers. */
static void append_sequence(struct text *out, const struct key *key, unsigned held)
{
	if (held)
		text_format(out, "\033[%d;%u%c", key->number ? key->number : 1, held + 1, key->final);
	else if (key->number)
		text_format(out, "\033[%d%c", key->number, key->final);
	else
		text_format(out, "\033%c%c", key->is_ss3 ? 'O' : '[', key->final);
}

/* What Ctrl makes of a character; -1: nothing that a terminal could send. */
static int control_of(char c)
{
	if (c == ' ')
		return 0;
	if (c == '?')
		return 0x7f;
	if ((c >= '@' && c <= '_') || (c >= 'a' && c <= 'z'))
		return c & 0x1f;
	return -1;
}

static bool append_character(struct text *out, const char *character, size_t size, unsigned held)
{
	int control = held & CONTROL ? size == 1 ? control_of(*character) : -1 : *character;

	if (held & SHIFT || (held & CONTROL && control < 0))
		return false;
	if (held & META)
		text_putc(out, '\033');
	return size == 1 ? text_putc(out, (char)control) : text_append(out, character, size);
}

bool keys_append(struct text *out, const char *name)
{
	unsigned held = take_modifiers(&name);
	const struct key *key = find(name);
	uint32_t character;

	if (key && key->final) {
		append_sequence(out, key, held);
		return true;
	}
	if (key)
		return append_character(out, &key->character, 1, held);
	size_t size = strlen(name);
	return size && utf8_decode(name, size, &character) == size &&
	       append_character(out, name, size, held);
}

bool key_watch_init(struct key_watch *watch, const char *names)
{
	char copy[NAMES_MOST], *rest = copy, *name;
	struct text keys_text;
	bool ok = strlen(names) < sizeof copy;

	*watch = (struct key_watch){ .matched = 0 };
	text_init(&keys_text, sizeof watch->keys);
	snprintf(copy, sizeof copy, "%s", names);
	while (ok && (name = strsep(&rest, " ,")))
		ok = !*name || keys_append(&keys_text, name);
	ok = ok && keys_text.size && !keys_text.full;
	if (ok)
		memcpy(watch->keys, keys_text.data, watch->size = keys_text.size);
	text_finish(&keys_text);
	return ok;
}

/* What was held back does not go on this way: let go of as little of it as can be. */
static void fall_back(struct key_watch *watch, struct text *out)
{
	size_t let_go = 1;

	while (let_go < watch->matched &&
		memcmp(watch->keys, watch->keys + let_go, watch->matched - let_go) != 0)
		let_go++;
	text_append(out, watch->keys, let_go);
	watch->matched -= let_go;
}

bool key_watch_feed(struct key_watch *watch, const char *bytes, size_t size, struct text *out)
{
	for (size_t i = 0; i < size; i++) {
		while (watch->matched && watch->keys[watch->matched] != bytes[i])
			fall_back(watch, out);
		if (watch->keys[watch->matched] != bytes[i])
			text_putc(out, bytes[i]);
		else if (++watch->matched == watch->size)
			return true;
	}
	return false;
}
