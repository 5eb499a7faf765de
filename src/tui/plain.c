/*
 * The dashboard for who has it read out: lines that are only ever added, and questions with numbered answers, without a
 * screen. News, actions and commands are those of the screen.
 */
#include <errno.h>
#include <poll.h>
#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "client/signals.h"
#include "client/tail.h"
#include "tui/command_line.h"
#include "tui/ui.h"

enum { LINE_MOST = 16 * 1024,
	PIECE = 4096,
	CHOICES_MOST = 1024,
	RETRY_MS = 250,
	TICK_MS = 1000 };

enum question { QUESTION_NONE, /* a number of the menu, or a command */
	QUESTION_WHICH,
	QUESTION_LAUNCH,
	QUESTION_SURE };

struct plain {
	struct ui *ui;
	struct tail tail;
	struct text typed;
	enum question question;
	enum action action;                  /* for the one that is asked for; ACTION_LOGS: show its output */
	struct target choices[CHOICES_MOST]; /* as they were when they were told */
	unsigned choice_count;
	struct target shown;    /* whose output is told; service "": nobody's */
	json_int_t listing;     /* the request for how far it goes, from where on it is told; 0: none is under way */
	uint64_t told;          /* notices */
	bool was_lost, is_gone; /* … and the terminal */
};

/* What anybody else has written is made safe here, and nowhere before. */
__attribute__((format(printf, 1, 2))) static void tell(const char *fmt, ...)
{
	char line[LINE_MOST];
	struct text safe;
	va_list args;

	va_start(args, fmt);
	vsnprintf(line, sizeof line, fmt, args);
	va_end(args);
	text_init(&safe, sizeof line * 4);
	utf8_append_safe(&safe, line, strlen(line), false);
	puts(text_string(&safe));
	text_finish(&safe);
}

/* ---- what there is ---- */

static void tell_row(unsigned number, const struct row *row, uint64_t now_us)
{
	char state[64], uptime[UNITS_TEXT_SIZE] = "-", rss[UNITS_TEXT_SIZE] = "-";
	const struct sample *sample = &row->sample;

	view_state(state, sizeof state, row, now_us);
	if (!row->pid) {
		tell("%u %s/%u: %s", number, row->service, row->instance, state);
		return;
	}
	units_format_duration(uptime, now_us > row->started_us ? (now_us - row->started_us) / 1000000 * 1000 : 0);
	if (sample->pid && sample->rss != SAMPLE_UNKNOWN)
		units_format_size(rss, sample->rss);
	tell("%u %s/%u: %s, pid %d, up %s, processor %.1f%%, memory %s, %u restarts", number, row->service, row->instance, state,
		row->pid, uptime, sample->pid ? sample->cpu_pct : 0, rss, restart_counts_sum(&row->restarts));
}

static void list(struct plain *plain)
{
	struct ui *ui = plain->ui;

	ui->now_us = clock_wall_us();
	plain->choice_count = 0;
	for (size_t i = 0; i < ui->replica.row_count && plain->choice_count < CHOICES_MOST; i++) {
		struct table_row row = { .row = &ui->replica.rows[i] };
		plain->choices[plain->choice_count++] = rows_target(&row);
		tell_row(plain->choice_count, &row.row->row, ui->now_us);
	}
	if (!plain->choice_count)
		tell("nothing is running yet");
}

static void ask_which(struct plain *plain, enum action action, const char *what)
{
	plain->action = action;
	list(plain);
	if (!plain->choice_count)
		return;
	plain->question = QUESTION_WHICH;
	tell("%s: the number of one; Enter for none", what);
}

static void ask_restart(struct plain *plain)
{
	ask_which(plain, ACTION_RESTART, "restart");
}

static void ask_stop(struct plain *plain)
{
	ask_which(plain, ACTION_STOP, "stop");
}

static void ask_start(struct plain *plain)
{
	ask_which(plain, ACTION_START, "start");
}

static void ask_output(struct plain *plain)
{
	plain->shown.service[0] = '\0';
	plain->listing = 0;
	tail_finish(&plain->tail);
	ask_which(plain, ACTION_LOGS, "tell what is written by");
}

static void ask_launch(struct plain *plain)
{
	plain->question = QUESTION_LAUNCH;
	tell("launch: the command; Enter for none");
}

static void leave(struct plain *plain)
{
	plain->ui->is_leaving = true;
}

static void ask_end(struct plain *plain)
{
	if (plain->ui->options->read_only) {
		action_say_read_only(plain->ui);
		return;
	}
	plain->question = QUESTION_SURE;
	tell("stop all, and leave: yes does it, anything else does not");
}

static const struct item {
	const char *words;
	void (*choose)(struct plain *plain);
} menu[] = {
	{ "list", list },
	{ "restart one", ask_restart },
	{ "stop one", ask_stop },
	{ "start one", ask_start },
	{ "tell what one writes, or no longer", ask_output },
	{ "launch a command", ask_launch },
	{ "leave; they run on", leave },
	{ "stop all, and leave", ask_end },
};
enum { ITEM_COUNT = sizeof menu / sizeof *menu };

