/*
 * The engine's side of the control socket: it accepts clients, and tells them what the engine
 * tells it. Runs the engine's loop. One thread.
 */
#ifndef SERVER_SERVER_H
#define SERVER_SERVER_H

/* `thrum engine PROJECT`, as the keeper starts it. Returns the exit status. */
int server_run(const char *project);

/*
 * `thrum engine --abi`: one line that is the same for programs whose engines can follow each other. Returns the
 * exit status.
 */
int server_print_abi(void);

#endif
