/*
 * The messages that were heard while the IPC tab was open: the newest, bounded in number and in bytes, the
 * oldest going first. No more than a reader can read are asked for; the others are counted.
 */
#ifndef TUI_TRAFFIC_H
#define TUI_TRAFFIC_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

struct error;
struct ui;

enum { HEARD_MOST = 500,
	HEARD_BYTES_MOST = 4 * 1024 * 1024,
	HEARD_A_SECOND = 50 };

struct traffic_log {
	json_t *heard[HEARD_MOST]; /* owned; ring of the notifications */
	unsigned count;            /* ever kept … */
	unsigned first;            /* … of which these, and those before, are gone */
	size_t bytes;
	uint64_t dropped; /* that were not told, since the tab was opened */
	char watched[96]; /* whose messages are being told: "web" or "web/0"; "" nobody's */
	char filter[128]; /* PCRE2; or "" */
	char asked[128];  /* … the one that holds now */
	uint64_t then_us; /* what is kept was heard up to then, in a recording; 0: it is heard now */
	bool is_paused;   /* nothing is kept */
	uint64_t unkept;  /* … and so many came meanwhile */
	bool is_open;     /* one message fills the tab */
};

/* Begin, change or end being told. Called for every frame. */
void traffic_follow(struct ui *ui);
/* A `message` notification. */
void traffic_take(struct ui *ui, const json_t *params);
/* The reply of a recording. */
void traffic_take_then(struct ui *ui, const json_t *result);
void traffic_forget(struct ui *ui);

unsigned traffic_size(const struct traffic_log *log);
/* 0 is the newest. */
const json_t *traffic_at(const struct traffic_log *log, unsigned back);

/* All that is kept, a JSON object a line, the oldest first. False: err says why not. */
bool traffic_save(const struct traffic_log *log, const char *path, unsigned *count, struct error *err);

#endif
