/* Who has which sockets and pipes open, on the whole machine, as far as it is ours to see. */
#ifndef INSPECT_OWNERS_H
#define INSPECT_OWNERS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct owner {
	uint64_t inode;
	int32_t pid, fd;
	bool is_pipe;
	bool reads, writes; /* of a pipe */
};

/* Zeroed is empty; sorted by inode. */
struct owners {
	struct owner *rows; /* owned */
	size_t count, room;
};

/* Of one process, or with pid 0 of all. */
void owners_read(struct owners *owners, int32_t pid);
void owners_finish(struct owners *owners);

/* The first of those that have it; *count is how many. NULL: nobody that we can see. */
const struct owner *owners_find(const struct owners *owners, uint64_t inode, size_t *count);

#endif
