#include "engine/roster.h"

#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "engine/engine.h"

enum { ROSTER_MAGIC = 0x726f7374,
	ROW_LEAST = offsetof(struct roster_row, service) + sizeof((struct roster_row *)0)->service,
	ROW_MOST = 4096, /* bytes, of a later thrum's */
	BOOT_ID_SIZE = 40,
	ROSTER_MODE = 0600 };

struct header {
	uint32_t magic, version, row_size;
	int32_t keeper_pid; /* whoever asks for the parent of one of these may still see this one */
	char boot_id[BOOT_ID_SIZE];
};

static void read_boot_id(char out[BOOT_ID_SIZE])
{
	int fd = open("/proc/sys/kernel/random/boot_id", O_RDONLY | O_CLOEXEC);

	memset(out, 0, BOOT_ID_SIZE);
	if (fd >= 0 && read(fd, out, BOOT_ID_SIZE - 1) < 0)
		out[0] = '\0';
	close_if_open(fd);
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
	       header->version == ROSTER_VERSION && header->row_size >= ROW_LEAST && header->row_size <= ROW_MOST &&
	       boot_id[0] && memcmp(header->boot_id, boot_id, BOOT_ID_SIZE) == 0;
}

static bool is_bool(const void *byte)
{
	return *(const uint8_t *)byte <= 1;
}

static bool makes_sense(const struct roster_row *row)
{
	return row->service[0] && is_bool(&row->wanted) && is_bool(&row->has_death) && is_bool(&row->death_unwritten) &&
	       is_bool(&row->death.core) && row->pid >= 0 && row->after_us <= row->before_us && row->state < STATE_COUNT &&
	       memchr(row->service, '\0', sizeof row->service) && memchr(row->launched_as, '\0', DIGEST_SIZE) &&
	       memchr(row->death.detail, '\0', sizeof row->death.detail) && row->death.cause < CAUSE_COUNT;
}

/* A row of another thrum may be longer, or end before ours does. */
static bool read_row(int fd, uint32_t seat, uint32_t size, struct roster_row *row)
{
	size_t known = size < sizeof *row ? size : sizeof *row;

	memset(row, 0, sizeof *row);
	return pread(fd, row, known, (off_t)(sizeof(struct header) + (uint64_t)seat * size)) == (ssize_t)known;
}

static void read_rows(int fd, uint32_t size, struct former *former)
{
	struct roster_row row;

	former->rows = memory_zeroed(STORE_SEATS, sizeof *former->rows);
	for (uint32_t seat = 0; seat < STORE_SEATS && read_row(fd, seat, size, &row); seat++)
		if (makes_sense(&row))
			former->rows[former->count++] = row;
}

bool roster_read_former(const struct roster *roster, struct former *former)
{
	struct header header;
	int fd = open(roster->path, O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);

	*former = (struct former){ 0 };
	if (fd < 0)
		return false;
	if (check_header(fd, &header)) {
		former->keeper_pid = header.keeper_pid;
		read_rows(fd, header.row_size, former);
	}
	close(fd);
	return former->count;
}

static uint64_t start_us(const struct proc_stat *stat, uint64_t ticks_more)
{
	return (stat->starttime + ticks_more) * 1000000 / (uint64_t)sysconf(_SC_CLK_TCK);
}

bool roster_is(const struct roster_row *row, const struct proc_stat *stat)
{
	return stat->pid == row->pid && start_us(stat, 1) >= row->after_us && start_us(stat, 0) <= row->before_us &&
	       !proc_is_dead(stat->state, stat->threads);
}

void former_finish(struct former *former)
{
	free(former->rows);
	*former = (struct former){ 0 };
}

static bool write_header(struct engine *engine)
{
	struct header header = { ROSTER_MAGIC, ROSTER_VERSION, sizeof(struct roster_row),
		engine->keeper.page->keeper_pid, { 0 } };

	read_boot_id(header.boot_id);
	return pwrite(engine->roster.fd, &header, sizeof header, 0) == sizeof header;
}

