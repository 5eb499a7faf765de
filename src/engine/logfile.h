/*
 * The kept output of one stream of one instance: raw bytes in segments NAME, NAME.1 (older),
 * NAME.2 …, each with an index NAME.idx beside it that says when and from which process
 * the bytes came. Bytes go from the pipe to the file inside the kernel (splice), which moves the
 * position of the open file with them: whoever holds that file knows how far it is.
 * Offsets are those of the whole stream since its beginning, over all segments.
 * Loop thread only.
 */
#ifndef ENGINE_LOGFILE_H
#define ENGINE_LOGFILE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

#include "base/error.h"
#include "model/spec.h"

enum { LOG_FOLDER_MODE = 0750 };

/* One index entry: from this offset on, bytes came at this time from this process. */
struct log_mark {
	uint64_t offset;
	uint64_t time_us; /* wall clock */
	int32_t pid;
	uint32_t flags;
};
enum { MARK_FINAL = 1 }; /* that process has closed the stream: no bytes belong to this mark */

struct logfile {
	char *path; /* owned; of the segment being written */
	int fd;     /* … its file, also held by the keeper; -1: not open */
	int index_fd;
	uint64_t base;        /* stream offset of the segment's first byte */
	uint64_t position;    /* bytes in the segment */
	uint64_t checked_us;  /* when the file was last seen to be still there */
	struct log_mark last; /* the newest mark; offset UINT64_MAX: none yet */
	uint64_t max_size;
	unsigned max_files;
	/* The keeper must hold a new segment before the first byte goes into it. -1: it is closed here, and only the keeper has it. */
	bool (*keep)(void *context, int fd);
	void *context;
};

/* A piece of a stream, as it came. data lives until the next call. */
struct log_chunk {
	uint64_t offset;
	uint64_t time_us;
	int32_t pid;
	bool is_final;
	const char *data;
	size_t size;
};

/*
 * Open for writing, at its end. held: the file that a former engine wrote to (it is taken over, and
 * an interrupted rotation is completed), or -1. keep and context are set before.
 */
bool logfile_open(struct logfile *log, const char *dir, const char *name,
	const struct log_spec *spec, int held, struct error *err);
void logfile_close(struct logfile *log); /* what was never opened is fine */

/* When it is rotated from now on. */
void logfile_limit(struct logfile *log, const struct log_spec *spec);

enum log_progress {
	LOG_EMPTY, /* nothing to take now */
	LOG_TAKEN,
	LOG_ENDED,   /* no writer is left */
	LOG_STALLED, /* the file cannot take it: errno says why; the bytes stay in the pipe */
};

/* Take up to most bytes out of a pipe. */
enum log_progress logfile_take(struct logfile *log, int pipe_fd, int32_t pid,
	uint64_t now_us, size_t most);

/* That process has closed the stream. */
void logfile_end_of(struct logfile *log, int32_t pid, uint64_t now_us);

uint64_t logfile_first(const struct logfile *log); /* of the bytes that are kept */
uint64_t logfile_end(const struct logfile *log);

/*
 * Read from offset on (or from the first byte kept, if that is later), at most `most` bytes in
 * at most LOGFILE_CHUNKS pieces; calls take for each. Returns where to go on.
 */
enum { LOGFILE_CHUNKS = 256 };
uint64_t logfile_read(const struct logfile *log, uint64_t offset, size_t most,
	void (*take)(void *context, const struct log_chunk *chunk), void *context);

/* The offset where the last `lines` lines begin, or where the first byte since that time is. */
uint64_t logfile_find_lines(const struct logfile *log, uint64_t lines);
uint64_t logfile_find_time(const struct logfile *log, uint64_t time_us);

#endif
