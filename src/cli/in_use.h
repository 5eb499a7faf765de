/* A start that failed because somebody else has the port: who that is. */
#ifndef CLI_IN_USE_H
#define CLI_IN_USE_H

#include <jansson.h>
#include <stdbool.h>

/* The port that could not be had, by what a process wrote last, as the record of a death has it; 0: it does not say. */
unsigned in_use_port(const json_t *lines);

/* {"port","by"}: who listens there now, by null if nobody does, as far as we may see; NULL: it failed for another reason. */
json_t *in_use_tell(const json_t *lines);

#endif
