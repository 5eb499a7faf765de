/*
 * Starting a process as the keeper's child, and signalling one. The only place in the engine
 * where processes are made.
 */
#ifndef ENGINE_CHILD_H
#define ENGINE_CHILD_H

#include <stdbool.h>
#include <sys/types.h>

#include "base/error.h"
#include "engine/keeper_link.h"
#include "engine/store.h"
#include "model/spec.h"

/* Everything a process is started with, made ready before the clone. */
struct launch {
	struct strings programs; /* what is executed: the first that may be; none: nothing was found */
	struct strings argv;
	char *working_dir; /* owned; NULL: ours */
	struct strings environment;
	char *own_pid; /* in the environment, where the process writes its own; NULL: it need not */
	uid_t uid;
	gid_t gid;
	gid_t *groups; /* owned */
	int group_count;
	bool drops_rights;
	uint64_t soft_nofile;
	int cgroup_fd; /* owned; cgroup.procs of the group where it is to live; 0: it stays in ours */
};

/* Whom a process is told that it is. */
struct newborn {
	const char *project;
	unsigned instance;
	const char *marker;              /* THRUM_LIFE_ID */
	uint64_t soft_nofile;            /* descriptors it may have unless its service says otherwise */
	const char *notify;              /* NOTIFY_SOCKET; NULL: none */
	int channel_fd;                  /* its number there; 0: none */
	unsigned listen_count;           /* sockets that it has from CHILD_FIRST_FD on */
	uint32_t seat;                   /* a number that no other process of the project has now */
	const struct strings *variables; /* further ones, of a helper; NULL: none */
};

enum { CHILD_FIRST_FD = 3,
	CHILD_ENDS_MOST = 2 + LISTENS_MOST };

/* The descriptors of a process; all others are closed to it. */
struct child_ends {
	int in; /* -1: nothing is to be read */
	int out, err;
	struct child_end {
		int fd, as; /* ours, and its number there; ascending */
	} more[CHILD_ENDS_MOST];
	unsigned more_count;
	bool is_terminal; /* in, out and err are one, which is to control it */
	int lock;         /* the project's: its own until it executes, so that no other run begins before it can be found */
};

/* All variables of such a process, the engine's own among them. */
void child_environment(struct strings *environment, const struct service_spec *spec,
	const struct newborn *who);

/* False: no such user, and the like. */
bool launch_prepare(struct launch *launch, const struct service_spec *spec,
	const struct newborn *who, struct error *err);
void launch_finish(struct launch *launch);

/*
 * Clone and execute. The kernel writes the pid into life before the process can run; the keeper is
 * the parent. Returns 0, or an errno: the
 * system had no process to give. A step that fails in the process itself is written into life, and
 * it ends with status 126 or 127.
 */
int child_spawn(struct life *life, const struct launch *launch,
	const struct service_spec *spec, const struct child_ends *ends);

/* "exec ./api: No such file or directory"; "" when nothing failed. */
void child_describe_failure(const struct life *life, const struct service_spec *spec,
	char *out, size_t size);

/*
 * Signal a process that the keeper has not reaped; with is_group, its whole process group.
 * A pid that may already mean another process is never signalled.
 */
bool child_signal(const struct keeper_link *keeper, const struct life *life, int signal,
	bool is_group);

/* Signal any other process, if it is still the one that started at starttime. */
bool stranger_signal(pid_t pid, unsigned long long starttime, int signal);

#endif
