#include "tui/keymap.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"

// clang-format off
const struct key_row keymap[] = {
	{ 'j', ACTION_DOWN, "j" }, { INPUT_ARROW_DOWN, ACTION_DOWN, "↓" },
	{ 'k', ACTION_UP, "k" }, { INPUT_ARROW_UP, ACTION_UP, "↑" },
	{ 'g', ACTION_TOP, "g" }, { INPUT_TOP, ACTION_TOP, "Home" },
	{ 'G', ACTION_BOTTOM, "G" }, { INPUT_BOTTOM, ACTION_BOTTOM, "End" },
	{ INPUT_CONTROL('f'), ACTION_PAGE_DOWN, "^F" }, { INPUT_PAGE_DOWN, ACTION_PAGE_DOWN, "PgDn" },
	{ INPUT_CONTROL('b'), ACTION_PAGE_UP, "^B" }, { INPUT_PAGE_UP, ACTION_PAGE_UP, "PgUp" },
	{ INPUT_CONTROL('d'), ACTION_HALF_DOWN, "^D" },
	{ INPUT_CONTROL('u'), ACTION_HALF_UP, "^U" },
	{ 'h', ACTION_FOLD, "h" }, { INPUT_ARROW_LEFT, ACTION_FOLD, "←" },
	{ 'l', ACTION_UNFOLD, "l" }, { INPUT_ARROW_RIGHT, ACTION_UNFOLD, "→" },
	{ '*', ACTION_FOLD_ALL, "*" },
	{ '/', ACTION_SEARCH, "/" }, { INPUT_FUNCTION + 3, ACTION_SEARCH, "F3" },
	{ 'n', ACTION_NEXT, "n" },
	{ 'N', ACTION_PREVIOUS, "N" },
	{ '\\', ACTION_FILTER, "\\" }, { INPUT_FUNCTION + 4, ACTION_FILTER, "F4" },
	{ '&', ACTION_STATES, "&" },
	{ '@', ACTION_NAMESPACE, "@" },
	{ ' ', ACTION_TAG, "Space" },
	{ 'c', ACTION_TAG_SERVICE, "c" },
	{ 'U', ACTION_UNTAG, "U" },
	{ 'r', ACTION_RESTART, "r" },
	{ 'R', ACTION_RELOAD, "R" },
	{ 's', ACTION_START, "s" },
	{ 'x', ACTION_STOP, "x" }, { INPUT_FUNCTION + 9, ACTION_STOP, "F9" },
	{ 'X', ACTION_KILL, "X" },
	{ 'S', ACTION_SIGNAL, "S" },
	{ '+', ACTION_MORE, "+" }, { INPUT_FUNCTION + 8, ACTION_MORE, "F8" },
	{ '-', ACTION_FEWER, "-" }, { INPUT_FUNCTION + 7, ACTION_FEWER, "F7" },
	{ '=', ACTION_EXACT, "=" },
	{ 'a', ACTION_LAUNCH, "a" },
	{ 'm', ACTION_SEND, "m" },
	{ 'u', ACTION_UNDO, "u" },
	{ INPUT_RETURN, ACTION_OPEN, "Enter" },
	{ 'z', ACTION_ZOOM, "z" },
	{ ']', ACTION_TAB_NEXT, "]" }, { '[', ACTION_TAB_PREVIOUS, "[" },
	{ '1', ACTION_INFO, "1" }, { '2', ACTION_THREADS, "2" }, { '3', ACTION_POOL, "3" },
	{ '4', ACTION_IPC, "4" }, { '5', ACTION_HISTORY, "5" }, { '6', ACTION_LOGS, "6" }, { 'L', ACTION_LOGS, "L" },
	{ 'f', ACTION_TREE, "f" }, { INPUT_FUNCTION + 5, ACTION_TREE, "F5" },
	{ '<', ACTION_SORT, "<" }, { '>', ACTION_SORT, ">" }, { INPUT_FUNCTION + 6, ACTION_SORT, "F6" },
	{ 'I', ACTION_INVERT, "I" },
	{ 'P', ACTION_BY_CPU, "P" }, { 'M', ACTION_BY_MEMORY, "M" }, { 'T', ACTION_BY_UPTIME, "T" },
	{ 'Q', ACTION_BY_QUEUE, "Q" },
	{ 'Z', ACTION_PAUSE, "Z" },
	{ 't', ACTION_PAST, "t" },
	{ 'b', ACTION_FORTH, "b" },
	{ 'H', ACTION_THREAD_ROWS, "H" },
	{ '#', ACTION_HEADER, "#" },
	{ 'e', ACTION_ENVIRONMENT, "e" },
	{ '{', ACTION_EVENT_BEFORE, "{" }, { '}', ACTION_EVENT_AFTER, "}" },
	{ 'E', ACTION_EVENTS, "E" },
	{ '?', ACTION_HELP, "?" }, { INPUT_FUNCTION + 1, ACTION_HELP, "F1" },
	{ ':', ACTION_COMMAND, ":" },
	{ INPUT_CONTROL('l'), ACTION_REDRAW, "^L" },
	{ INPUT_CONTROL('z'), ACTION_SUSPEND, "^Z" },
	{ INPUT_ESCAPE, ACTION_BACK, "Esc" },
	{ 'q', ACTION_QUIT, "q" }, { INPUT_FUNCTION + 10, ACTION_QUIT, "F10" }, { INPUT_CONTROL('c'), ACTION_QUIT, "^C" },
	{ 0, ACTION_NONE, "" },
};

