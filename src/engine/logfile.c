#include "engine/logfile.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"

enum {
	LOG_MODE = 0640,
	CHECK_US = 1000000,   /* how often we look whether the file is still there */
	MARK_EVERY_US = 1000, /* bytes of the same process within this share a mark */
	READ_MOST = 64 * 1024,
	SEGMENTS_MOST = 1000,
	PATH_SIZE = 4096,
};
#define NO_MARK ((struct log_mark){ .offset = UINT64_MAX })
#define BASE_MOST (UINT64_MAX / 2)

/* segment 0 is the one being written, 1 the newest rotated one … */
static void segment_path(const struct logfile *log, unsigned segment, const char *suffix,
	char out[PATH_SIZE])
{
	if (segment)
		snprintf(out, PATH_SIZE, "%s.%u%s", log->path, segment, suffix);
	else
		snprintf(out, PATH_SIZE, "%s%s", log->path, suffix);
}

static bool put_mark(int fd, const struct log_mark *mark)
{
	ssize_t done;

	do
		done = write(fd, mark, sizeof *mark);
	while (done < 0 && errno == EINTR);
	if (done == sizeof *mark)
		return true;
	if (done > 0) /* part of it, on a full disk: take it back */
		errno = ftruncate(fd, lseek(fd, 0, SEEK_END) / (off_t)sizeof *mark *
					      (off_t)sizeof *mark) < 0
				? errno
				: ENOSPC;
	return false;
}

static bool get_mark(int fd, uint64_t number, struct log_mark *mark)
{
	return pread(fd, mark, sizeof *mark, (off_t)(number * sizeof *mark)) == sizeof *mark;
}

/* The first mark, which says where its segment begins. One that is absurd was not written by us: sums would wrap. */
static bool get_first_mark(int fd, struct log_mark *mark)
{
	return get_mark(fd, 0, mark) && mark->offset <= BASE_MOST;
}

static uint64_t count_marks(int fd)
{
	struct stat st;

	return fstat(fd, &st) < 0 ? 0 : (uint64_t)st.st_size / sizeof(struct log_mark);
}

/* Somebody removed it. */
static bool make_folder(const char *path)
{
	char folder[PATH_SIZE];

	snprintf(folder, sizeof folder, "%.*s", (int)(strrchr(path, '/') - path), path);
	return mkdir(folder, LOG_FOLDER_MODE) == 0;
}

/* Create a segment with its index, whose first mark says where in the stream it begins. */
static int create_segment(const char *path, uint64_t base, int *index_fd)
{
	char index_path[PATH_SIZE];
	struct log_mark first = { .offset = base };

	snprintf(index_path, sizeof index_path, "%s.idx", path);
	unlink(path);
	unlink(index_path);
	int fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (fd < 0 && errno == ENOENT && make_folder(path))
		fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (fd < 0)
		return -1;
	*index_fd = open(index_path, O_RDWR | O_CREAT | O_EXCL | O_APPEND | O_CLOEXEC | O_NOFOLLOW,
		LOG_MODE);
	if (*index_fd < 0 || !put_mark(*index_fd, &first)) {
		int reason = errno;
		close(fd);
		close_if_open(*index_fd);
		errno = reason;
		return -1;
	}
	return fd;
}

/* Its number may be that of anything else from now on. */
static void let_go(struct logfile *log, int fd)
{
	log->keep(log->context, -1);
	close(fd);
}

static void use_segment(struct logfile *log, int fd, int index_fd, uint64_t base)
{
	if (log->fd >= 0 && log->fd != fd)
		close(log->fd);
	close_if_open(log->index_fd);
	log->fd = fd;
	log->index_fd = index_fd;
	log->base = base;
	off_t position = lseek(fd, 0, SEEK_CUR);
	log->position = position < 0 ? 0 : (uint64_t)position;
	log->last = NO_MARK;
}

static void rename_both(const struct logfile *log, unsigned from, unsigned to)
{
	char old[PATH_SIZE], new[PATH_SIZE];

	/* the index first: wherever this is cut off, doing it again from the start is right */
	segment_path(log, from, ".idx", old);
	segment_path(log, to, ".idx", new);
	rename(old, new);
	segment_path(log, from, "", old);
	segment_path(log, to, "", new);
	rename(old, new);
}

/*
 * NAME → NAME.1 → NAME.2 …, up to the first gap, or over the oldest. A crash leaves one gap
 * at the most, and the next call goes on from there.
 */
static void shift_segments(const struct logfile *log)
{
	char path[PATH_SIZE];
	unsigned gap = 1;

	for (; gap < log->max_files; gap++) {
		segment_path(log, gap, "", path);
		if (access(path, F_OK) < 0)
			break;
	}
	for (; gap > 0; gap--)
		rename_both(log, gap - 1, gap);
}

