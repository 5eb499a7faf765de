/*
 * What a process has sent and nobody has acted on yet, in memory that outlives the engine: the kernel
 * copies it there itself, and how far it was acted on is one word. After a sudden death the next
 * engine finds what came in between, since JSON lines hold no zero byte and the room ahead holds nothing else.
 * Beside it is what else of a channel must be known again. Loop thread only.
 */
#ifndef ENGINE_INBOX_H
#define ENGINE_INBOX_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "engine/report.h"

enum {
	INBOX_LINE_MOST = 16 * 1024 * 1024, /* bytes of one message */
	INBOX_WINDOW = 64 * 1024,           /* bytes that one inbox_receive takes at the most */
	INBOX_NARROW = 4096,                /* … and the least that it has room for */
	INBOX_TRIES = 2,                    /* engines that may die of one message before it is passed over */
};

/* Since the process began. */
struct channel_counts {
	uint64_t in, out; /* messages; in: from the process */
	uint64_t in_bytes, out_bytes;
	uint64_t errors;      /* lines that were no JSON, or too deep */
	uint64_t queued;      /* bytes that it has not read yet */
	uint64_t connections; /* handed to it and taken, as a cluster's worker */
};

/* The beginning of the memory. */
struct inbox_page {
	uint32_t magic, abi;
	_Atomic uint64_t range;  /* what is not acted on: its begin, and its end << 32 */
	_Atomic uint32_t acting; /* begin + 1 of the line that is being acted on; 0: none */
	uint32_t tries;          /* engines that have died of the first line */
	struct channel_counts counts;
	uint64_t next_in, next_in_bytes; /* what they are to be when the line that is being acted on is done with … */
	_Atomic uint32_t next_begin;     /* … that is, when the next begins here */
	uint32_t room;                   /* bytes that the process may have sent before it has to wait */
	uint64_t sockets[4];             /* bit set: listening sockets it holds, as a cluster's worker */
	uint32_t is_leaving;             /* it said that it leaves of its own accord, … */
	uint32_t was_told_to_leave;      /* … or was told to: none is handed to it any more */
	uint64_t tasks[64];              /* of its pool that it has; 0: none */
	struct report report;            /* what it said of itself */
	char bytes[];
};

struct inbox {
	int fd;
	struct inbox_page *page; /* mapped */
	uint32_t searched;       /* no line ends between begin and here */
	uint32_t line_end;       /* of the line that is being acted on: where the next begins */
	uint32_t clean;          /* zeros between end and here, of which the memory is there */
	uint32_t window;         /* what the next receive takes at the most */
	bool is_abandoned;       /* the next line has been tried too often */
};

/* A new one. False: errno says why. */
bool inbox_make(struct inbox *inbox);
/* One that a former engine had. False: it is none of ours. The descriptor is taken over if not. */
bool inbox_restore(struct inbox *inbox, int fd);
void inbox_close(struct inbox *inbox);

/* Take in what the socket has now; as recv(). ENOBUFS: one line is longer than it may be. */
long inbox_receive(struct inbox *inbox, int socket);

/*
 * The next whole line, without its end; it counts as acted on when inbox_done is called, and is valid until then.
 * False: there is none.
 */
bool inbox_next(struct inbox *inbox, const char **line, size_t *size);
void inbox_done(struct inbox *inbox);

#endif
