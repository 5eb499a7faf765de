/*
 * All processes that belong to a supervised one: its descendants, and those that went away from it
 * and fell to the keeper, found by their session or by the mark in their environment.
 * It reads the lists of children that the kernel keeps, never the whole machine.
 * Loop thread: with nothing to find it costs one small file.
 */
#ifndef PROCFS_TREE_H
#define PROCFS_TREE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

enum { TREE_MOST = 4096 };

struct tree_process {
	pid_t pid;
	uint64_t starttime;
};

/* Zeroed is empty. */
struct tree {
	struct tree_process *processes; /* owned */
	size_t count, room;
	bool is_cut;       /* there are more than TREE_MOST */
	bool only_zombies; /* none is left but dead ones that nobody has reaped yet */
	bool is_changing;  /* somebody ended meanwhile: whom he left has fallen to the keeper, maybe after that was looked at */
	bool is_unsure;    /* somebody is just executing another program: what its environment says is not to be known yet */
};

struct tree_search {
	pid_t leader;              /* 0: it has ended */
	uint64_t leader_starttime; /* 0: whoever has that pid and leads that session */
	pid_t session;             /* that it led */
	const char *marker;        /* "NAME=value": an entry of its environment; or NULL */
	bool takes_all;            /* of the keeper's children, but the known ones: whatever else is known of them */
	pid_t keeper;              /* to whom orphans fall */
	pid_t reaper;              /* to whom those of a former keeper fell; 0: there was none */
	const pid_t *known;        /* children of the keeper that are somebody else's */
	size_t known_count;
	const char *root; /* NULL: /proc; else fixtures in tests */
};

/*
 * Appends all but the leader. Zombies are none: somebody is about to reap them. The kernel's
 * lists may leave out somebody while others end: who must be sure asks until nobody new is found.
 */
void tree_find(struct tree *tree, const struct tree_search *search);
void tree_finish(struct tree *tree);
/* False: it is there already, or there are too many. */
bool tree_add(struct tree *tree, const struct tree_process *process);
bool tree_has(const struct tree *tree, const struct tree_process *process);

#endif