static const struct key_row info_keys[] = {
	{ 'w', ACTION_HOLDINGS, "w" },
	{ 'y', ACTION_COPY, "y" },
	{ 0, ACTION_NONE, "" },
};

static const struct key_row thread_keys[] = {
	{ '<', ACTION_THREAD_ORDER, "<" }, { '>', ACTION_THREAD_ORDER, ">" }, { INPUT_FUNCTION + 6, ACTION_THREAD_ORDER, "F6" },
	{ 'w', ACTION_THREAD_STACK, "w" },
	{ 0, ACTION_NONE, "" },
};

static const struct key_row pool_keys[] = {
	{ 'd', ACTION_DRAIN, "d" },
	{ 0, ACTION_NONE, "" },
};

static const struct key_row traffic_keys[] = {
	{ 'p', ACTION_HEARD_PAUSE, "p" },
	{ '\\', ACTION_HEARD_FILTER, "\\" }, { INPUT_FUNCTION + 4, ACTION_HEARD_FILTER, "F4" },
	{ 'w', ACTION_HEARD_SAVE, "w" },
	{ 'o', ACTION_MAP, "o" },
	{ 0, ACTION_NONE, "" },
};

static const struct key_row log_keys[] = {
	{ '/', ACTION_LOG_SEARCH, "/" }, { INPUT_FUNCTION + 3, ACTION_LOG_SEARCH, "F3" },
	{ 'n', ACTION_LOG_NEXT, "n" },
	{ 'N', ACTION_LOG_PREVIOUS, "N" },
	{ 'e', ACTION_LOG_ERROR, "e" },
	{ 'E', ACTION_LOG_ERROR_AFTER, "E" },
	{ '\\', ACTION_LOG_FILTER, "\\" }, { INPUT_FUNCTION + 4, ACTION_LOG_FILTER, "F4" },
	{ 't', ACTION_LOG_TIMES, "t" },
	{ 'S', ACTION_LOG_SAVE, "S" },
	{ '?', ACTION_LOG_SEARCH_BACK, "?" },
	{ 'w', ACTION_LOG_WRAP, "w" },
	{ 'g', ACTION_LOG_OLDEST, "g" }, { INPUT_TOP, ACTION_LOG_OLDEST, "Home" },
	{ 'G', ACTION_LOG_FOLLOW, "G" }, { 'F', ACTION_LOG_FOLLOW, "F" }, { INPUT_BOTTOM, ACTION_LOG_FOLLOW, "End" },
	{ 'h', ACTION_LOG_LEFT, "h" }, { INPUT_ARROW_LEFT, ACTION_LOG_LEFT, "←" },
	{ 'l', ACTION_LOG_RIGHT, "l" }, { INPUT_ARROW_RIGHT, ACTION_LOG_RIGHT, "→" },
	{ 'm', ACTION_LOG_MARK, "m" },
	{ '\'', ACTION_LOG_GO, "'" },
	{ 'y', ACTION_LOG_COPY, "y" },
	{ 'Y', ACTION_LOG_COPY_FROM, "Y" },
	{ 0, ACTION_NONE, "" },
};

