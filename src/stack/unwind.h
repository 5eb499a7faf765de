/*
 * Stacks of the threads of another process, by elfutils' libdwfl. A thread is stopped while its frames are read, and at
 * no other time: files are opened before, names are looked up after it. No signal is used for that, so that nobody stays
 * stopped if we are killed in the middle of it: the kernel lets go whom we hold.
 */
#ifndef STACK_UNWIND_H
#define STACK_UNWIND_H

#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "stack/frame.h"

struct unwinder; /* defined in unwind.c */

/* NULL, with err: not possible. */
struct unwinder *unwinder_create(int32_t pid, struct error *err);
void unwinder_destroy(struct unwinder *unwinder); /* accepts NULL */

/*
 * The innermost first; how many. stopped_us: how long the thread was held. With 0, or when it breaks off, err says why.
 */
size_t unwinder_walk(struct unwinder *unwinder, int32_t tid, struct frame *frames, size_t most, uint64_t *stopped_us,
	struct error *err);

#endif