void roster_begin(struct engine *engine)
{
	struct roster *roster = &engine->roster;
	char *path = memory_format("%s.new", roster->path);

	unlink(path);
	roster->fd = open(path, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, ROSTER_MODE);
	if (roster->fd >= 0 && !write_header(engine))
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

void roster_know(struct member *member)
{
	member->noted = UINT32_MAX;
}

static void know_all(struct engine *engine)
{
	struct roster_row row;

	for (uint32_t seat = 0; seat < engine->store->seat_top; seat++)
		if (engine->members[seat] && read_row(engine->roster.fd, seat, sizeof row, &row) && row.service[0])
			roster_know(engine->members[seat]);
}

/* The keeper may be another one than before. */
bool roster_resume(struct engine *engine)
{
	struct roster *roster = &engine->roster;
	struct header header;

	roster->fd = open(roster->path, O_RDWR | O_NOFOLLOW | O_NONBLOCK | O_CLOEXEC);
	if (roster->fd >= 0 &&
		!(check_header(roster->fd, &header) && header.row_size == sizeof(struct roster_row) && write_header(engine)))
		roster_close(roster);
	if (roster->fd >= 0)
		know_all(engine);
	return roster->fd >= 0;
}

static struct roster_row describe(const struct engine *engine, const struct member *member)
{
	const struct instance *now = &member->now;
	const struct life *life = member->life < 0 ? NULL : &engine->store->lives[member->life];
	struct roster_row row = { .life = now->life,
		.index = now->index,
		.state = now->state,
		.wanted = now->wanted,
		.has_death = now->has_death,
		.death_unwritten = now->death_unwritten,
		.started_us = now->started_us,
		.restarts = now->restarts,
		.death = now->death };

	if (now->pid && life) {
		row.pid = now->pid;
		row.state = now->gates & GATES_OF_READY ? STATE_RUNNING : STATE_READY;
		row.serial = life->serial;
		row.origin = life->origin;
		row.after_us = life->began_boot_us;
		row.before_us = life->there_boot_us;
	}
	memcpy(row.launched_as, engine->store->seats[member->seat].launched_as, DIGEST_SIZE);
	memcpy(row.service, now->service, sizeof row.service);
	return row;
}

/* What a row says that changes in the course of a life: no two that differ in it are the same. */
static uint32_t sum_up(const struct roster_row *row)
{
	return 1u | row->state << 1 | (uint32_t)row->wanted << 8 | (uint32_t)row->death_unwritten << 9 |
	       (uint32_t)(row->pid != 0) << 10;
}

/* A full disk costs no more than that a later run would not find it. */
static void write_row(const struct roster *roster, uint32_t seat, const struct roster_row *row)
{
	if (pwrite(roster->fd, row, sizeof *row, row_offset(seat)) != sizeof *row)
		log_line("%s: %m", roster->path);
}

void roster_note(struct engine *engine, struct member *member)
{
	if (engine->roster.fd < 0 || (!member->now.life && !member->now.wanted && !member->noted))
		return;
	struct roster_row row = describe(engine, member);
	uint32_t sum = sum_up(&row);
	/* that of one that is about to be started again is overwritten soon, but for its death */
	bool is_passing = row.state == STATE_STARTING && !row.death_unwritten;

	if (is_passing || (sum == member->noted && row.life == member->noted_life))
		return;
	member->noted = sum;
	member->noted_life = row.life;
	write_row(&engine->roster, member->seat, &row);
}

void roster_forget(struct engine *engine, const struct member *member)
{
	static const struct roster_row nobody;

	if (engine->roster.fd >= 0 && member->noted)
		write_row(&engine->roster, member->seat, &nobody);
}

void roster_remove(struct roster *roster)
{
	unlink(roster->path);
}

void roster_close(struct roster *roster)
{
	close_if_open(roster->fd);
	roster->fd = -1;
}