const struct key_row *const tab_keymaps[TAB_COUNT] = {
	[TAB_INFO] = info_keys,
	[TAB_THREADS] = thread_keys,
	[TAB_POOL] = pool_keys,
	[TAB_IPC] = traffic_keys,
	[TAB_LOGS] = log_keys,
};

const struct action_row action_rows[ACTION_COUNT] = {
	[ACTION_DOWN] = { "MOVE", "down", "next" },
	[ACTION_UP] = { "MOVE", "up", "previous" },
	[ACTION_TOP] = { "MOVE", "first", "first" },
	[ACTION_BOTTOM] = { "MOVE", "last", "last" },
	[ACTION_PAGE_DOWN] = { "MOVE", "page-down", "page down" },
	[ACTION_PAGE_UP] = { "MOVE", "page-up", "page up" },
	[ACTION_HALF_DOWN] = { "MOVE", "half-down", "half a page down" },
	[ACTION_HALF_UP] = { "MOVE", "half-up", "half a page up" },
	[ACTION_FOLD] = { "MOVE", "fold", "fold the service" },
	[ACTION_UNFOLD] = { "MOVE", "unfold", "unfold it" },
	[ACTION_FOLD_ALL] = { "MOVE", "fold-all", "fold or unfold all" },
	[ACTION_SEARCH] = { "FIND", "search", "search a name" },
	[ACTION_NEXT] = { "FIND", "next-match", "next match" },
	[ACTION_PREVIOUS] = { "FIND", "previous-match", "previous match" },
	[ACTION_FILTER] = { "FIND", "filter", "filter (PCRE2, ! not)" },
	[ACTION_STATES] = { "FIND", "states", "filter by state" },
	[ACTION_NAMESPACE] = { "FIND", "namespace", "one namespace" },
	[ACTION_TAG] = { "TAG", "tag", "tag, untag" },
	[ACTION_TAG_SERVICE] = { "TAG", "tag-service", "all of the service" },
	[ACTION_UNTAG] = { "TAG", "untag", "none" },
	[ACTION_RESTART] = { "ACT", "restart", "restart" },
	[ACTION_RELOAD] = { "ACT", "reload", "rolling restart" },
	[ACTION_START] = { "ACT", "start", "start" },
	[ACTION_STOP] = { "ACT", "stop", "stop, in the end KILL" },
	[ACTION_KILL] = { "ACT", "kill", "KILL now (asks)" },
	[ACTION_SIGNAL] = { "ACT", "signal", "send a signal" },
	[ACTION_MORE] = { "ACT", "more", "one instance more" },
	[ACTION_FEWER] = { "ACT", "fewer", "one instance fewer" },
	[ACTION_EXACT] = { "ACT", "exact", "exactly so many" },
	[ACTION_LAUNCH] = { "ACT", "launch", "launch a command" },
	[ACTION_SEND] = { "ACT", "send", "send a message" },
	[ACTION_UNDO] = { "ACT", "undo", "take the last back" },
	[ACTION_OPEN] = { "SEE", "open", "open the details" },
	[ACTION_ZOOM] = { "SEE", "zoom", "zoom the details" },
	[ACTION_TAB_NEXT] = { "SEE", "next-tab", "next tab" },
	[ACTION_TAB_PREVIOUS] = { "SEE", "previous-tab", "previous tab" },
	[ACTION_INFO] = { "SEE", "info", "Info" },
	[ACTION_THREADS] = { "SEE", "threads", "Threads" },
	[ACTION_POOL] = { "SEE", "pool", "Pool" },
	[ACTION_IPC] = { "SEE", "ipc", "IPC" },
	[ACTION_HISTORY] = { "SEE", "history", "History" },
	[ACTION_LOGS] = { "SEE", "logs", "Logs" },
	[ACTION_TREE] = { "TABLE", "tree", "tree or flat" },
	[ACTION_SORT] = { "TABLE", "sort", "sort by ..." },
	[ACTION_INVERT] = { "TABLE", "invert", "the other way round" },
	[ACTION_BY_CPU] = { "TABLE", "by-cpu", "by CPU" },
	[ACTION_BY_MEMORY] = { "TABLE", "by-memory", "by memory" },
	[ACTION_BY_UPTIME] = { "TABLE", "by-uptime", "by uptime" },
	[ACTION_BY_QUEUE] = { "TABLE", "by-queue", "by queue (bar: log 4)" },
	[ACTION_PAUSE] = { "TABLE", "pause", "pause, go on" },
	[ACTION_PAST] = { "TABLE", "past", "5 s back in time" },
	[ACTION_FORTH] = { "TABLE", "forth", "5 s forth" },
	[ACTION_THREAD_ROWS] = { "TABLE", "thread-rows", "rows of threads" },
	[ACTION_HEADER] = { "TABLE", "header", "hide the header" },
	[ACTION_ENVIRONMENT] = { "SEE", "environment", "its variables" },
	[ACTION_EVENT_BEFORE] = { "TABLE", "event-before", "back to an event" },
	[ACTION_EVENT_AFTER] = { "TABLE", "event-after", "forth to an event" },
	[ACTION_THREAD_ORDER] = { "ZOOMED", "thread-order", "Threads: other order" },
	[ACTION_THREAD_STACK] = { "ZOOMED", "thread-stack", "Threads: its stack" },
	[ACTION_HOLDINGS] = { "ZOOMED", "holdings", "Info: open files, PSS" },
	[ACTION_DRAIN] = { "ZOOMED", "drain", "Pool: drain, or go on" },
	[ACTION_HEARD_PAUSE] = { "ZOOMED", "ipc-pause", "IPC: pause, go on" },
	[ACTION_HEARD_FILTER] = { "ZOOMED", "ipc-filter", "IPC: filter (PCRE2)" },
	[ACTION_HEARD_SAVE] = { "ZOOMED", "ipc-save", "IPC: save to a file" },
	[ACTION_MAP] = { "ZOOMED", "ipc-map", "IPC: map of them all" },
	[ACTION_COPY] = { "ZOOMED", "copy-findings", "Info: copy findings" },
	[ACTION_LOG_SEARCH] = { "ZOOMED", "log-search", "Logs: find, newer (PCRE2)" },
	[ACTION_LOG_NEXT] = { "ZOOMED", "log-next", "Logs: next, the same way" },
	[ACTION_LOG_PREVIOUS] = { "ZOOMED", "log-previous", "Logs: next, the other way" },
	[ACTION_LOG_ERROR] = { "ZOOMED", "log-error", "Logs: error before" },
	[ACTION_LOG_ERROR_AFTER] = { "ZOOMED", "log-error-after", "Logs: error after" },
	[ACTION_LOG_FILTER] = { "ZOOMED", "log-filter", "Logs: filter (PCRE2)" },
	[ACTION_LOG_TIMES] = { "ZOOMED", "log-times", "Logs: times, ages, none" },
	[ACTION_LOG_SAVE] = { "ZOOMED", "log-save", "Logs: save to a file" },
	[ACTION_LOG_SEARCH_BACK] = { "ZOOMED", "log-search-back", "Logs: find, older" },
	[ACTION_LOG_WRAP] = { "ZOOMED", "log-wrap", "Logs: wrap, or cut" },
	[ACTION_LOG_OLDEST] = { "ZOOMED", "log-oldest", "Logs: oldest on disk" },
	[ACTION_LOG_FOLLOW] = { "ZOOMED", "log-follow", "Logs: follow the newest" },
	[ACTION_LOG_LEFT] = { "ZOOMED", "log-left", "Logs: to the left" },
	[ACTION_LOG_RIGHT] = { "ZOOMED", "log-right", "Logs: to the right" },
	[ACTION_LOG_MARK] = { "ZOOMED", "log-mark", "Logs: mark by a letter" },
	[ACTION_LOG_GO] = { "ZOOMED", "log-go", "Logs: to a mark" },
	[ACTION_LOG_COPY] = { "ZOOMED", "log-copy", "Logs: copy the line" },
	[ACTION_LOG_COPY_FROM] = { "ZOOMED", "log-copy-from", "Logs: copy from a mark" },
	[ACTION_EVENTS] = { "SEE", "events", "events" },
	[ACTION_HELP] = { "ALSO", "help", "this help" },
	[ACTION_COMMAND] = { "ALSO", "command", "command line" },
	[ACTION_REDRAW] = { "ALSO", "redraw", "redraw" },
	[ACTION_SUSPEND] = { "ALSO", "suspend", "suspend" },
	[ACTION_BACK] = { "ALSO", "back", "back; never quits" },
	[ACTION_QUIT] = { "ALSO", "quit", "quit: detach, stop all, or stay" },
};
// clang-format on

