/*
 * A raw log as lines, each with the time and the process of its first byte. Whoever follows it says of each line
 * whether it was taken, and goes on behind the last one that was. Loop thread only.
 */
#ifndef ENGINE_LINEWISE_H
#define ENGINE_LINEWISE_H

#include "base/text.h"
#include "engine/logfile.h"

enum { LINEWISE_LINE_MOST = 32 * 1024, /* a longer one becomes several; less than one reading of a log gives */
	LINEWISE_TURN_MOST = 256 * 1024 /* bytes that are read at a time */ };

struct linewise {
	struct text line; /* what there is of it, without its end */
	uint64_t time_us; /* of its first byte */
	int32_t pid;
	uint64_t consumed; /* offset behind the last line that was taken */
	bool is_refused;
	bool (*take)(void *context, const struct linewise *line); /* false: not now */
	void *context;
};

/*
 * Hands on what is whole from lines->consumed on, at most so much at a time; what a process that has closed the stream
 * wrote last is whole, too. take and context were set before. False: there is no more now.
 */
bool linewise_read(struct linewise *lines, const struct logfile *log);

#endif
