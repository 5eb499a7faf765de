/* Names of code that is in no file, since it was made at run time: as Node with --perf-basic-prof, and others, write them down. */
#ifndef STACK_RUNTIME_H
#define STACK_RUNTIME_H

#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "stack/frame.h"

/* Those frames that have no module get a name: of the process's map if it has one, else what kind of code it may be. */
void runtime_name(struct frame *frames, size_t count, int32_t pid);

/* The same from an open map. The last that covers an address counts: code moves. */
void runtime_name_from(struct frame *frames, size_t count, FILE *map);

#endif
