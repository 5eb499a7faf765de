#include "cli/tell.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "inspect/holdings.h"
#include "procfs/file.h"
#include "protocol/holdings.h"

enum { BYTES_MOST = 256 * 1024,
	WORDS_MOST = 8192,
	LOCK_TEXT_SIZE = 8192 };

static void put_safe(struct text *out, const char *text)
{
	utf8_append_safe(out, text, strlen(text), false);
}

/* ---- files ---- */

static bool tell_files(int32_t pid, struct text *out, struct error *err)
{
	char path[PROC_PATH_SIZE];
	struct study study = { .pid = pid };

	snprintf(path, sizeof path, PROC_ROOT "/%d/fd", (int)pid);
	if (access(path, R_OK) < 0)
		return error_errno(err, "its open files");
	holdings_read(&study);
	holdings_describe(out, &study);
	text_format(out, "%zu open\n", study.file_count + study.files_left_out);
	study_finish(&study);
	return true;
}

/* ---- locks ---- */

struct locks {
	struct text *out; /* borrowed */
	int32_t pid;
	unsigned count;
};

static void put_link(struct text *out, const char *path)
{
	char name[PATH_MAX];
	ssize_t length = readlink(path, name, sizeof name - 1);

	if (length >= 0)
		utf8_append_safe(out, name, (size_t)length, false);
	else
		text_format(out, "? %s", strerror(errno));
}

/* "lock:\t1: FLOCK  ADVISORY  WRITE 359 00:13:11691 0 EOF" */
static void tell_lock(struct locks *locks, int fd, const char *line)
{
	char kind[16], mode[16], from[24], to[24], path[PROC_PATH_SIZE];

	if (sscanf(line, "lock: %*u: %15s %*s %15s %*s %*s %23s %23s", kind, mode, from, to) != 4)
		return;
	if (!locks->count++)
		text_format(locks->out, "%5s %-7s %-5s %12s %12s  %s\n", "FD", "KIND", "FOR", "FROM", "TO", "NAME");
	text_format(locks->out, "%5d %-7s %-5s %12s %12s  ", fd, kind, mode, from, to);
	snprintf(path, sizeof path, PROC_ROOT "/%d/fd/%d", (int)locks->pid, fd);
	put_link(locks->out, path);
	text_putc(locks->out, '\n');
}

static void visit_file(void *context, int fd)
{
	struct locks *locks = context;
	char path[PROC_PATH_SIZE], text[LOCK_TEXT_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/fdinfo/%d", (int)locks->pid, fd);
	if (proc_file_read(AT_FDCWD, path, text, sizeof text) <= 0)
		return;
	for (const char *line = text; (line = strstr(line, "lock:")); line++)
		tell_lock(locks, fd, line);
}

static bool tell_locks(int32_t pid, struct text *out, struct error *err)
{
	struct locks locks = { .out = out, .pid = pid };
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/fdinfo", (int)pid);
	if (!proc_folder_scan(AT_FDCWD, path, visit_file, &locks))
		return error_errno(err, "its locks");
	if (!locks.count)
		text_puts(out, "it holds no locks on files\n");
	return true;
}

/* ---- what it was started with ---- */

static bool add_bytes(void *context, const char *bytes, size_t size)
{
	return text_append(context, bytes, size);
}

/* Words that are each ended by a NUL. */
static bool read_words(int32_t pid, const char *name, struct text *bytes, struct error *err)
{
	char path[PROC_PATH_SIZE];

	text_init(bytes, BYTES_MOST);
	snprintf(path, sizeof path, PROC_ROOT "/%d/%s", (int)pid, name);
	if (proc_file_scan(AT_FDCWD, path, BYTES_MOST, add_bytes, bytes))
		return true;
	text_finish(bytes);
	return error_errno(err, "its %s", name);
}

static size_t split_words(const struct text *bytes, const char *words[WORDS_MOST])
{
	const char *at = text_string(bytes), *end = at + bytes->size;
	size_t count = 0;

	for (; at < end && count < WORDS_MOST; at += strlen(at) + 1)
		words[count++] = at;
	return count;
}

static int compare_words(const void *a, const void *b)
{
	return strcmp(*(const char *const *)a, *(const char *const *)b);
}

static bool tell_environment(int32_t pid, struct text *out, struct error *err)
{
	const char **words = memory_zeroed(WORDS_MOST, sizeof *words);
	struct text bytes;
	bool ok = read_words(pid, "environ", &bytes, err);
	size_t count = ok ? split_words(&bytes, words) : 0;

	qsort(words, count, sizeof *words, compare_words);
	for (size_t i = 0; i < count; i++) {
		put_safe(out, words[i]);
		text_putc(out, '\n');
	}
	if (ok && !count)
		text_puts(out, "it has no environment, or has written over it\n");
	if (ok)
		text_finish(&bytes);
	free(words);
	return ok;
}

static void tell_link(struct text *out, int32_t pid, const char *title, const char *name)
{
	char path[PROC_PATH_SIZE];

	snprintf(path, sizeof path, PROC_ROOT "/%d/%s", (int)pid, name);
	text_format(out, "%-8s ", title);
	put_link(out, path);
	text_putc(out, '\n');
}

/* On one line as it was given, and then each by itself, so that it is seen where one ends. */
static bool tell_arguments(int32_t pid, struct text *out, struct error *err)
{
	const char **words = memory_zeroed(WORDS_MOST, sizeof *words);
	struct text bytes;
	bool ok = read_words(pid, "cmdline", &bytes, err);
	size_t count = ok ? split_words(&bytes, words) : 0;

	tell_link(out, pid, "program", "exe");
	tell_link(out, pid, "folder", "cwd");
	text_puts(out, "command ");
	for (size_t i = 0; i < count; i++) {
		text_putc(out, ' ');
		put_safe(out, words[i]);
	}
	text_puts(out, count ? "\n" : " none\n");
	for (size_t i = 0; i < count; i++) {
		text_format(out, "%7zu  ", i);
		put_safe(out, words[i]);
		text_putc(out, '\n');
	}
	if (ok)
		text_finish(&bytes);
	free(words);
	return ok;
}

static bool (*const tells[TOP_TAB_COUNT])(int32_t pid, struct text *out, struct error *err) = {
	[TOP_TAB_FILES] = tell_files,
	[TOP_TAB_LOCKS] = tell_locks,
	[TOP_TAB_ENVIRONMENT] = tell_environment,
	[TOP_TAB_ARGUMENTS] = tell_arguments,
};

bool tell_has(enum top_tab tab)
{
	return tells[tab] != NULL;
}

bool tell(enum top_tab tab, int32_t pid, struct text *out, struct error *err)
{
	return tells[tab](pid, out, err);
}
