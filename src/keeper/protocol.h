/*
 * What the keeper and its engine share: a page that the keeper writes and the engine reads,
 * and the messages from the engine to the keeper. libc alone; both sides are built together.
 *
 * The keeper holds a copy of every descriptor that must outlive the engine, in numbered
 * slots with one place for each kind. A new engine inherits them at the keeper's numbers.
 */
#ifndef KEEPER_PROTOCOL_H
#define KEEPER_PROTOCOL_H

#include <stdatomic.h>
#include <stdint.h>

enum {
	KEEPER_MAGIC = 0x7472756d,
	KEEPER_ABI = 3,
	KEEPER_SLOTS = 8192,
	KEEPER_EXITS = 4096,
	KEEPER_PROJECT_SLOT = 0, /* SPEC, LOCK and LISTENER; all others are the engine's to give */
};

/* The place of a descriptor in its slot. */
enum keeper_kind {
	KEEPER_SPEC = 0,     /* of the project's slot: the resolved configuration */
	KEEPER_LOCK = 1,     /* the project's lock: held as long as keeper or engine live */
	KEEPER_LISTENER = 2, /* the control socket */
	KEEPER_NOTIFY = 3,   /* where processes tell by sd_notify */
	KEEPER_OUT = 0,      /* of a life's slot: the reading ends of its output */
	KEEPER_ERR = 1,
	KEEPER_READY = 2,    /* … of the pipe on which it says that it is ready */
	KEEPER_TERMINAL = 3, /* the master of its terminal, whose output goes through … */
	KEEPER_HOP = 7,      /* … the writing end of a pipe, of which OUT is the reading one */
	KEEPER_CHANNEL = 4,  /* our end of its channel … */
	KEEPER_INBOX = 5,    /* … what came on it and is not acted on, … */
	KEEPER_OUTBOX = 6,   /* … and what it was not sent yet */
	KEEPER_LOG_OUT = 0,  /* of an instance's slot: the log segments being written; */
	KEEPER_LOG_ERR = 1,  /* how far is the position of the open file itself */
	KEEPER_SOCKET = 0,   /* of a listening socket's slot: itself, … */
	KEEPER_RETURNED = 1, /* … and both ends of the queue of connections that wait for another worker */
	KEEPER_RETURNED_TO = 2,
	KEEPER_KINDS = 8
};

/* Written before the process is reaped: until then its pid cannot mean another one. */
struct exit_record {
	int32_t pid;
	int32_t code;   /* CLD_EXITED, CLD_KILLED, CLD_DUMPED; 0: nobody knows how it ended */
	int32_t status; /* exit status or signal */
	int32_t reserved;
	uint64_t peak_rss; /* bytes */
	uint64_t cpu_us;   /* user and system */
	uint64_t ended_us; /* CLOCK_MONOTONIC */
	uint64_t wall_us;
};

/* A sealed memfd: the engine cannot write it, whatever goes wrong in it. */
struct keeper_page {
	uint32_t magic, abi;
	_Atomic int32_t keeper_pid;
	int32_t reaper_pid; /* to whom the children of a killed keeper fell; 0: none was killed */
	int32_t origin_pid; /* the project's first keeper */
	_Atomic int32_t engine_pid;
	_Atomic uint32_t engine_starts;
	int32_t last_code, last_status; /* how the engine before this one ended */
	uint64_t started_us;            /* the keeper's start, wall clock */
	uint64_t soft_nofile;           /* descriptors a child may have: we raised our own limit */
	int32_t wake_fd;                /* eventfd: an exit was recorded */
	int32_t state_fd;               /* memfd of the engine's own state */
	_Atomic uint64_t
		exit_count; /* ever recorded; the newest is exits[(count - 1) % KEEPER_EXITS] */
	struct exit_record exits[KEEPER_EXITS];
	uint32_t slot_top;                       /* slots from here on were never used */
	int32_t fds[KEEPER_SLOTS][KEEPER_KINDS]; /* number + 1; 0: none */
};

enum { KEEPER_PIDS = 5120 };

/*
 * What an engine leaves behind, in a memfd, when it executes the keeper in its own place since that was
 * killed: the page, with its own descriptors in it, and whom to watch.
 */
struct keeper_manifest {
	struct keeper_page page;
	uint64_t seen; /* exits that are dealt with */
	uint32_t pid_count;
	int32_t pids[KEEPER_PIDS];
};
#define KEEPER_MANIFEST_VARIABLE "THRUM_KEEPER_MANIFEST" /* its descriptor */

enum keeper_operation {
	KEEPER_PUT = 1, /* hold the descriptors that come with this, in ascending kind; replaces */
	KEEPER_DELETE,  /* close the whole slot */
	KEEPER_SEEN,    /* exits up to argument are dealt with */
	KEEPER_BYE,     /* everything is stopped: do not start another engine */
	KEEPER_WATCH,   /* tell how a process of a former run ends: argument is its pid, and its pidfd comes with this,
			   unless it has ended */
};

struct keeper_message {
	uint32_t operation;
	uint32_t slot;
	uint32_t kinds; /* bit set of enum keeper_kind */
	int32_t parent; /* of WATCH: to whom it fell, and to whom its orphans fall */
	uint64_t argument;
};

/* The engine finds "PAGE_FD CONTROL_FD" in this variable, and removes it. */
#define KEEPER_VARIABLE "THRUM_KEEPER_FDS"

/* What the keeper is started with: thrum-keeper PROJECT THRUM, and these descriptors. */
enum { KEEPER_START_LOCK = 3,
	KEEPER_START_LISTENER = 4,
	KEEPER_START_SPEC = 5 };

#endif
