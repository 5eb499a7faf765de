/* Everything the dashboard knows between two keys. */
#ifndef TUI_UI_H
#define TUI_UI_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/pattern.h"
#include "base/spark.h"
#include "client/link.h"
#include "client/replica.h"
#include "tui/crews.h"
#include "tui/dashboard.h"
#include "tui/events.h"
#include "tui/insight.h"
#include "tui/keymap.h"
#include "tui/launch.h"
#include "tui/layout.h"
#include "tui/logs.h"
#include "tui/logs_feed.h"
#include "tui/logs_keys.h"
#include "tui/send.h"
#include "tui/settings.h"
#include "tui/stacks.h"
#include "tui/traffic.h"
#include "tui/undo.h"

enum dialog {
	DIALOG_NONE,
	DIALOG_HELP,
	DIALOG_EVENTS,
	DIALOG_CONFIRM, /* y does it, anything else does not */
	DIALOG_STOP,    /* a stop under way, until it is over or hidden */
	DIALOG_QUIT,
	DIALOG_ENDING, /* all is being stopped; then we leave */
	DIALOG_LAUNCH,
	DIALOG_SEND,
	DIALOG_MENU,
	DIALOG_REPLIES, /* to a message, from several */
	DIALOG_STACK_ASK,
	DIALOG_STACK,
	DIALOG_COUNT
};

enum prompt { PROMPT_NONE,
	PROMPT_SEARCH,
	PROMPT_COMMAND,
	PROMPT_SCALE,
	PROMPT_FILTER,
	PROMPT_HEARD_FILTER,
	PROMPT_HEARD_SAVE,
	PROMPT_LOG_SEARCH,
	PROMPT_LOG_SEARCH_BACK,
	PROMPT_LOG_FILTER,
	PROMPT_LOG_SAVE,
	PROMPT_EVENT_SEARCH,
	PROMPT_EVENT_FILTER };

enum menu { MENU_SORT,
	MENU_STATES,
	MENU_NAMESPACE,
	MENU_SIGNAL,
	MENU_COUNT };

struct pane;

/* What a key is about, as it was when it was pressed: never a row of the screen. */
struct target {
	char service[64];
	int instance;  /* -1: the whole service */
	uint32_t life; /* of the instance */
	int32_t tid;   /* of its thread whose row is selected: only the eye is on it, keys mean the instance; 0: none */
};

enum { INPUT_MOST = 512,
	DEATHS_MOST = 1000,
	FOLDED_MOST = 256,
	TAGS_MOST = 256,
	PENDING_MOST = TAGS_MOST + 64 };

/* A reply that is still to come. */
struct pending {
	json_int_t id;
	unsigned epoch; /* of ui */
	enum { REPLY_ACTION,
		REPLY_LAUNCH,
		REPLY_HISTORY,
		REPLY_DEATH,
		REPLY_SEND,
		REPLY_INSIGHT,
		REPLY_PAST,
		REPLY_HEARD,
		REPLY_STACK,
		REPLY_HOLDINGS,
		REPLY_CREW,
		REPLY_REMAINS,
		REPLY_TEMPLATE } kind;
	unsigned stream; /* of REPLY_INSIGHT: which question; of REPLY_CREW: whose */
};

struct ui {
	const struct dashboard_options *options;
	struct link *link; /* NULL: lost */
	struct replica replica;
	uint64_t now_us;  /* wall clock, of this frame: views read no clock */
	uint64_t lost_us; /* when the engine was lost; 0: it is there */
	bool is_unicode;
	bool is_leaving;
	bool is_stale;   /* something has changed that the screen does not show yet */
	bool has_ticked; /* … and so have the figures, as they do again and again */
	bool is_untidy;  /* a lot of memory was needed for a moment */
	int status;
	struct settings settings;

	struct target selected;
	char folded[FOLDED_MOST][64]; /* services */
	unsigned folded_count;
	uint64_t held_until_us; /* rows keep their order until then */
	unsigned told_columns;  /* a bit for each that had something to say so far */
	struct pattern *filter; /* owned; the last good one; NULL: none */
	char filter_text[64];   /* … as it was typed */
	char filter_error[128]; /* of what is being typed now */
	bool is_filter_inverse;
	unsigned state_choice; /* of state_choices */
	char namespace[64];    /* only what is in this one; "" all */
	struct target tags[TAGS_MOST];
	unsigned tag_count;
	uint64_t seen_notices; /* of the event list, when it was last looked at */

