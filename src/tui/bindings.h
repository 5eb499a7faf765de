/* Keys: their numbers, their names, and those that somebody has given to another action than the built-in one. */
#ifndef TUI_BINDINGS_H
#define TUI_BINDINGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What the screen gives for keys that are no characters. */
enum input {
	INPUT_FIRST = 0x200000,
	INPUT_ARROW_UP,
	INPUT_ARROW_DOWN,
	INPUT_ARROW_LEFT,
	INPUT_ARROW_RIGHT,
	INPUT_TOP,
	INPUT_BOTTOM,
	INPUT_PAGE_UP,
	INPUT_PAGE_DOWN,
	INPUT_ERASE,
	INPUT_BACK_TAB,
	INPUT_CLICK, /* where: screen_click */
	INPUT_WHEEL_UP,
	INPUT_WHEEL_DOWN,
	INPUT_NONE,                        /* something that means nothing */
	INPUT_FUNCTION,                    /* + n: Fn */
	INPUT_SHIFT = INPUT_FUNCTION + 12, /* + n: Fn with Shift, as terminals number them */
};

#define INPUT_CONTROL(letter) ((letter)&0x1f)
enum { INPUT_ESCAPE = 0x1b,
	INPUT_RETURN = '\r',
	INPUT_TABULATOR = '\t' };

#define BINDING_NONE "none" /* in place of an action: the key does nothing */

enum { BINDINGS_MOST = 128,
	ACTION_NAME_SIZE = 24,
	KEY_NAME_SIZE = 16 };

struct binding {
	uint32_t key;
	char action[ACTION_NAME_SIZE];
};

/* Zeroed: none. */
struct bindings {
	struct binding all[BINDINGS_MOST];
	unsigned count;
};

/* The name of the action that was chosen for a key; NULL: none was. */
const char *bindings_find(const struct bindings *bindings, uint32_t key);
/* In place of what was chosen before. False: there are as many as there may be. */
bool bindings_choose(struct bindings *bindings, uint32_t key, const char *action);

/* "j", "F9", "^X", "Space", "PgUp"; 0: no key has that name. Some have two. */
uint32_t bindings_key(const char *name);
void bindings_key_name(uint32_t key, char out[KEY_NAME_SIZE]);

#endif
