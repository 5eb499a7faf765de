/*
 * Where the kernel lets us make control groups (version 2), each process is born in one of its own: nobody of its
 * tree gets out of it, and one write ends them all at once. Elsewhere a tree is found as leftovers.h says.
 * Loop thread only.
 */
#ifndef ENGINE_CGROUP_H
#define ENGINE_CGROUP_H

#include <stdbool.h>
#include <sys/types.h>

struct cgroup {
	int root;   /* our own, which was delegated to us; -1: it was not */
	char *path; /* owned */
};

void cgroup_open(struct cgroup *cgroup);
void cgroup_close(struct cgroup *cgroup);

/* Below, marker is the value of THRUM_LIFE_ID: the name of the group is made of it. */

/* To be written to by the newborn itself; 0: there is none. close() it. */
int cgroup_make(const struct cgroup *cgroup, const char *marker);
/* SIGKILL to all that are in it, those that are being forked too. */
bool cgroup_kill(const struct cgroup *cgroup, const char *marker);
/* Calls visit for each process in it. */
void cgroup_visit(const struct cgroup *cgroup, const char *marker, void (*visit)(void *context, pid_t pid),
	void *context);
bool cgroup_is_there(const struct cgroup *cgroup, const char *marker);
void cgroup_remove(const struct cgroup *cgroup, const char *marker);

#endif
