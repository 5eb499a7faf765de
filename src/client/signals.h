/* Signals of a client in the foreground, read from a descriptor like everything else. */
#ifndef CLIENT_SIGNALS_H
#define CLIENT_SIGNALS_H

#include <signal.h>

/*
 * Signals from now on come by the descriptor that is returned (-1: errno says why) and nothing else;
 * a closed pipe is an error of write(). former, unless NULL, is the mask of before.
 * numbers end with 0.
 */
int signals_open(const int *numbers, sigset_t *former);

/* What somebody at a terminal, or who closes it, may send. */
extern const int signals_of_terminal[];
/* What ends a program that runs as a service. */
extern const int signals_of_service[];

#endif
