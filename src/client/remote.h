/* The engine of another machine, by ssh: `thrum dial` there joins our end to its control socket. */
#ifndef CLIENT_REMOTE_H
#define CLIENT_REMOTE_H

#include <stdbool.h>

#include "base/error.h"

#define REMOTE_VARIABLE "THRUM_HOST"

/* The host that is meant: THRUM_HOST, which -H sets; NULL: this machine. */
const char *remote_host(void);

/*
 * A socket to the engine of project there; host is [USER@]HOST or ssh://[USER@]HOST[:PORT]. -1 with err set:
 * ssh and the program there have told more on standard error.
 */
int remote_open(const char *host, const char *project, struct error *err);

/* Joins the engine's socket with standard input and output, until one of both ends. */
void remote_join(int fd);

#endif
