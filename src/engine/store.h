/*
 * What the engine must still know after its own sudden death: a block of shared memory
 * that the keeper holds. Instances are committed whole (two copies and an index, flipped by
 * one store); lives carry the pid that the kernel itself wrote; notices are a ring.
 * Loop thread only.
 */
#ifndef ENGINE_STORE_H
#define ENGINE_STORE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>

#include "base/digest.h"
#include "base/error.h"
#include "model/instance.h"
#include "model/notice.h"

/* Another one: what is here is none of the next engine's, which goes on without it. */
#ifndef STORE_ABI
#define STORE_ABI 7
#endif

enum {
	STORE_SEATS = 3072, /* instances at the most */
	STORE_LIVES = 4096, /* processes with open output at the most */
	STORE_NOTICES = 1024,
	STORE_HELPERS = 64,  /* programs that the engine runs for itself at a time */
	STORE_SEAT_SLOT = 1, /* keeper slot of seat 0; lives follow the seats */
	STORE_LIFE_SLOT = STORE_SEAT_SLOT + STORE_SEATS,
	STORE_STEP_SIZE = 24,
	STORE_SOCKETS = 256, /* that listen for services */
	STORE_SOCKET_SLOT = STORE_LIFE_SLOT + STORE_LIVES,
};

enum { LISTENING_ADDRESS_SIZE = 112,
	LISTENING_DATA_SIZE = 1024 };

/* The place of one instance. */
struct seat {
	_Atomic uint32_t is_taken;
	_Atomic uint32_t current; /* which copy holds */
	struct instance copies[2];
	uint64_t notice_seq[2];        /* the newest notice that came with each copy */
	_Atomic uint64_t run_began[2]; /* offset in each log where this project's run began */
	char launched_as[DIGEST_SIZE]; /* fingerprint of what its present or last process was started with */
};

/* A run of the project, in the marks that its processes carry: by the keeper that began it and when it was begun
   (wall clock). */
struct origin {
	int32_t pid;
	uint64_t us;
};

enum life_state { LIFE_FREE,
	LIFE_SPAWNING,
	LIFE_RUNNING,
	LIFE_EXITED };

/* One process from before its clone until its output has ended. */
struct life {
	_Atomic uint32_t state;
	uint32_t seat;
	uint32_t number;         /* which life of the instance it is */
	uint32_t serial;         /* with the origin unlike any other of this project: THRUM_LIFE_ID */
	struct origin origin;    /* of the run that gave it */
	int32_t pid;             /* written by the kernel before the process can run */
	_Atomic uint32_t closed; /* bit set: output streams that have ended */
	uint64_t began_us;       /* monotonic; no exit before this is its own */
	uint64_t began_boot_us;  /* the same by CLOCK_BOOTTIME, as start times are counted */
	uint64_t there_boot_us;  /* it was there then: who has its pid and began no later is it; 0: not seen yet */
	int32_t failed_errno;    /* the process itself writes these when a step fails */
	char failed_step[STORE_STEP_SIZE];
};

/* Why a state begins anew under processes that run. */
enum cold { COLD_NOT,
	COLD_ABI,      /* another thrum wrote it */
	COLD_NONSENSE, /* it cannot be: something wrote where it should not */
	COLD_FAULTS,   /* one engine after another ended by a fault of its own */
	COLD_COUNT };

/* A socket that listens for a service; the descriptor is the keeper's too. */
struct listening {
	_Atomic uint32_t is_taken;
	uint32_t serial; /* unlike any other of this place */
	char service[64];
	/* what the workers of a cluster ask for it by */
	char address[LISTENING_ADDRESS_SIZE]; /* "": any */
	int32_t port, type, fd;               /* as they say it; type: 4, 6, -1: unix, or 104, 106: udp */
	uint32_t index;
	/* … */
	uint32_t given;                 /* of `listen`: which of them, from 1; 0: a cluster's */
	uint32_t instance;              /* … and whose, if … */
	uint32_t is_own;                /* … each has its own */
	uint32_t is_shared;             /* workers have the socket itself */
	uint64_t connections;           /* handed on */
	char data[LISTENING_DATA_SIZE]; /* JSON that the first worker gave, and all are told */
};

struct store {
	_Atomic uint32_t magic;
	uint32_t abi;
	uint32_t cold;        /* of enum cold: what was here before could not be used */
	struct origin origin; /* this run */
	uint32_t faults;      /* engines that ended by a fault of their own, since … */
	uint64_t first_fault_us;
	_Atomic uint64_t exits_seen;
	_Atomic uint64_t notice_count;
	uint64_t notice_base; /* those up to it were told before this memory began */
	_Atomic uint32_t serial;
	_Atomic uint32_t seat_top;   /* seats and lives from here on were never used: untouched */
	_Atomic uint32_t life_top;   /* pages of shared memory cost nothing */
	_Atomic uint32_t is_cleared; /* nothing is left of a former run of the project */
	_Atomic uint32_t is_begun;   /* the project's services were told to start */
	_Atomic uint32_t is_ending;  /* all is being stopped; the engine ends then */
	_Atomic uint32_t is_owned;   /* a client in the foreground owns this run … */
	_Atomic uint32_t linger_ms;  /* … and this long after its loss all is stopped */
	struct notice notices[STORE_NOTICES];
	struct seat seats[STORE_SEATS];
	struct life lives[STORE_LIVES];
	struct life helpers[STORE_HELPERS];
	struct listening sockets[STORE_SOCKETS];
};

/*
 * Maps the keeper's memory; makes it ready when it is new, or when what is in it cannot be used. NULL on
 * failure.
 */
struct store *store_open(int fd, struct error *err);
/* Begin anew, for this reason. Cut off anywhere, the next engine does it again. */
void store_wipe(struct store *store, int fd, enum cold why);

/* "keeper 3 store 6 roster 2": who has the same of all three goes on where this one is. */
enum { ABI_TEXT_SIZE = 64 };
void store_describe_abi(char out[ABI_TEXT_SIZE]);

/* The committed copy. */
const struct instance *store_instance(const struct store *store, uint32_t seat);

/*
 * Commit an instance with the notices that came of the same event; they get their seq.
 * After this both are there, before it neither.
 */
void store_commit(struct store *store, uint32_t seat, const struct instance *instance,
	struct notice *notices, unsigned count);

/* A notice that belongs to no instance. */
void store_tell(struct store *store, struct notice *notice);

/* After a sudden death: the notices that were committed count. */
void store_recover(struct store *store);

/* The oldest seq that is still kept; notice_count is the newest. */
uint64_t store_first_notice(const struct store *store);
const struct notice *store_notice(const struct store *store, uint64_t seq);

/* -1: all are taken. */
int store_take_seat(struct store *store, const struct instance *instance);
void store_free_seat(struct store *store, uint32_t seat);
int store_take_life(struct store *store, uint32_t seat, uint32_t number);
/* … that very one, if it is free; else -1. */
int store_take_life_at(struct store *store, uint32_t index, uint32_t seat, uint32_t number);
/* NULL: all are taken. */
struct life *store_take_helper(struct store *store, uint32_t seat);

#endif
