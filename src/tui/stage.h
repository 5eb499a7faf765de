/*
 * The terminal as a loop in front of it needs it: its frames, its keys, its signals. Whoever shows something on the
 * whole screen has one, and asks for nothing else of screen.h but what a key wants.
 */
#ifndef TUI_STAGE_H
#define TUI_STAGE_H

#include <signal.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tui/grid.h"
#include "tui/style.h"

enum { DROPS_S = 10 }; /* so long dropped frames are told of */

/* Zeroed before it is opened. */
struct stage {
	struct grid grid;
	int signal_fd;
	sigset_t former;
	uint64_t drawn_ms;     /* when the last frame was; monotonic */
	uint64_t frames, keys; /* so far */
	int told_fd;           /* who is told of each frame (THRUM_FRAME_FD); -1: nobody */
	unsigned repeats;      /* of `repeated`, still to be given */
	uint32_t repeated;
	struct drops {
		unsigned counts[DROPS_S]; /* of a second each */
		uint64_t second;          /* the newest; monotonic */
	} drops;                          /* frames that a terminal was too slow for */
	bool is_dirty;                    /* there is something new to show */
	bool is_urgent;                   /* … which somebody waits for who has pressed a key */
	bool is_behind;                   /* the terminal has not taken all of a frame: the next one waits */
	bool has_dropped;                 /* … and so one that was to come was not drawn */
	bool is_leaving;                  /* we were told to, or nobody looks any more */
	bool is_gone;                     /* … since the terminal has hung up */
};

/* Its signals are ours before ncurses could take them. False: as screen_open, and nothing is to be closed. */
bool stage_open(struct stage *stage, const struct style *style, const char *otherwise, struct error *err);
/* last: as screen_close has it. */
void stage_close(struct stage *stage, const char *last);

/* A blank frame of the terminal's size, and, once it is drawn, showing it: with a word on those that were dropped, if some were. */
struct grid *stage_begin(struct stage *stage);
void stage_show(struct stage *stage);

/* How many were dropped of late. */
unsigned drops_count(const struct drops *drops, uint64_t now_ms);
void drops_add(struct drops *drops, uint64_t now_ms);

/*
 * When the next frame may be drawn (monotonic, ms; UINT64_MAX: nothing is new, or the terminal is behind): at once for
 * who has pressed a key, else ten times a second at the most.
 */
uint64_t stage_due_ms(const struct stage *stage);
/* When one that nobody waits for may be. */
uint64_t stage_frame_ms(const struct stage *stage);
/* Does it say that frames were dropped? That is true for a while. */
bool stage_has_dropped(const struct stage *stage);

/* Until a key, a signal, something to read from fd (-1: none), or this time (-1: for ever). Takes the signals. */
void stage_wait(struct stage *stage, int fd, int ms);

/* The next key; 0: none now. A turn of the wheel is a few arrows. */
uint32_t stage_key(struct stage *stage);

#endif