static void new_path(const struct logfile *log, const char *suffix, char out[PATH_SIZE])
{
	snprintf(out, PATH_SIZE, "%s.new%s", log->path, suffix);
}

/* The keeper holds the new segment: whatever happens from here on, these renames follow. */
static void finish_rotation(const struct logfile *log)
{
	char from[PATH_SIZE], to[PATH_SIZE];

	if (access(log->path, F_OK) == 0)
		shift_segments(log);
	new_path(log, ".idx", from);
	segment_path(log, 0, ".idx", to);
	rename(from, to);
	new_path(log, "", from);
	rename(from, log->path);
}

static bool rotate(struct logfile *log)
{
	char path[PATH_SIZE];
	int index_fd;
	uint64_t end = logfile_end(log);

	new_path(log, "", path);
	int fd = create_segment(path, end, &index_fd);
	if (fd < 0)
		return false;
	if (!log->keep(log->context, fd)) {
		close(fd);
		close(index_fd);
		return false;
	}
	use_segment(log, fd, index_fd, end);
	finish_rotation(log);
	return true;
}

static bool is_same_file(int fd, const char *path)
{
	struct stat ours, theirs;

	return fstat(fd, &ours) == 0 && lstat(path, &theirs) == 0 &&
	       ours.st_ino == theirs.st_ino && ours.st_dev == theirs.st_dev;
}

/* Somebody removed, replaced or cut our file: go on in a fresh one, at the same offset. */
static bool check_file(struct logfile *log, uint64_t now_us)
{
	struct stat st;

	if (now_us - log->checked_us < CHECK_US)
		return true;
	log->checked_us = now_us;
	bool is_ours = is_same_file(log->fd, log->path);
	bool is_whole = fstat(log->fd, &st) == 0 && (uint64_t)st.st_size >= log->position;
	return (is_ours && is_whole) || rotate(log);
}

static uint64_t segment_base(const struct logfile *log, unsigned segment, uint64_t fallback)
{
	char path[PATH_SIZE];
	struct log_mark mark;

	segment_path(log, segment, ".idx", path);
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (fd < 0)
		return fallback;
	bool ok = get_first_mark(fd, &mark);
	close(fd);
	return ok ? mark.offset : fallback;
}

/* Where the stream goes on when the index of the newest segment is lost. */
static uint64_t end_of_rotated(const struct logfile *log)
{
	char path[PATH_SIZE];
	struct stat st;

	segment_path(log, 1, "", path);
	if (stat(path, &st) < 0)
		return 0;
	return segment_base(log, 1, 0) + (uint64_t)st.st_size;
}