static void tell_menu(struct plain *plain)
{
	(void)plain;
	for (unsigned i = 0; i < ITEM_COUNT; i++)
		tell("%u %s", i + 1, menu[i].words);
	tell("Or a command, such as `scale web 3`; Enter tells this again.");
}

/* ---- answers ---- */

static unsigned number_of(const char *line)
{
	char *end;
	unsigned long number = strtoul(line, &end, 10);

	return *line >= '0' && *line <= '9' && !*end && number < CHOICES_MOST ? (unsigned)number : 0;
}

static void ask_streams(struct plain *plain)
{
	json_t *params = json_pack("{s:[o]}", "names", ui_name(&plain->shown));
	struct error err;

	if (!link_send(plain->ui->link, "log.list", params, &plain->listing, &err))
		plain->listing = 0; /* the loss is seen where messages are read */
}

static void show_output(struct plain *plain, const struct target *target)
{
	plain->shown = *target;
	if (plain->ui->link)
		ask_streams(plain);
	tell("what %s/%d writes is told from now on", target->service, target->instance);
}

/* The process that was told of, and not one that has taken its place meanwhile. */
static void act_on(struct plain *plain, const struct target *target)
{
	struct ui *ui = plain->ui;
	const struct replica_row *row = replica_find(&ui->replica, target->service, (unsigned)target->instance);

	if (!row || row->row.life != target->life) {
		tell("%s/%d is another process by now; nothing was done", target->service, target->instance);
	} else if (plain->action == ACTION_LOGS) {
		show_output(plain, target);
	} else {
		ui->selected = *target;
		ui->tag_count = 0;
		action_do(ui, plain->action);
	}
}

static void take_command(struct plain *plain, char *line)
{
	unsigned number = number_of(line);

	if (!*line)
		tell_menu(plain);
	else if (number >= 1 && number <= ITEM_COUNT)
		menu[number - 1].choose(plain);
	else
		command_run(plain->ui, line);
}

static void take_line(struct plain *plain, char *line)
{
	struct ui *ui = plain->ui;
	enum question question = plain->question;
	unsigned number = number_of(line);
	char command[INPUT_MOST];

	ui->undo.keys++; /* what follows is taken back together */
	plain->question = QUESTION_NONE;
	if (question == QUESTION_NONE) {
		take_command(plain, line);
	} else if (question == QUESTION_WHICH && number >= 1 && number <= plain->choice_count) {
		act_on(plain, &plain->choices[number - 1]);
	} else if (question == QUESTION_LAUNCH && *line) {
		snprintf(command, sizeof command, "launch %s", line);
		command_run(ui, command);
	} else if (question == QUESTION_SURE && strcmp(line, "yes") == 0) {
		if (ui_request(ui, REPLY_ACTION, 0, "down", NULL))
			tell("all is being stopped");
	} else {
		tell("nothing was done");
	}
}

/* False: nobody types any more. */
static bool take_typed(struct plain *plain)
{
	char piece[PIECE], *end;
	ssize_t got = read(STDIN_FILENO, piece, sizeof piece);

	if (got <= 0)
		return got < 0 && errno == EINTR;
	text_append(&plain->typed, piece, (size_t)got);
	while (plain->typed.size && (end = memchr(plain->typed.data, '\n', plain->typed.size))) {
		size_t size = (size_t)(end - plain->typed.data);
		char line[INPUT_MOST];
		snprintf(line, sizeof line, "%.*s", (int)size, plain->typed.data);
		line[strcspn(line, "\r")] = '\0';
		take_line(plain, line);
		text_drop(&plain->typed, size + 1);
	}
	if (plain->typed.full) { /* no command is so long */
		text_finish(&plain->typed);
		text_init(&plain->typed, LINE_MOST);
	}
	return true;
}

/* ---- news ---- */

static void take_streams(struct plain *plain, const json_t *streams)
{
	const json_t *stream;
	size_t i;

	plain->listing = 0;
	json_array_foreach(streams, i, stream) tail_know(&plain->tail, stream);
	tail_ask_all(&plain->tail, plain->ui->link);
}

static void see(void *context, const json_t *message)
{
	struct plain *plain = context;
	const char *method = json_string_value(json_object_get(message, "method"));
	struct ui *ui = plain->ui;

	if (method && strcmp(method, "log") == 0) {
		struct tail_stream *stream = tail_find(&plain->tail, json_object_get(message, "params"));
		if (stream)
			tail_ask(&plain->tail, stream, ui->link);
	} else if (!method && plain->listing && json_integer_value(json_object_get(message, "id")) == plain->listing) {
		take_streams(plain, json_object_get(json_object_get(message, "result"), "streams"));
	} else if (!method) {
		tail_reply(&plain->tail, message, ui->link);
	}
}

