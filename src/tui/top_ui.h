/* Everything that `thrum top` knows between two keys. */
#ifndef TUI_TOP_UI_H
#define TUI_TOP_UI_H

#include "tui/grid.h"
#include "tui/settings.h"
#include "tui/top.h"

enum top_dialog { TOP_DIALOG_NONE,
	TOP_DIALOG_HELP,
	TOP_DIALOG_SURE, /* y sends the signal, anything else does not */
	TOP_DIALOG_SORT,
	TOP_DIALOG_SIGNAL,
	TOP_DIALOG_USER,
	TOP_DIALOG_IO,
	TOP_DIALOG_PROCESSORS, /* Space chooses, Enter does it */
	TOP_DIALOG_SETUP,      /* Space and Enter choose, Esc leaves it */
	TOP_DIALOG_COUNT };

enum top_prompt { TOP_PROMPT_NONE,
	TOP_PROMPT_SEARCH,
	TOP_PROMPT_FILTER,
	TOP_PROMPT_PID, /* that begins with these figures; any other key closes it, and counts */
	TOP_PROMPT_COMMAND };

enum { TOP_INPUT_SIZE = 256,
	TOP_MESSAGE_SIZE = 256,
	TOP_USERS_MOST = 64 };

struct top {
	const struct top_options *options;
	uint64_t now_ms; /* monotonic, of this frame */
	bool is_unicode, is_leaving, is_paused;
	bool is_due; /* the next pass, since something was changed */
	struct settings settings;

	struct machine machine;
	struct machine_wish wish;
	struct pattern *filter; /* owned; the last good one; NULL: none */
	char filter_text[TOP_INPUT_SIZE], filter_error[TOP_MESSAGE_SIZE];
	char search[TOP_INPUT_SIZE];

	struct machine_row *rows; /* owned; of the machine as it is now */
	size_t row_count;
	struct machine_id selected;
	long place;        /* of the selected row */
	bool is_loose;     /* the selection stays at its place, not at its process */
	long first, shown; /* the part of the rows that is on the screen */
	struct machine_set tags;
	int left; /* columns of the commands that are scrolled away */

	enum top_tab tab;
	bool is_zoomed;
	struct top_quest *known;   /* owned; the newest that is over; NULL: none */
	bool is_waiting;           /* another one is under way */
	bool is_stale;             /* what is known is of a while ago … */
	long looked_from, looked;  /* … and of these rows */
	struct machine_id studied; /* whose details these are */
	bool is_untold;            /* … which are of a while ago */
	struct text details;       /* safe to show */
	int scroll;
	int scroll_help; /* pages */

	enum top_dialog dialog;
	int choice;
	struct machine_set asked; /* what is to be done is for these, as it was when the menu was opened */
	const char *asked_signal;
	struct top_processors processors;  /* of the menu */
	uint32_t key;                      /* the last one, for who does the same with many */
	const char *users[TOP_USERS_MOST]; /* borrowed; of the menu */
	int user_count;

	enum top_prompt prompt;
	char input[TOP_INPUT_SIZE];
	char message[TOP_MESSAGE_SIZE]; /* the answer to the last key */
	bool is_bad;                    /* … of a failure */
	uint64_t message_ms;
};

/* top_look.c: what goes on inside of what is shown. Once a frame is drawn; and when an answer has come. */
void top_ask(struct top *top);
void top_take(struct top *top);
bool top_hear(struct top *top); /* is there more to tell of the system calls? */

void top_say(struct top *top, bool is_bad, const char *fmt, ...) __attribute__((format(printf, 3, 4)));

/* top_rows.c: rows and selection, as the wish now is. */
void top_rows_build(struct top *top);
void top_rows_move(struct top *top, long by);
void top_rows_search(struct top *top, int direction, bool from_here);
void top_rows_search_pid(struct top *top);                         /* the figures that are typed */
void top_filter(struct top *top, const char *text);                /* "" takes it away; a leading ! inverts it */
const struct machine_process *top_selected(const struct top *top); /* or NULL */
/* The process that is selected, or whose thread is; pid 0: none. */
struct machine_id top_meant(const struct top *top);

/* top_keys.c */
/* Keys that are of details as long as any are open, and else as htop has them. */
enum top_where { TOP_ANYWHERE,
	TOP_IN_TABLE,
	TOP_IN_DETAILS };

struct top_key {
	uint32_t key;
	const char *name; /* for people */
	void (*act)(struct top *top);
	const char *action; /* its name, as in keymap.h; NULL, as is the help: the same as the one before */
	const char *help;
	enum top_where where;
};
extern const struct top_key top_keys[]; /* ends with key 0 */
void top_key(struct top *top, uint32_t key);
void top_click(struct top *top, const struct grid *grid, int x, int y);
/* The first row of an action; NULL: there is none of that name. */
const struct top_key *top_find_action(const char *name);
/* The keys of the action whose first row that is, for people. Returns one of them; 0: it has none. */
uint32_t top_key_names(const struct bindings *bindings, const struct top_key *row, char *out, size_t size);

/* top_deeds.c: what is done to processes: to the tagged ones, else to the selected one. */
/* They are settled, unless there are none, or it may not be. */
bool top_deed_begin(struct top *top);
/* "node (pid 42)", "3 tagged". */
void top_name_asked(const struct top *top, char out[TOP_MESSAGE_SIZE]);
void top_deed_signal(struct top *top);
void top_deed_nice(struct top *top, int by);
void top_deed_open_io(struct top *top);
void top_deed_open_processors(struct top *top);
void top_deed_processors(struct top *top);
enum { TOP_IO_COUNT = 18 };
const char *top_io_name(int index);
void top_deed_io(struct top *top, int index);

/* top_menu.c: lists of choices over the screen. */
void top_menu_open(struct top *top, enum top_dialog dialog, int chosen);
void top_menu_key(struct top *top, uint32_t key);
void top_menu_draw(struct top *top, struct grid *grid);

/* top_details.c: what the open tab says of the selected process. */
extern const char *const top_tab_names[TOP_TAB_COUNT];
void top_details_read(struct top *top);

/* top_view.c: the whole frame. It notes which rows fit. */
void top_draw(struct top *top, struct grid *grid);

#endif