static int open_index(const struct logfile *log, uint64_t *base)
{
	char path[PATH_SIZE];
	struct log_mark first;

	segment_path(log, 0, ".idx", path);
	int fd = open(path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (fd < 0)
		return -1;
	/* a torn mark at the end, after a power cut, would put all that follow out of step */
	if (ftruncate(fd, (off_t)(count_marks(fd) * sizeof first)) < 0) {
		close(fd);
		return -1;
	}
	if (get_first_mark(fd, &first)) {
		*base = first.offset;
		return fd;
	}
	if (ftruncate(fd, 0) < 0) {
		close(fd);
		return -1;
	}
	first = (struct log_mark){ .offset = end_of_rotated(log) };
	*base = first.offset;
	if (put_mark(fd, &first))
		return fd;
	close(fd);
	return -1;
}

static int open_segment(struct logfile *log, int held)
{
	char path[PATH_SIZE];

	new_path(log, "", path);
	if (held >= 0) {
		if (is_same_file(held, path))
			finish_rotation(log);
		return held;
	}
	unlink(path);
	new_path(log, ".idx", path);
	unlink(path);
	int fd = open(log->path, O_RDWR | O_CREAT | O_CLOEXEC | O_NOFOLLOW, LOG_MODE);
	if (fd < 0)
		return -1;
	/* a FIFO cannot be sought in, nor anything else that is no file */
	if (lseek(fd, 0, SEEK_END) < 0 || !log->keep(log->context, fd)) {
		close(fd);
		return -1;
	}
	return fd;
}

void logfile_limit(struct logfile *log, const struct log_spec *spec)
{
	log->max_size = spec->max_size;
	log->max_files = spec->max_files < SEGMENTS_MOST ? spec->max_files : SEGMENTS_MOST;
}

bool logfile_open(struct logfile *log, const char *dir, const char *name,
	const struct log_spec *spec, int held, struct error *err)
{
	uint64_t base;

	free(log->path);
	log->path = memory_format("%s/%s.log", dir, name);
	log->fd = log->index_fd = -1;
	logfile_limit(log, spec);
	int fd = open_segment(log, held);
	if (fd < 0)
		return error_errno(err, "log %s", log->path);
	int index_fd = open_index(log, &base);
	if (index_fd < 0) {
		error_errno(err, "log %s.idx", log->path);
		let_go(log, fd);
		return false;
	}
	use_segment(log, fd, index_fd, base);
	return true;
}

void logfile_close(struct logfile *log)
{
	if (log->path && log->fd >= 0)
		let_go(log, log->fd);
	if (log->path && log->index_fd >= 0)
		close(log->index_fd);
	free(log->path);
	*log = (struct logfile){
		.fd = -1, .index_fd = -1, .keep = log->keep, .context = log->context
	};
}

uint64_t logfile_end(const struct logfile *log)
{
	return log->base + log->position;
}

/* Before the bytes, so that bytes never stand without a mark. */
static bool mark(struct logfile *log, int32_t pid, uint64_t now_us, uint32_t flags)
{
	struct log_mark next = { logfile_end(log), now_us, pid, flags };
	bool is_near = log->last.offset != UINT64_MAX && log->last.pid == pid &&
		       log->last.flags == flags && now_us - log->last.time_us < MARK_EVERY_US;

	if (is_near)
		return true;
	if (!put_mark(log->index_fd, &next))
		return false;
	log->last = next;
	return true;
}

enum log_progress logfile_take(struct logfile *log, int pipe_fd, int32_t pid,
	uint64_t now_us, size_t most)
{
	if (!check_file(log, now_us))
		return LOG_STALLED;
	if (log->max_size && log->position >= log->max_size && !rotate(log))
		return LOG_STALLED;
	if (!mark(log, pid, now_us, 0))
		return LOG_STALLED;
	ssize_t size =
		splice(pipe_fd, NULL, log->fd, NULL, most, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);
	if (size > 0) {
		log->position += (uint64_t)size;
		return LOG_TAKEN;
	}
	if (size == 0)
		return LOG_ENDED;
	return errno == EAGAIN || errno == EINTR ? LOG_EMPTY : LOG_STALLED;
}

void logfile_end_of(struct logfile *log, int32_t pid, uint64_t now_us)
{
	struct log_mark final = { logfile_end(log), now_us, pid, MARK_FINAL };

	/* lost on a full disk: then the next process's mark ends the line as well */
	if (put_mark(log->index_fd, &final))
		log->last = final;
}

/* One segment opened for reading. */
struct segment {
	int fd, index_fd;
	uint64_t base, size, marks;
	bool is_borrowed; /* the one being written */
};

static void segment_close(struct segment *segment)
{
	if (segment->is_borrowed)
		return;
	close(segment->fd);
	close(segment->index_fd);
}

static bool segment_open(const struct logfile *log, unsigned number, struct segment *segment)
{
	char path[PATH_SIZE];
	struct log_mark first;
	struct stat st;

	if (number == 0) {
		*segment = (struct segment){ log->fd, log->index_fd, log->base, log->position,
			count_marks(log->index_fd), true };
		return true;
	}
	segment_path(log, number, "", path);
	segment->fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	if (segment->fd < 0)
		return false;
	segment_path(log, number, ".idx", path);
	segment->index_fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);
	segment->is_borrowed = false;
	if (segment->index_fd < 0 || fstat(segment->fd, &st) < 0 ||
		!get_first_mark(segment->index_fd, &first)) {
		close(segment->fd);
		close_if_open(segment->index_fd);
		return false;
	}
	segment->base = first.offset;
	segment->size = (uint64_t)st.st_size;
	segment->marks = count_marks(segment->index_fd);
	return true;
}

/* The segment that holds this offset, or the oldest one that there is. */
static void segment_find(const struct logfile *log, uint64_t offset, struct segment *found)
{
	struct segment older;

	segment_open(log, 0, found);
	for (unsigned i = 1; found->base > offset && i <= log->max_files; i++) {
		if (!segment_open(log, i, &older) || older.base + older.size != found->base)
			return; /* a gap, or files of somebody else's */
		segment_close(found);
		*found = older;
	}
}

uint64_t logfile_first(const struct logfile *log)
{
	struct segment oldest;

	segment_find(log, 0, &oldest);
	segment_close(&oldest);
	return oldest.base;
}

static bool is_before_offset(const struct log_mark *mark, uint64_t offset)
{
	return mark->offset < offset;
}

static bool is_before_time(const struct log_mark *mark, uint64_t time_us)
{
	return mark->time_us < time_us;
}

