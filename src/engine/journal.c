#include "engine/journal.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "protocol/row.h"

enum {
	JOURNAL_MODE = 0600,
	JOURNAL_MOST = 4 * 1024 * 1024, /* a file of this size is put aside */
	LINE_MOST = 4096,
};

static bool reopen(struct journal *journal, struct error *err)
{
	if (journal->fd >= 0)
		return true;
	journal->fd = open(
		journal->path, O_RDWR | O_CREAT | O_APPEND | O_CLOEXEC | O_NOFOLLOW, JOURNAL_MODE);
	return journal->fd >= 0 || error_errno(err, "%s", journal->path);
}

void journal_open(struct journal *journal, const char *dir)
{
	struct error err;

	journal->path = memory_format("%s/history.jsonl", dir);
	journal->fd = -1;
	reopen(journal, &err);
}

void journal_close(struct journal *journal)
{
	if (journal->fd >= 0)
		close(journal->fd);
	free(journal->path);
	*journal = (struct journal){ .fd = -1 };
}

static void put_aside(struct journal *journal)
{
	struct stat st;

	if (fstat(journal->fd, &st) < 0 || st.st_size < JOURNAL_MOST)
		return;
	char *older = memory_format("%s.1", journal->path);
	if (rename(journal->path, older) == 0) {
		close(journal->fd);
		journal->fd = -1;
	}
	free(older);
}

bool journal_add(struct journal *journal, const char *service, unsigned instance,
	const struct death *death, struct error *err)
{
	if (journal->fd >= 0)
		put_aside(journal);
	if (!reopen(journal, err))
		return false;
	json_t *record = death_to_json(service, instance, death);
	char *line = json_dumps(record, JSON_COMPACT);
	json_decref(record);
	char *whole = memory_format("%s\n", line);
	free(line);
	size_t size = strlen(whole);
	off_t before = lseek(journal->fd, 0, SEEK_END);
	ssize_t done = write(journal->fd, whole, size);
	free(whole);
	if (done == (ssize_t)size)
		return true;
	int reason = done < 0 ? errno : ENOSPC;
	if (done > 0 && ftruncate(journal->fd, before) < 0)
		reason = errno; /* half a record: passed over when reading */
	errno = reason;
	return error_errno(err, "%s", journal->path);
}

/* Append the last `most` bytes of a file. */
static void read_tail(const char *path, size_t most, struct text *text)
{
	struct stat st;
	struct error err;
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NOFOLLOW);

	if (fd < 0)
		return;
	if (fstat(fd, &st) == 0 && (size_t)st.st_size > most)
		lseek(fd, st.st_size - (off_t)most, SEEK_SET);
	text_read_fd(text, fd, &err);
	close(fd);
}

struct filter {
	bool (*is_wanted)(void *context, const char *service, unsigned instance);
	void *context;
};

static json_t *parse_record(const char *line, size_t size, const struct filter *filter)
{
	json_t *record = json_loadb(line, size, 0, NULL);
	const char *service = json_string_value(json_object_get(record, "service"));
	json_t *instance = json_object_get(record, "instance");

	if (service && json_is_integer(instance) &&
		filter->is_wanted(filter->context, service, (unsigned)json_integer_value(instance)))
		return record;
	json_decref(record);
	return NULL;
}

/* From the last line backwards, until there are enough. */
static json_t *collect(const struct text *text, size_t limit, const struct filter *filter)
{
	json_t *newest_first = json_array(), *deaths = json_array();
	const char *start = text_string(text), *end = start + text->size;

	while (end > start && json_array_size(newest_first) < limit) {
		const char *line = memrchr(start, '\n', (size_t)(end - start - 1));
		line = line ? line + 1 : start;
		json_t *record = parse_record(line, (size_t)(end - line), filter);
		if (record)
			json_array_append_new(newest_first, record);
		end = line;
	}
	for (size_t i = json_array_size(newest_first); i > 0; i--)
		json_array_append(deaths, json_array_get(newest_first, i - 1));
	json_decref(newest_first);
	return deaths;
}

json_t *journal_read(struct journal *journal, size_t limit,
	bool (*is_wanted)(void *context, const char *service, unsigned instance), void *context)
{
	struct filter filter = { is_wanted, context };
	size_t most = limit < SIZE_MAX / LINE_MOST ? limit * LINE_MOST : SIZE_MAX;
	struct text text;

	if (most > JOURNAL_MOST)
		most = JOURNAL_MOST;
	text_init(&text, (size_t)JOURNAL_MOST * 4);
	char *older = memory_format("%s.1", journal->path);
	read_tail(older, most, &text);
	free(older);
	read_tail(journal->path, most, &text);
	json_t *deaths = collect(&text, limit, &filter);
	text_finish(&text);
	return deaths;
}

struct looked_for {
	const char *service;
	unsigned instance;
};

static bool is_looked_for(void *context, const char *service, unsigned instance)
{
	const struct looked_for *wanted = context;

	return instance == wanted->instance && strcmp(service, wanted->service) == 0;
}

bool journal_has(struct journal *journal, const char *service, unsigned instance,
	const struct death *death)
{
	struct looked_for wanted = { service, instance };
	json_t *deaths = journal_read(journal, 1, is_looked_for, &wanted);
	struct death newest;
	struct error err;

	bool has = json_array_size(deaths) == 1 &&
		   death_from_json(&newest, json_array_get(deaths, 0), &err) &&
		   newest.life == death->life && newest.pid == death->pid &&
		   newest.started_us == death->started_us;
	json_decref(deaths);
	return has;
}