static enum action find(const struct key_row *rows, uint32_t key)
{
	for (const struct key_row *row = rows; row && row->key; row++)
		if (row->key == key)
			return row->action;
	return ACTION_NONE;
}

static bool has_action(const struct key_row *rows, enum action action)
{
	for (const struct key_row *row = rows; row && row->key; row++)
		if (row->action == action)
			return true;
	return false;
}

enum action keymap_action(const char *name)
{
	for (enum action action = ACTION_NONE + 1; action < ACTION_COUNT; action++)
		if (strcmp(action_rows[action].name, name) == 0)
			return action;
	return ACTION_NONE;
}

/* A tab goes before the rest, and in each what somebody has chosen before what is built in. */
enum action keymap_find(const struct bindings *bindings, uint32_t key, const enum detail_tab *zoomed)
{
	const struct key_row *tab = zoomed ? tab_keymaps[*zoomed] : NULL;
	const char *name = bindings_find(bindings, key);
	enum action chosen = name ? keymap_action(name) : ACTION_NONE;

	if (name && strcmp(name, BINDING_NONE) == 0)
		return ACTION_NONE;
	if (has_action(tab, chosen))
		return chosen;
	enum action action = find(tab, key);
	if (action != ACTION_NONE)
		return action;
	return has_action(keymap, chosen) ? chosen : find(keymap, key);
}