static void on_line(void *context, const struct tail_line *line)
{
	(void)context;
	tell("%s/%u: %.*s", line->stream->service, line->stream->instance, (int)line->size, line->text);
}

static void tell_launch(struct plain *plain)
{
	struct launch_form *form = &plain->ui->launch;

	if (form->note[0])
		tell("! %s", form->note);
	else
		ask_launch(plain);
}

static void tell_replies(struct plain *plain)
{
	const json_t *replies = json_object_get(plain->ui->replies, "replies"), *one;
	const json_t *unanswered = json_object_get(plain->ui->replies, "unanswered");
	size_t i;

	json_array_foreach(replies, i, one) tell("%s/%lld answered %s", json_string_value(json_object_get(one, "service")),
		(long long)json_integer_value(json_object_get(one, "instance")), json_string_value(json_object_get(one, "text")));
	json_array_foreach(unanswered, i, one) tell("! %s did not answer in time", json_string_value(one));
}

/* What a screen shows in a dialog; the others have nothing to tell. */
static void tell_dialog(struct plain *plain)
{
	static void (*const tellers[DIALOG_COUNT])(struct plain * plain) = {
		[DIALOG_HELP] = tell_menu,
		[DIALOG_QUIT] = leave,
		[DIALOG_LAUNCH] = tell_launch,
		[DIALOG_REPLIES] = tell_replies,
	};
	void (*teller)(struct plain * plain) = tellers[plain->ui->dialog];

	plain->ui->dialog = DIALOG_NONE;
	if (teller)
		teller(plain);
}

static void tell_news(struct plain *plain)
{
	struct ui *ui = plain->ui;
	const struct replica *replica = &ui->replica;
	char text[INPUT_MOST];

	if (replica->notice_count > plain->told + REPLICA_NOTICES)
		plain->told = replica->notice_count - REPLICA_NOTICES;
	for (; plain->told < replica->notice_count; plain->told++) {
		view_notice(text, sizeof text, &replica->notices[plain->told % REPLICA_NOTICES]);
		tell("%s", text);
	}
	tell_dialog(plain);
	if (ui->message[0])
		tell("%s%s", ui->is_bad ? "! " : "", ui->message);
	ui->message[0] = '\0';
	if (!ui->link != plain->was_lost)
		tell(ui->link ? "the engine is there again" : "lost the engine; it is looked for");
	if (ui->link && plain->was_lost) {
		if (plain->shown.service[0] && !plain->tail.count)
			ask_streams(plain);
		else
			tail_resume(&plain->tail, ui->link);
	}
	plain->was_lost = !ui->link;
	fflush(stdout);
}

/* What may come: a line, a message, or the end of the terminal. */
static void wait_for_more(struct plain *plain, int signal_fd, int ms)
{
	struct ui *ui = plain->ui;
	struct pollfd ready[] = { { .fd = STDIN_FILENO, .events = POLLIN },
		{ .fd = ui->link ? link_fd(ui->link) : -1, .events = POLLIN },
		{ .fd = signal_fd, .events = POLLIN } };

	if (poll(ready, sizeof ready / sizeof *ready, ms) < 0)
		return;
	if (ready[0].revents && !take_typed(plain)) {
		ui->is_leaving = true;
		plain->is_gone = ready[0].revents & (POLLHUP | POLLERR);
	}
	if (ready[2].revents)
		ui->is_leaving = plain->is_gone = true;
}

bool plain_show(struct ui *ui)
{
	static const int hangup[] = { SIGHUP, 0 };
	struct plain *plain = memory_zeroed(1, sizeof *plain);
	sigset_t former;
	int signal_fd = signals_open(hangup, &former);
	bool has_more = false;

	plain->ui = ui;
	plain->told = ui->replica.notice_count;
	plain->tail = (struct tail){ .take = on_line, .context = plain };
	text_init(&plain->typed, LINE_MOST);
	tell("thrum %s", ui->replica.project);
	list(plain);
	tell_menu(plain);
	while (!ui->is_leaving) {
		tell_news(plain);
		wait_for_more(plain, signal_fd, has_more ? 0 : ui->link ? TICK_MS
									: RETRY_MS);
		if (!ui->link)
			news_find(ui);
		has_more = news_take(ui, see, plain);
	}
	tell_news(plain);
	bool ends = plain->is_gone && ui->options->ends_on_hangup, is_gone = plain->is_gone;
	tell(ui->replica.is_over || !ui->link ? "all has ended" : ends ? "all is being stopped"
								       : "they run on");
	fflush(stdout);
	tail_finish(&plain->tail);
	text_finish(&plain->typed);
	free(plain);
	close(signal_fd);
	sigprocmask(SIG_SETMASK, &former, NULL);
	return is_gone;
}
