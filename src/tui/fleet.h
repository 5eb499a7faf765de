/* The engines of many machines and their services, on a screen of its own. It knows no engine, and no Redis. */
#ifndef TUI_FLEET_H
#define TUI_FLEET_H

#include <jansson.h>
#include <stdbool.h>

#include "tui/style.h"

enum { FLEET_TROUBLE_SIZE = 200,
	FLEET_NAME_SIZE = 256 };

/* Where the news come from; `context` is handed to each. */
struct fleet_source {
	void *context;
	const char *where; /* for the head of the screen */
	/* Readable when there are news; -1: it is not known when. */
	int (*fd)(void *context);
	/* The engines, as `ps --fleet --json` has them: a new reference; NULL: nothing new, or trouble, which is told then. */
	json_t *(*next)(void *context, char trouble[FLEET_TROUBLE_SIZE]);
};

/* The engine whose dashboard is wanted. */
struct fleet_choice {
	char host[FLEET_NAME_SIZE], project[FLEET_NAME_SIZE];
};

/* Until the user leaves, or chooses an engine: then choice->project is not empty. Returns the exit status. */
int fleet_run(const struct fleet_source *source, const struct style *style, struct fleet_choice *choice);

#endif
