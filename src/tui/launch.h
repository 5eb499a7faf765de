/* The dialog that launches a command: what is typed into it, and what the engine is told of that. */
#ifndef TUI_LAUNCH_H
#define TUI_LAUNCH_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grid;
struct ui;

enum launch_field { LAUNCH_COMMAND,
	LAUNCH_SHELL,
	LAUNCH_NAME,
	LAUNCH_INSTANCES,
	LAUNCH_NAMESPACE,
	LAUNCH_DIRECTORY,
	LAUNCH_ENVIRONMENT,
	LAUNCH_RESTART,
	LAUNCH_RESTARTS,
	LAUNCH_SIGNAL,
	LAUNCH_GRACE,
	LAUNCH_RSS,
	LAUNCH_TERMINAL,
	LAUNCH_CHANNEL,
	LAUNCH_FIELDS };

enum { LAUNCH_TEXT = 512,
	LAUNCHES_MOST = 100 /* former ones */ };

struct launch_form {
	char text[LAUNCH_FIELDS][LAUNCH_TEXT];
	enum launch_field field;
	json_t *former;     /* owned; the newest last; NULL: not read yet */
	size_t recalled;    /* how far back; 0: what was typed */
	unsigned templates; /* services of the project that were taken for one so far */
	char template[64];  /* … and whose configuration is asked for; "" nobody's */
	char note[256];     /* why not, or what could be meant */
	bool is_missing;    /* no such program is found, as far as it is typed */
};

void launch_open(struct ui *ui);
void launch_key(struct ui *ui, uint32_t key);
void launch_draw(const struct ui *ui, struct grid *grid);
/* As the `:` line has it: a command, and nothing but defaults. */
void launch_line(struct ui *ui, const char *command);
/* It was: it is remembered. Or it was refused: it can be corrected. */
void launch_done(struct ui *ui, const char *why);
/* The configuration of a service, which is to be a template; NULL: why it cannot be had. */
void launch_take_template(struct ui *ui, const json_t *info, const char *why);
void launch_forget(struct ui *ui);

/* What the engine is asked to run; NULL: err says which field is wrong. */
json_t *launch_service(const struct launch_form *form, const char *folder, char *note, size_t size);

#endif
