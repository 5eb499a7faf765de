#include "inspect/roll.h"

#include <errno.h>

#ifdef HAVE_BPF

#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "kernel/roll.skel.h"

struct roll {
	struct roll_bpf *program; /* owned */
};

enum { OWN_MOST = 1024 };

static int begin(const struct roll *roll, int32_t pid)
{
	union bpf_iter_link_info which = { .task.pid = (uint32_t)pid };
	union bpf_attr link = { .link_create = { .prog_fd = (uint32_t)roll->program->progs.roll.prog_fd,
					.attach_type = BPF_TRACE_ITER,
					.iter_info = (uintptr_t)&which,
					.iter_info_len = sizeof which } };
	int link_fd = (int)syscall(SYS_bpf, BPF_LINK_CREATE, &link, sizeof link);
	union bpf_attr iterator = { .iter_create.link_fd = (uint32_t)link_fd };

	if (link_fd < 0)
		return -1;
	int fd = (int)syscall(SYS_bpf, BPF_ITER_CREATE, &iterator, sizeof iterator);
	close(link_fd);
	return fd;
}

static int compare(const void *a, const void *b)
{
	const struct roll_entry *one = a, *other = b;

	return (one->tid > other->tid) - (one->tid < other->tid);
}

/* A thread that is not of our pid namespace, or of no namespace any more, has no number: it comes first. */
static size_t tidy(struct roll_entry *entries, size_t count)
{
	size_t nameless = 0, sorted = 1;

	while (sorted < count && entries[sorted - 1].tid < entries[sorted].tid)
		sorted++;
	if (sorted < count)
		qsort(entries, count, sizeof *entries, compare);
	while (nameless < count && entries[nameless].tid <= 0)
		nameless++;
	if (nameless)
		memmove(entries, entries + nameless, (count - nameless) * sizeof *entries);
	return count - nameless;
}

size_t roll_call(struct roll *roll, int32_t pid, struct roll_entry *out, size_t most)
{
	size_t room = most * sizeof *out, used = 0;
	int fd = begin(roll, pid);
	ssize_t got = fd < 0 ? -1 : 0;

	while (fd >= 0 && used < room && ((got = read(fd, (char *)out + used, room - used)) > 0 || (got < 0 && errno == EINTR)))
		used += got > 0 ? (size_t)got : 0;
	close_if_open(fd);
	return got < 0 || used % sizeof *out ? 0 : tidy(out, used / sizeof *out);
}

/* Does it tell of this very process, and of no other? An older kernel would tell of everybody. */
static bool is_right(struct roll *roll)
{
	struct roll_entry *own = memory_zeroed(OWN_MOST, sizeof *own);
	size_t count = roll_call(roll, getpid(), own, OWN_MOST);
	struct stat st;
	bool is_whole = stat("/proc/self/task", &st) == 0 && st.st_nlink == count + 2;
	bool is_ours = count && own[0].tid == getpid() && own[0].turns;

	free(own);
	return is_whole && is_ours;
}

struct roll *roll_create(struct error *err)
{
	struct roll_bpf *program = roll_bpf__open_and_load();

	if (!program) {
		int why = errno;
		error_set(err, why, "%s", why == EPERM || why == EACCES ? "it takes CAP_BPF and CAP_PERFMON" : strerror(why));
		return NULL;
	}
	struct roll *roll = memory_zeroed(1, sizeof *roll);
	roll->program = program;
	if (is_right(roll))
		return roll;
	error_set(err, ENOSYS, "it takes Linux 6.1 or newer, with BTF");
	roll_destroy(roll);
	return NULL;
}

void roll_destroy(struct roll *roll)
{
	if (!roll)
		return;
	roll_bpf__destroy(roll->program);
	free(roll);
}

#else

struct roll *roll_create(struct error *err)
{
	error_set(err, ENOTSUP, "it was not built in");
	return NULL;
}

void roll_destroy(struct roll *roll)
{
	(void)roll;
}

size_t roll_call(struct roll *roll, int32_t pid, struct roll_entry *out, size_t most)
{
	(void)roll, (void)pid, (void)out, (void)most;
	return 0;
}

#endif
