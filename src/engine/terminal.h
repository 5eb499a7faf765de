/*
 * The terminal of a process. What it prints goes through a pipe of ours into its log, so that both
 * moves are the kernel's; what is typed waits here until the process takes it. Loop thread only.
 */
#ifndef ENGINE_TERMINAL_H
#define ENGINE_TERMINAL_H

#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <uv.h>

#include "base/error.h"

enum { TERMINAL_COLUMNS = 80,
	TERMINAL_ROWS = 24,
	TERMINAL_SIZE_MOST = 9999 };

/* Both ends of a new one; -1: there is none. */
struct terminal_ends {
	int master; /* ours, and the keeper's; non-blocking */
	int slave;  /* of the process that is about to be started */
};

/* The slave belongs to owner. False: the system has none to give. */
bool terminal_make(struct terminal_ends *ends, uid_t owner, struct error *err);
void terminal_close_ends(struct terminal_ends *ends);

struct terminal; /* defined in terminal.c */

/* Takes both over. hop: the writing end of the pipe towards the log. */
struct terminal *terminal_open(uv_loop_t *loop, int master, int hop);
void terminal_close(struct terminal *terminal); /* accepts NULL */

/* Readable when there is something to pump. */
int terminal_fd(const struct terminal *terminal);

/* Move what was printed into the pipe, as much as it takes. True: nothing will come any more. */
bool terminal_pump(struct terminal *terminal);

/* All of it, or false when so much waits already. */
bool terminal_type(struct terminal *terminal, const char *bytes, size_t size);
size_t terminal_waiting(const struct terminal *terminal);

bool terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows);

/* One move from a terminal into a pipe; as read(), with errno. Apart for its test. */
ssize_t terminal_move(int master, int hop);

#endif
