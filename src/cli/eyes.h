/*
 * Looks into processes for `thrum top`, in a thread of its own: to read the symbols of a large program, or to search one that has
 * none, takes longer than a screen may stand still.
 */
#ifndef CLI_EYES_H
#define CLI_EYES_H

#include "tui/top.h"

struct eyes; /* defined in eyes.c */

struct eyes *eyes_create(struct error *err); /* NULL: err says why */
void eyes_destroy(struct eyes *eyes);        /* accepts NULL; waits for what is under way */

/* Becomes readable when a quest is over. */
int eyes_fd(const struct eyes *eyes);

/* Begin; the quest is its own until it is taken. There is none under way. */
void eyes_ask(struct eyes *eyes, struct top_quest *quest);
/* NULL: it is not over yet. */
struct top_quest *eyes_take(struct eyes *eyes);
/* The same, at once. */
void eyes_look(struct eyes *eyes, struct top_quest *quest);

#endif
