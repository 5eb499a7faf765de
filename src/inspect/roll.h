/*
 * How much each thread of a process has run, of all of them at once: a program of ours in the kernel (eBPF) goes round them,
 * where there may be one. That costs a third of asking for the file of each, and needs none of them open.
 */
#ifndef INSPECT_ROLL_H
#define INSPECT_ROLL_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "kernel/roll.h"

struct roll; /* defined in roll.c */

/* NULL, and why: it was built without, we have no right to it, or the kernel is too old for it. It takes some 20 ms. */
struct roll *roll_create(struct error *err);
void roll_destroy(struct roll *roll); /* accepts NULL */

/* Into out, sorted by their numbers; how many, at most `most`. 0: there is no such process, or it cannot be told now. */
size_t roll_call(struct roll *roll, int32_t pid, struct roll_entry *out, size_t most);

#endif
