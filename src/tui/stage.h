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
	bool is_dirty;   /* there is something new to show */
	bool is_urgent;  /* … which somebody waits for who has pressed a key */
	bool is_behind;  /* the terminal has not taken all of a frame: the next one waits */
	bool is_leaving; /* we were told to, or nobody looks any more */
	bool is_gone;    /* … since the terminal has hung up */
};

/* Its signals are ours before ncurses could take them. False: as screen_open, and nothing is to be closed. */
bool stage_open(struct stage *stage, const struct style *style, const char *otherwise, struct error *err);
/* last: as screen_close has it. */
void stage_close(struct stage *stage, const char *last);

/* A blank frame of the terminal's size, and, once it is drawn, showing it. */
struct grid *stage_begin(struct stage *stage);
void stage_show(struct stage *stage);

/*
 * When the next frame may be drawn (monotonic, ms; UINT64_MAX: nothing is new, or the terminal is behind): at once for
 * who has pressed a key, else ten times a second at the most.
 */
uint64_t stage_due_ms(const struct stage *stage);

/* Until a key, a signal, something to read from fd (-1: none), or this time (-1: for ever). Takes the signals. */
void stage_wait(struct stage *stage, int fd, int ms);

/* The next key; 0: none now. A turn of the wheel is a few arrows. */
uint32_t stage_key(struct stage *stage);

#endif