	bool is_paused; /* replica stays as it was, and live goes on */
	uint64_t paused_us;
	uint64_t past_us;       /* what is shown was then; 0: is now */
	uint64_t past_asked_us; /* … and will be, once the engine has answered */
	struct replica live;    /* while paused: what the engine tells */

	enum detail_tab tab;
	bool is_zoomed;
	bool is_environment; /* the Info tab begins with the variables, until something moves in it */
	enum dialog dialog;
	int help_column;          /* the first that is seen */
	bool is_naming;           /* … and it tells names of actions, for the settings */
	struct target asked;      /* what the dialog is about */
	bool is_asked_tagged;     /* … or all that is tagged */
	const char *asked_method; /* what `y` does; then what was chosen */
	enum menu menu;
	int choice; /* in it */
	enum prompt prompt;
	char input[INPUT_MOST];
	char search[64];
	struct launch_form launch;
	json_t *replies; /* owned; of a message that went to several; NULL: none is shown */
	json_t *remains; /* owned; of what is being stopped; NULL: not known yet */
	uint64_t remains_asked_us;
	char message[256]; /* the answer to the last key; "" shows the newest event */
	bool is_bad;       /* … of a failure */
	uint64_t message_us;

	struct target shown; /* whose details the following are */
	unsigned epoch;      /* moves when it does: a reply from before is of no use */
	int cursor;          /* in a tab: what is selected, or the first line that is seen */
	struct stacks stacks;
	struct insight insight;
	struct crews crews;
	struct events_view events;
	struct undo undo;
	struct sending sending;
	struct traffic_log traffic;
	struct log_view logs;
	struct log_feed feed;
	enum log_letter log_letter; /* the next key is one */
	int scroll;                 /* lines or entries back from the newest */
	struct death *deaths;       /* owned; oldest first */
	size_t death_count;
	uint64_t asked_death_us; /* when the newest that we asked for was started */
	int death;               /* the one that is selected, counted from the newest */
	bool is_record_open;     /* … and its record is shown */
	json_t *record;          /* owned; NULL: still to come */

	struct pending pending[PENDING_MOST];
	unsigned pending_count;
};

/* One row of the table: a service with several instances, or an instance. */
struct table_row {
	struct replica_row
		*row; /* of an instance, or the first of a service; borrowed from the replica */
	bool is_service;
	bool is_last; /* of its service */
	bool is_child;
	const struct thread_report *thread; /* one of its threads, below it; NULL: it is none; borrowed */
	bool is_last_thread;
	unsigned left_out;  /* threads that have no row of their own: this one stands for them */
	unsigned count, up; /* of a service */
	double rank;        /* what it is sorted by */
};

/* rows.c: what the table shows, in order. Returns how many; never more than most. */
int rows_build(const struct ui *ui, struct table_row *rows, int most);
bool rows_is_selected(const struct ui *ui, const struct table_row *row);
struct target rows_target(const struct table_row *row);
/* Select something that is there, as near as can be. */
void rows_keep_selection(struct ui *ui);
void rows_move(struct ui *ui, int by);
/* The row with that number. */
void rows_select(struct ui *ui, int index);
/* The next name with this text in it, from the selected one on; false: none. */
bool rows_search(struct ui *ui, const char *text, int direction, bool from_here);
void rows_fold(struct ui *ui, const char *service, bool is_folded);
void rows_fold_all(struct ui *ui);
bool rows_is_folded(const struct ui *ui, const char *service);
/* The selected instance, or the first of the selected service; NULL: none. */
struct replica_row *rows_selected(const struct ui *ui);
enum { ROWS_MOST = 4096 };

/* filter.c: which rows there are, in what order, and those that are tagged. */
enum { STATE_CHOICES = 5 };
extern const struct state_choice {
	const char *name;
	unsigned states; /* a bit for each */
} state_choices[STATE_CHOICES];
void filter_type(struct ui *ui, const char *text); /* "" takes it away; a leading ! inverts it */
void filter_finish(struct ui *ui);
bool filter_shows(const struct ui *ui, const struct row *row);
/* Is anything hidden? */
bool filter_is_on(const struct ui *ui);
void sort_by(struct ui *ui, enum sort sort); /* again the same: the other way round */
void sort_hold(struct ui *ui);
void sort_measure(struct ui *ui);
bool tags_has(const struct ui *ui, const struct target *target);
void tags_toggle(struct ui *ui, const struct target *target);
void tags_tidy(struct ui *ui);

