#include "engine/roster.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine.h"

enum { ROSTER_MAGIC = 0x726f7374,
	ROSTER_VERSION = 1,
	BOOT_ID_SIZE = 40,
	ROSTER_MODE = 0600 };

/* What a member's row says, in one byte of the member. */
enum note {
	NOTE_UNKNOWN, /* a former engine has written it */
	NOTE_NOBODY,
	NOTE_RUNS,
	NOTE_IS_READY
};

struct header {
	uint32_t magic, version, row_size;
	int32_t origin_pid;
	uint64_t origin_us;
	char boot_id[BOOT_ID_SIZE];
};

static void read_boot_id(char out[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(out, 0, BOOT_ID_SIZE);
	if (fd >= 0 && read(fd, out, BOOT_ID_SIZE - 1) < 0)
		out[0] = '\0';
	if (fd >= 0)
		close(fd);
}

static off_t row_offset(uint32_t seat)
{
	return (off_t)(sizeof(struct header) + seat * sizeof(struct roster_row));
}

/* Of another boot, another version, or cut off in its first line: nobody whom it names is there. */
static bool check_header(int fd, struct header *header)
{
	char boot_id[BOOT_ID_SIZE];

	read_boot_id(boot_id);
	return pread(fd, header, sizeof *header, 0) == sizeof *header && header->magic == ROSTER_MAGIC &&
	       header->version == ROSTER_VERSION && header->row_size == sizeof(struct roster_row) && boot_id[0] &&
	       memcmp(header->boot_id, boot_id, BOOT_ID_SIZE) == 0;
}

static bool makes_sense(const struct roster_row *row)
{
	return row->pid > 0 && row->life && row->after_us <= row->before_us &&
	       memchr(row->service, '\0', sizeof row->service) && memchr(row->launched_as, '\0', DIGEST_SIZE);
}

static void read_rows(int fd, struct former *former)
{
	struct roster_row row;
	uint32_t seat = 0;

	former->rows = memory_zeroed(STORE_SEATS, sizeof *former->rows);
	for (; seat < STORE_SEATS && pread(fd, &row, sizeof row, row_offset(seat)) == sizeof row; seat++)
		if (makes_sense(&row))
			former->rows[former->count++] = row;
}

bool roster_read_former(const struct roster *roster, struct former *former)
{
	struct header header;
	int fd = open(roster->path, O_RDONLY | O_NOFOLLOW | O_CLOEXEC);

	*former = (struct former){ 0 };
	if (fd < 0)
		return false;
	if (check_header(fd, &header)) {
		former->origin_pid = header.origin_pid;
		former->origin_us = header.origin_us;
		read_rows(fd, former);
	}
	close(fd);
	return former->count;
}

void former_finish(struct former *former)
{
	free(former->rows);
	*former = (struct former){ 0 };
}

void roster_begin(struct engine *engine)
{
	struct roster *roster = &engine->roster;
	struct header header = { ROSTER_MAGIC, ROSTER_VERSION, sizeof(struct roster_row), engine->store->origin_pid,
		engine->store->origin_us, { 0 } };
	char *path = memory_format("%s.new", roster->path);

	read_boot_id(header.boot_id);
	unlink(path);
	roster->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ROSTER_MODE);
	if (roster->fd >= 0 && pwrite(roster->fd, &header, sizeof header, 0) != sizeof header)
		roster_close(roster);
	if (roster->fd < 0)
		log_line("%s: %m: should keeper and engine be killed together, the next run takes nobody over", path);
	free(path);
}

void roster_replace(struct roster *roster)
{
	char *path = memory_format("%s.new", roster->path);

	if (roster->fd < 0 || rename(path, roster->path) < 0)
		unlink(roster->path); /* it is of another time */
	free(path);
}

void roster_resume(struct engine *engine)
{
	struct roster *roster = &engine->roster;
	struct header header;

	roster->fd = open(roster->path, O_RDWR | O_NOFOLLOW | O_CLOEXEC);
	if (roster->fd >= 0 && !check_header(roster->fd, &header))
		roster_close(roster);
}

static uint64_t boot_us(void)
{
	struct timespec now;

	clock_gettime(CLOCK_BOOTTIME, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static struct roster_row describe(const struct engine *engine, const struct member *member, bool is_ready)
{
	const struct life *life = &engine->store->lives[member->life];
	struct roster_row row = { .pid = member->now.pid,
		.index = member->now.index,
		.life = member->now.life,
		.serial = life->serial,
		.is_ready = is_ready,
		.before_us = boot_us(),
		.restarts = member->now.restarts };
	uint64_t age_us = clock_monotonic_us() - life->began_us;

	row.after_us = row.before_us > age_us ? row.before_us - age_us : 0;
	memcpy(row.launched_as, engine->store->seats[member->seat].launched_as, DIGEST_SIZE);
	memcpy(row.service, member->now.service, sizeof row.service);
	return row;
}

static enum note note_of(const struct member *member)
{
	if (!member->now.pid || member->life < 0)
		return NOTE_NOBODY;
	return member->now.gates & GATES_OF_READY ? NOTE_RUNS : NOTE_IS_READY;
}

/* A full disk costs no more than that a later run would not find it. */
static void write_row(const struct roster *roster, uint32_t seat, const struct roster_row *row)
{
	if (pwrite(roster->fd, row, sizeof *row, row_offset(seat)) != sizeof *row)
		log_line("%s: %m", roster->path);
}

void roster_note(struct engine *engine, struct member *member)
{
	static const struct roster_row nobody;
	enum note note = note_of(member);
	bool is_same = note == member->noted && (note == NOTE_NOBODY || member->noted_life == member->now.life);

	/* the row of one that is about to be started again is overwritten soon; of one that never lived there is none */
	if (is_same || engine->roster.fd < 0 || !member->now.life || member->now.state == STATE_STARTING)
		return;
	member->noted = (uint8_t)note;
	member->noted_life = member->now.life;
	struct roster_row row = note == NOTE_NOBODY ? nobody : describe(engine, member, note == NOTE_IS_READY);
	write_row(&engine->roster, member->seat, &row);
}

void roster_remove(struct roster *roster)
{
	unlink(roster->path);
}

void roster_close(struct roster *roster)
{
	if (roster->fd >= 0)
		close(roster->fd);
	roster->fd = -1;
}
