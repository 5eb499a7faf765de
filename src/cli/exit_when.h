/* When a headless run is over by itself. Pure. */
#ifndef CLI_EXIT_WHEN_H
#define CLI_EXIT_WHEN_H

#include <stdbool.h>

#include "client/replica.h"

struct exit_verdict {
	bool is_over;
	int status; /* -1: as the services ended */
};

/* when: "all-done" (NULL too), "any-exit", "any-failure", "never", or the name of a service. */
struct exit_verdict exit_when(const struct replica *replica, const char *when);

/* Is it one of these? */
bool exit_when_is_valid(const char *when, const char *const *services);

#endif