/* The first mark that is not before the key. */
static uint64_t mark_search(const struct segment *segment,
	bool (*is_before)(const struct log_mark *mark, uint64_t key), uint64_t key)
{
	uint64_t low = 0, high = segment->marks;
	struct log_mark mark;

	while (low < high) {
		uint64_t middle = (low + high) / 2;
		if (!get_mark(segment->index_fd, middle, &mark))
			return low;
		if (is_before(&mark, key))
			low = middle + 1;
		else
			high = middle;
	}
	return low;
}

struct reading {
	const struct segment *segment;
	uint64_t offset; /* the next byte to deliver */
	uint64_t limit;  /* deliver none behind this */
	void (*take)(void *context, const struct log_chunk *chunk);
	void *context;
	unsigned chunks;
};

/* Deliver the bytes of one mark, up to where the next one begins. False: enough. */
static bool deliver(struct reading *reading, const struct log_mark *mark, uint64_t end)
{
	static char buffer[READ_MOST];
	struct log_chunk chunk = { reading->offset, mark->time_us, mark->pid,
		mark->flags & MARK_FINAL, buffer, 0 };

	if (!chunk.is_final && end > reading->offset) {
		uint64_t stop = end < reading->limit ? end : reading->limit;
		ssize_t got = pread(reading->segment->fd, buffer, stop - reading->offset,
			(off_t)(reading->offset - reading->segment->base));
		if (got <= 0)
			return false;
		chunk.size = (size_t)got;
	}
	if (chunk.is_final || chunk.size) {
		reading->take(reading->context, &chunk);
		reading->chunks++;
	}
	reading->offset += chunk.size;
	return reading->offset >= end && reading->chunks < LOGFILE_CHUNKS;
}

static void read_segment(struct reading *reading)
{
	const struct segment *segment = reading->segment;
	uint64_t end = segment->base + segment->size;
	uint64_t number = mark_search(segment, is_before_offset, reading->offset);
	struct log_mark mark, next;

	bool has = number < segment->marks && get_mark(segment->index_fd, number, &mark);
	if (number > 0 && (!has || mark.offset > reading->offset))
		has = get_mark(segment->index_fd, --number, &mark);
	for (; has; mark = next) {
		has = ++number < segment->marks && get_mark(segment->index_fd, number, &next);
		uint64_t stop = has && next.offset < end ? next.offset : end;
		if (mark.flags & MARK_FINAL ? reading->offset != mark.offset
					    : stop <= reading->offset)
			continue;
		if (!deliver(reading, &mark, mark.flags & MARK_FINAL ? mark.offset : stop))
			return;
	}
}

uint64_t logfile_read(const struct logfile *log, uint64_t offset, size_t most,
	void (*take)(void *context, const struct log_chunk *chunk), void *context)
{
	struct segment segment;

	if (most > READ_MOST)
		most = READ_MOST;
	if (offset > logfile_end(log))
		offset = logfile_end(log);
	segment_find(log, offset, &segment);
	if (offset < segment.base)
		offset = segment.base;
	struct reading reading = { &segment, offset, offset + most, take, context, 0 };
	read_segment(&reading);
	segment_close(&segment);
	return reading.offset;
}

/* Go back from the end, a block at a time, until enough line ends were seen. */
uint64_t logfile_find_lines(const struct logfile *log, uint64_t lines)
{
	static char buffer[READ_MOST];
	uint64_t end = logfile_end(log), offset = end, first = logfile_first(log);
	struct segment segment;

	while (lines && offset > first) {
		segment_find(log, offset - 1, &segment);
		uint64_t from = offset - segment.base > sizeof buffer ? offset - sizeof buffer
								      : segment.base;
		ssize_t got =
			pread(segment.fd, buffer, offset - from, (off_t)(from - segment.base));
		segment_close(&segment);
		if (got <= 0 || (uint64_t)got != offset - from)
			return offset;
		for (size_t i = (size_t)got; i > 0; i--)
			if (buffer[i - 1] == '\n' && from + i != end && lines-- == 1)
				return from + i;
		offset = from;
	}
	return lines ? first : end;
}

uint64_t logfile_find_time(const struct logfile *log, uint64_t time_us)
{
	uint64_t end = logfile_end(log), found = end, before = end + 1, first = logfile_first(log);
	struct segment segment;
	struct log_mark mark;

	for (;;) {
		segment_find(log, before - 1, &segment);
		uint64_t number = mark_search(&segment, is_before_time, time_us);
		if (number < segment.marks && get_mark(segment.index_fd, number, &mark))
			found = mark.offset < end ? mark.offset : end;
		before = segment.base;
		segment_close(&segment);
		/* the first mark of a segment has no time: look at the one before as well */
		if (number > 1 || before <= first)
			return found;
	}
}