/* The namespace of that number, in the order in which they come; "" when there is none of it. */
void namespace_at(const struct ui *ui, unsigned number, char out[64]);

/* menu.c */
void menu_open(struct ui *ui, enum menu menu, int chosen);
void menu_key(struct ui *ui, uint32_t key);
void menu_draw(const struct ui *ui, struct grid *grid);

/* table.c */
void table_draw_heading(const struct ui *ui, struct grid *grid, struct rect area);
void table_draw(const struct ui *ui, struct grid *grid, struct rect area);
/* Which columns have something to say: with what they had before. Once a frame. */
void table_measure(struct ui *ui);
/* Its CPU in the last minute. */
void table_draw_trend(const struct ui *ui, struct grid *grid, struct rect at, const struct table_row *row);
/* The rows that are seen at such a height; rows has room for ROWS_MOST. */
int table_visible(const struct ui *ui, struct table_row *rows, int height);
/* What a row is sorted by; below 0: not known. */
double table_figure(enum sort sort, const struct table_row *row, uint64_t now_us);

/* status.c: the line below the header. */
void status_draw(const struct ui *ui, struct grid *grid, struct rect area);
/* What of it may not be missed where there is no room for that line: "PAST 14:02:11", "FILTER"; or "". */
enum { STATUS_BRIEF_SIZE = 24 };
const char *status_brief(const struct ui *ui, char out[STATUS_BRIEF_SIZE]);

/* view.c: the whole frame; where its parts are; and how long it takes until the timer of a row goes off. */
struct layout view_layout(const struct ui *ui, int width, int height);
uint64_t view_left_ms(const struct row *row, uint64_t now_us);
void view_draw(const struct ui *ui, struct grid *grid);
/* What happened, in a line: " 14:02:09 ! worker/2 backoff signal SEGV, again in 4.0s". */
void view_notice(char *out, size_t size, const struct notice *notice);
/* "backoff 3.2s", "failed 3" … */
void view_state(char *out, size_t size, const struct row *row, uint64_t now_us);
/*
 * The tabs. Each returns how far the cursor can go: how many things there are to select, or lines to see; in
 * an area without room nothing is drawn.
 */
/* Its line with which the variables begin, when it is so wide. */
int info_variables_at(const struct ui *ui, int width);
int info_draw(const struct ui *ui, struct grid *grid, struct rect area);
int threads_draw(const struct ui *ui, struct grid *grid, struct rect area);
/* The thread under the cursor; 0: none. */
int32_t threads_selected(const struct ui *ui);
int pools_draw(const struct ui *ui, struct grid *grid, struct rect area);
int traffic_draw(const struct ui *ui, struct grid *grid, struct rect area);
/* … in place of its messages, all of the project. */
int map_draw(const struct ui *ui, struct grid *grid, struct rect area);
void map_draw_edges(struct pane *pane, const struct ui *ui, const json_t *edges, size_t most);
/* … of the one that is shown; 0: it has no cursor. */
int view_length(const struct ui *ui);
/* logs_draw.c: the lines of the log, for as many as there is room; before it, how much room they have on such a screen. */
void logs_prepare(struct ui *ui, int width, int height);
void logs_draw(const struct ui *ui, struct grid *grid, struct rect area);
/* history.c: the tab of what has ended. */
void history_draw(const struct ui *ui, struct grid *grid, struct rect area, const struct row *row);
/* How many have ended, as far as is known; in the past, those that had by then. */
size_t history_count(const struct ui *ui);
/* NULL: there is none. */
const struct death *history_selected(const struct ui *ui);
/* dialog.c: what lies over it. */
/* A box in the middle with a title; returns the room inside. */
struct rect dialog_box(const struct ui *ui, struct grid *grid, int width, int height, const char *title);
/* Is there more help than fits on a screen of this size, from the column it begins with? */
bool dialog_help_has_more(const struct ui *ui, int width, int height);
/* What can be pressed; n is what any other key does. */
struct button {
	uint32_t key;
	const char *word;
};
/* How many rows a text takes in a box of such a width, and how many they do; and they themselves, at its foot. */
int dialog_rows(const struct grid *grid, int width, const char *text);
int dialog_button_rows(const struct grid *grid, int width, const struct button *buttons, int count);
void dialog_buttons(struct grid *grid, struct rect area, const struct button *buttons, int count);
/* How many of its columns are seen at a time. */
int dialog_help_page(int width);
void dialog_draw(const struct ui *ui, struct grid *grid);

