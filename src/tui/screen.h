/* The terminal: the only part that knows ncurses. One at a time. */
#ifndef TUI_SCREEN_H
#define TUI_SCREEN_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"
#include "tui/grid.h"
#include "tui/style.h"

/* False, with one sentence: not a terminal, or one that cannot do it. otherwise: the command that needs none. */
bool screen_open(const struct style *style, const char *otherwise, struct error *err);
/* From the next frame on; nothing where there is no screen. */
void screen_set_style(const struct style *style);
/* Give the terminal back as it was, with a last line, or "", on it. is_gone: it has hung up, write nothing. */
void screen_close(bool is_gone, const char *last);

/* Can it show more than ASCII? */
bool screen_is_unicode(void);
void screen_size(int *width, int *height);

/* After SIGWINCH, or when it may have been disturbed: everything is drawn again. */
void screen_resize(void);

/* Stop until continued, with the terminal as it was meanwhile; where nobody could continue us, go on. */
void screen_suspend(void);

/*
 * Show a frame: what differs from the one before is written, and nothing when nothing does. False:
 * the terminal has not taken the one before yet.
 */
bool screen_show(const struct grid *grid);

/* To the clipboard of whoever sits at the terminal, if it lets us (OSC 52): base64. It goes out with the next frame. */
void screen_copy(const char *encoded, size_t size);

/* Send on what the terminal did not take at once. False: there is more, or it has no room for more; wait for POLLOUT of screen_fd. */
bool screen_send(void);
int screen_fd(void);
/* Bytes that the terminal has taken, since it was opened. */
uint64_t screen_written(void);

/* The next key, as in keymap.h; 0: none now. */
uint32_t screen_read(void);
/* Where the last INPUT_CLICK was; there is none without a mouse. */
void screen_click(int *x, int *y);
bool screen_has_mouse(void);

#endif
