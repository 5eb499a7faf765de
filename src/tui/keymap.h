/* Which key does what: one row a key, with the words of its help. */
#ifndef TUI_KEYMAP_H
#define TUI_KEYMAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "tui/bindings.h"

enum action {
	ACTION_NONE,
	ACTION_DOWN,
	ACTION_UP,
	ACTION_TOP,
	ACTION_BOTTOM,
	ACTION_PAGE_DOWN,
	ACTION_PAGE_UP,
	ACTION_HALF_DOWN,
	ACTION_HALF_UP,
	ACTION_FOLD,
	ACTION_UNFOLD,
	ACTION_FOLD_ALL,
	ACTION_SEARCH,
	ACTION_NEXT,
	ACTION_PREVIOUS,
	ACTION_FILTER,
	ACTION_STATES,
	ACTION_NAMESPACE,
	ACTION_TAG,
	ACTION_TAG_SERVICE,
	ACTION_UNTAG,
	ACTION_RESTART,
	ACTION_RELOAD,
	ACTION_START,
	ACTION_STOP,
	ACTION_KILL,
	ACTION_SIGNAL,
	ACTION_MORE,
	ACTION_FEWER,
	ACTION_EXACT,
	ACTION_LAUNCH,
	ACTION_SEND,
	ACTION_UNDO,
	ACTION_OPEN,
	ACTION_ZOOM,
	ACTION_TAB_NEXT,
	ACTION_TAB_PREVIOUS,
	ACTION_INFO,
	ACTION_THREADS,
	ACTION_POOL,
	ACTION_IPC,
	ACTION_HISTORY,
	ACTION_LOGS,
	ACTION_EVENTS,
	ACTION_ENVIRONMENT,
	ACTION_TREE,
	ACTION_SORT,
	ACTION_INVERT,
	ACTION_BY_CPU,
	ACTION_BY_MEMORY,
	ACTION_BY_UPTIME,
	ACTION_BY_QUEUE,
	ACTION_PAUSE,
	ACTION_PAST,
	ACTION_FORTH,
	ACTION_THREAD_ROWS,
	ACTION_HEADER,
	ACTION_EVENT_BEFORE,
	ACTION_EVENT_AFTER,
	ACTION_THREAD_ORDER,
	ACTION_THREAD_STACK,
	ACTION_HOLDINGS,
	ACTION_DRAIN,
	ACTION_HEARD_PAUSE,
	ACTION_HEARD_FILTER,
	ACTION_HEARD_SAVE,
	ACTION_MAP,
	ACTION_COPY,
	ACTION_LOG_SEARCH,
	ACTION_LOG_NEXT,
	ACTION_LOG_PREVIOUS,
	ACTION_LOG_ERROR,
	ACTION_LOG_ERROR_AFTER,
	ACTION_LOG_FILTER,
	ACTION_LOG_TIMES,
	ACTION_LOG_SAVE,
	ACTION_LOG_SEARCH_BACK,
	ACTION_LOG_WRAP,
	ACTION_LOG_OLDEST,
	ACTION_LOG_FOLLOW,
	ACTION_LOG_LEFT,
	ACTION_LOG_RIGHT,
	ACTION_LOG_MARK,
	ACTION_LOG_GO,
	ACTION_LOG_COPY,
	ACTION_LOG_COPY_FROM,
	ACTION_HELP,
	ACTION_COMMAND,
	ACTION_REDRAW,
	ACTION_SUSPEND,
	ACTION_BACK,
	ACTION_QUIT,
	ACTION_COUNT
};

enum detail_tab { TAB_INFO,
	TAB_THREADS,
	TAB_POOL,
	TAB_IPC,
	TAB_HISTORY,
	TAB_LOGS,
	TAB_COUNT };

struct key_row {
	uint32_t key;
	enum action action;
	const char *name; /* of the key, for people */
};

struct action_row {
	const char *group; /* of the help screen */
	const char *name;  /* for who gives it another key; a word */
	const char *help;
};

extern const struct key_row keymap[];                      /* ends with key 0, as the next ones */
extern const struct key_row *const tab_keymaps[TAB_COUNT]; /* go first where a tab fills the screen; NULL: none */
extern const struct action_row action_rows[ACTION_COUNT];

/* What a key does; in the tab that fills the screen, or NULL. */
enum action keymap_find(const struct bindings *bindings, uint32_t key, const enum detail_tab *zoomed);
/* ACTION_NONE: it is no action's name. */
enum action keymap_action(const char *name);
/* The first key of an action there, for people; "": it has none. */
void keymap_name(const struct bindings *bindings, enum action action, const enum detail_tab *zoomed, char out[KEY_NAME_SIZE]);
/* Its keys, wherever they are: "r", "x F9". */
void keymap_names(const struct bindings *bindings, enum action action, char *out, size_t size);

/* What a key adds to a line that is typed (UTF-8, size bytes of room), or takes away from it. */
void keymap_type(char *text, size_t size, uint32_t key);

#endif