static const char *built_in_name(const struct bindings *bindings, const struct key_row *rows, enum action action)
{
	for (const struct key_row *row = rows; row && row->key; row++)
		if (row->action == action && !bindings_find(bindings, row->key))
			return row->name;
	return NULL;
}

void keymap_name(const struct bindings *bindings, enum action action, const enum detail_tab *zoomed, char out[KEY_NAME_SIZE])
{
	out[0] = '\0';
	for (unsigned i = 0; i < bindings->count; i++)
		if (keymap_find(bindings, bindings->all[i].key, zoomed) == action) {
			bindings_key_name(bindings->all[i].key, out);
			return;
		}
	const char *name = zoomed ? built_in_name(bindings, tab_keymaps[*zoomed], action) : NULL;
	for (const struct key_row *row = keymap; row->key && !name; row++)
		if (row->action == action && keymap_find(bindings, row->key, zoomed) == action)
			name = row->name;
	snprintf(out, KEY_NAME_SIZE, "%s", name ? name : "");
}

static int add_name(char *out, size_t size, int used, const char *name)
{
	return used < (int)size / 2 ? used + snprintf(out + used, size - (size_t)used, "%s%s", used ? " " : "", name) : used;
}

/* Those of the built-in ones that still do it, and those that were chosen for it. */
static int add_keys(const struct bindings *bindings, const struct key_row *rows, const enum detail_tab *zoomed,
	enum action action, char *out, size_t size)
{
	char name[KEY_NAME_SIZE];
	int used = 0;

	if (!has_action(rows, action))
		return 0;
	for (unsigned i = 0; i < bindings->count; i++)
		if (keymap_find(bindings, bindings->all[i].key, zoomed) == action) {
			bindings_key_name(bindings->all[i].key, name);
			used = add_name(out, size, used, name);
		}
	for (const struct key_row *row = rows; row->key; row++)
		if (row->action == action && !bindings_find(bindings, row->key))
			used = add_name(out, size, used, row->name);
	return used;
}

void keymap_names(const struct bindings *bindings, enum action action, char *out, size_t size)
{
	out[0] = '\0';
	int used = add_keys(bindings, keymap, NULL, action, out, size);
	for (enum detail_tab tab = 0; tab < TAB_COUNT && !used; tab++)
		used = add_keys(bindings, tab_keymaps[tab], &tab, action, out, size);
}

void keymap_type(char *text, size_t size, uint32_t key)
{
	size_t length = strlen(text);
	char encoded[4];

	if (key == INPUT_ERASE) {
		while (length && ((unsigned char)text[--length] & 0xc0) == 0x80)
			continue;
		text[length] = '\0';
	} else if (key == INPUT_CONTROL('u')) {
		text[0] = '\0';
	} else if (key >= ' ' && key < INPUT_FIRST && key != 0x7f) {
		size_t taken = utf8_encode(encoded, key);
		if (length + taken < size) {
			memcpy(text + length, encoded, taken);
			text[length + taken] = '\0';
		}
	}
}
