/* The dialog that sends messages: what is typed, what was sent before, and what was answered. */
#ifndef TUI_SEND_H
#define TUI_SEND_H

#include <jansson.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct grid;
struct ui;

enum { SEND_FORMER_MOST = 50,
	SEND_REPLIES_MOST = 20 };

struct sending {
	json_t *former;    /* owned; strings, the newest last; NULL: nothing was sent yet */
	size_t recalled;   /* how far back; 0: what is being typed */
	json_t *replies;   /* owned; {"at_us","ms","from","text"}, the newest last; without a text none came in time */
	uint64_t asked_us; /* when the last was sent */
};

void send_open(struct ui *ui);
void send_key(struct ui *ui, uint32_t key);
void send_draw(const struct ui *ui, struct grid *grid);
/* JSON goes as it is, anything else as a string; an object is waited for. params: to whom; stolen. False: it was not sent. */
bool send_text(struct ui *ui, json_t *params, const char *text);
/* The result of `send`. False: it is not shown here. */
bool send_take(struct ui *ui, const json_t *result, const char *why);
void send_forget(struct ui *ui);

#endif