/* confirm.c: the question before something is done. */
void confirm_key(struct ui *ui, uint32_t key);
void confirm_draw(const struct ui *ui, struct grid *grid);

/* scale.c: another size of what is selected. */
void scale_by(struct ui *ui, int delta);
/* What was typed for it is to be done. False: it cannot be, which is seen behind it. */
bool scale_finish(struct ui *ui);
/* What is asked, before what is typed, and what there is to be said about that, behind it. */
int scale_draw_question(const struct ui *ui, struct grid *grid, struct rect at);
void scale_draw_answer(const struct ui *ui, struct grid *grid, struct rect at);

/* stopping.c: the dialog of a stop. */
void stopping_open(struct ui *ui);
void stopping_key(struct ui *ui, uint32_t key);
void stopping_draw(const struct ui *ui, struct grid *grid);
/* Ask what is left, and close it when all is over. Called for every frame. */
void stopping_follow(struct ui *ui);

/* action.c: a key, and a click where the frame says that it means something. */
void action_key(struct ui *ui, uint32_t key);
void action_do(struct ui *ui, enum action action);
void action_click(struct ui *ui, const struct grid *grid, int x, int y);
/* Do it to what was asked about. */
void action_asked(struct ui *ui, const char *method);
/* To what the signal menu was opened for. */
void action_signal(struct ui *ui, const char *signal);
/* What the engine tells from now on is kept apart, until it is called again. */
void ui_pause(struct ui *ui, bool is_paused);
/* How the engine is told whom a request is about. */
json_t *ui_identity(const struct target *target);
/* "web", or "web/0". */
json_t *ui_name(const struct target *target);
void action_say_read_only(struct ui *ui);
/* What is wanted of the engine, without being asked for. */
json_t *ui_subscription(const struct ui *ui);
void ui_say(struct ui *ui, bool is_bad, const char *fmt, ...) __attribute__((format(printf, 3, 4)));
/* How graphs are drawn. */
enum spark_style ui_graph(const struct ui *ui);
/* To the clipboard. */
enum { UI_COPY_MOST = 64 * 1024 /* terminals take little more */ };
void ui_copy(const char *bytes, size_t size);
/* Have a part of a message (NULL: none) beyond it, in place of what was there. */
void ui_keep(json_t **place, const json_t *value);
/* Send a request; its reply comes later. params is stolen. False: it could not be sent now. */
bool ui_request(struct ui *ui, int kind, unsigned stream, const char *method, json_t *params);

/* past.c: some time ago. Wall clock; less than nothing is kept: as near as can be. */
void past_go(struct ui *ui, uint64_t at_us);
uint64_t past_newest(const struct ui *ui);         /* now, or the end of the recording */
void past_go_back(struct ui *ui, uint64_t ago_us); /* before the newest that there is */
void past_event(struct ui *ui, int direction);     /* to when the next event was; below 0: the one before */
void past_step(struct ui *ui, int steps);          /* below 0: back */
void past_leave(struct ui *ui);
void past_show(struct ui *ui, const json_t *result);

/* dashboard.c: what the engine tells; and finding it again. */
void news_find(struct ui *ui);
/* Those that have come, as many as can be taken in a while; see (or NULL) is shown each. True: there may be more. */
bool news_take(struct ui *ui, void (*see)(void *context, const json_t *message), void *context);
/* plain.c: without a screen, until the user leaves, or (true) the terminal is gone. */
bool plain_show(struct ui *ui);

/* details.c: the log, history and so on of what is selected. */
void details_follow(struct ui *ui);
void details_message(struct ui *ui, const json_t *message);
void details_finish(struct ui *ui);
/* Show the record of the death that is selected, and no more. */
void details_open_record(struct ui *ui);
void details_close_record(struct ui *ui);
/* The engine is another one: ask everything again. */
void details_forget(struct ui *ui);

#endif
