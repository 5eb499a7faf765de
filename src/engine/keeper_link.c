#include "engine/keeper_link.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

extern char **environ;

static bool close_on_exec(int fd, struct error *err)
{
	if (fcntl(fd, F_SETFD, FD_CLOEXEC) < 0)
		return error_errno(err, "descriptor %d from the keeper", fd);
	return true;
}

/* What was inherited must not reach any child. */
static bool claim_all(struct keeper_link *link, struct error *err)
{
	const struct keeper_page *page = link->page;

	if (!close_on_exec(page->wake_fd, err) || !close_on_exec(page->state_fd, err))
		return false;
	link->inherited_count = page->slot_top;
	link->inherited = memory_zeroed(page->slot_top, sizeof *link->inherited);
	memcpy(link->inherited, page->fds, page->slot_top * sizeof *link->inherited);
	for (unsigned slot = 0; slot < page->slot_top; slot++)
		for (unsigned kind = 0; kind < KEEPER_KINDS; kind++)
			if (page->fds[slot][kind] && !close_on_exec(page->fds[slot][kind] - 1, err))
				return false;
	return true;
}

/* What a process runs, by name: the file itself may have been replaced meanwhile. NULL: not to be known. */
static char *find_program(pid_t pid)
{
	static const char gone[] = " (deleted)";
	char link[32], path[PATH_MAX];

	snprintf(link, sizeof link, "/proc/%d/exe", (int)pid);
	ssize_t size = readlink(link, path, sizeof path - 1);
	if (size <= 0)
		return NULL;
	path[size] = '\0';
	size_t length = (size_t)size, tail = sizeof gone - 1;
	if (length > tail && strcmp(path + length - tail, gone) == 0)
		path[length - tail] = '\0';
	return memory_copy(path);
}

static int open_program(pid_t pid)
{
	char path[32];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	return open(path, O_PATH | O_CLOEXEC);
}

bool keeper_link_open(struct keeper_link *link, struct error *err)
{
	const char *variable = getenv(KEEPER_VARIABLE);
	int page_fd;

	if (!variable || sscanf(variable, "%d %d", &page_fd, &link->control_fd) != 2)
		return error_set(err, 0, "the engine is started by its keeper: use `thrum up`");
	unsetenv(KEEPER_VARIABLE);
	if (!close_on_exec(page_fd, err) || !close_on_exec(link->control_fd, err))
		return false;
	link->page = mmap(NULL, sizeof *link->page, PROT_READ, MAP_SHARED, page_fd, 0);
	if (link->page == MAP_FAILED)
		return error_errno(err, "mapping the keeper's page");
	if (link->page->magic != KEEPER_MAGIC || link->page->abi != KEEPER_ABI)
		return error_set(err, 0, "the keeper is of another version: thrum down, then up");
	link->places = memory_zeroed(KEEPER_SLOTS, sizeof *link->places);
	link->program_fd = open_program(link->page->keeper_pid);
	return claim_all(link, err);
}

int keeper_link_take(struct keeper_link *link, uint32_t slot, unsigned kind)
{
	int fd = slot < link->inherited_count ? link->inherited[slot][kind] - 1 : -1;

	if (fd < 0)
		return -1;
	link->inherited[slot][kind] = 0;
	link->places[slot][kind] = fd + 1;
	return fd;
}

void keeper_link_lend(struct keeper_link *link, uint32_t slot, unsigned kind, int fd)
{
	if (slot >= link->inherited_count) {
		uint32_t count = slot + 1;
		link->inherited = memory_resize(link->inherited, count, sizeof *link->inherited);
		memset(link->inherited + link->inherited_count, 0,
			(count - link->inherited_count) * sizeof *link->inherited);
		link->inherited_count = count;
	}
	if (link->inherited[slot][kind])
		close(link->inherited[slot][kind] - 1);
	link->inherited[slot][kind] = fd + 1;
}

int keeper_link_held(const struct keeper_link *link, uint32_t slot, unsigned kind)
{
	return link->places[slot][kind] - 1;
}

void keeper_link_closed(struct keeper_link *link, uint32_t slot, unsigned kind)
{
	link->places[slot][kind] = 0;
}

static bool drop_slot(int32_t places[KEEPER_KINDS])
{
	bool any = false;

	for (unsigned kind = 0; kind < KEEPER_KINDS; kind++) {
		if (!places[kind])
			continue;
		close(places[kind] - 1);
		places[kind] = 0;
		any = true;
	}
	return any;
}

void keeper_link_leave(struct keeper_link *link, uint32_t slot)
{
	if (slot < link->inherited_count)
		drop_slot(link->inherited[slot]);
}

void keeper_link_drop(struct keeper_link *link, uint32_t slot)
{
	if (drop_slot(link->inherited[slot]))
		keeper_link_delete(link, slot);
}

void keeper_link_drop_rest(struct keeper_link *link)
{
	for (uint32_t slot = 0; slot < link->inherited_count; slot++)
		keeper_link_drop(link, slot);
	free(link->inherited);
	link->inherited = NULL;
	link->inherited_count = 0;
}

static bool is_empty(const int32_t places[KEEPER_KINDS])
{
	for (unsigned kind = 0; kind < KEEPER_KINDS; kind++)
		if (places[kind])
			return false;
	return true;
}

char *keeper_link_program(void)
{
	return find_program(getpid());
}

static bool send_message(struct keeper_link *link, struct keeper_message *message,
	const int *fds, unsigned count)
{
	struct iovec vector = { message, sizeof *message };
	union {
		char bytes[CMSG_SPACE(sizeof(int) * KEEPER_KINDS)];
		struct cmsghdr aligned;
	} control = { 0 };
	struct msghdr header = { .msg_iov = &vector, .msg_iovlen = 1 };

	if (count) {
		header.msg_control = control.bytes;
		header.msg_controllen = CMSG_SPACE(count * sizeof(int));
		struct cmsghdr *part = CMSG_FIRSTHDR(&header);
		part->cmsg_level = SOL_SOCKET;
		part->cmsg_type = SCM_RIGHTS;
		part->cmsg_len = CMSG_LEN(count * sizeof(int));
		memcpy(CMSG_DATA(part), fds, count * sizeof(int));
	}
	while (sendmsg(link->control_fd, &header, MSG_NOSIGNAL) < 0)
		if (errno != EINTR)
			return false;
	return true;
}

bool keeper_link_put(struct keeper_link *link, uint32_t slot, const unsigned *kinds,
	const int *fds, unsigned count)
{
	struct keeper_message message = { .operation = KEEPER_PUT, .slot = slot };

	for (unsigned i = 0; i < count; i++)
		message.kinds |= 1u << kinds[i];
	if (!send_message(link, &message, fds, count))
		return false;
	for (unsigned i = 0; i < count; i++)
		link->places[slot][kinds[i]] = fds[i] + 1;
	return true;
}

bool keeper_link_delete(struct keeper_link *link, uint32_t slot)
{
	memset(link->places[slot], 0, sizeof link->places[slot]);
	return send_message(link,
		&(struct keeper_message){ .operation = KEEPER_DELETE, .slot = slot }, NULL, 0);
}

bool keeper_link_seen(struct keeper_link *link, uint64_t count)
{
	return send_message(link,
		&(struct keeper_message){ .operation = KEEPER_SEEN, .argument = count }, NULL, 0);
}

bool keeper_link_watch(struct keeper_link *link, int32_t pid, int32_t parent, int pidfd)
{
	return send_message(link,
		&(struct keeper_message){
			.operation = KEEPER_WATCH, .parent = parent, .argument = (uint64_t)pid },
		&pidfd, pidfd >= 0);
}

bool keeper_link_bye(struct keeper_link *link)
{
	return send_message(link, &(struct keeper_message){ .operation = KEEPER_BYE }, NULL, 0);
}

/* What is not open is not handed on: the next engine would stumble over it. */
static void leave_open(int32_t *place)
{
	if (*place && fcntl(*place - 1, F_SETFD, 0) < 0)
		*place = 0;
}

static void leave_all_open(struct keeper_link *link)
{
	fcntl(link->page->state_fd, F_SETFD, 0);
	for (unsigned slot = 0; slot < KEEPER_SLOTS; slot++)
		for (unsigned kind = 0; !is_empty(link->places[slot]) && kind < KEEPER_KINDS; kind++)
			leave_open(&link->places[slot][kind]);
}

static int write_manifest(struct keeper_link *link, uint64_t seen, const int32_t *pids, uint32_t pid_count)
{
	struct keeper_manifest *manifest;
	int fd = memfd_create("thrum-manifest", 0);

	if (fd < 0 || ftruncate(fd, sizeof *manifest) < 0)
		return -1;
	manifest = mmap(NULL, sizeof *manifest, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (manifest == MAP_FAILED)
		return -1;
	manifest->page = *link->page;
	memcpy(manifest->page.fds, link->places, sizeof manifest->page.fds);
	manifest->page.slot_top = KEEPER_SLOTS;
	while (manifest->page.slot_top > 0 && is_empty(link->places[manifest->page.slot_top - 1]))
		manifest->page.slot_top--;
	manifest->seen = seen;
	manifest->pid_count = pid_count < KEEPER_PIDS ? pid_count : KEEPER_PIDS;
	memcpy(manifest->pids, pids, manifest->pid_count * sizeof *pids);
	return fd;
}

void keeper_link_promote(struct keeper_link *link, const char *project, uint64_t seen,
	const int32_t *pids, uint32_t pid_count, struct error *err)
{
	char number[16], *thrum = keeper_link_program();
	char *argv[] = { (char *)"thrum-keeper", (char *)(uintptr_t)project, thrum, NULL };

	leave_all_open(link);
	int fd = write_manifest(link, seen, pids, pid_count);
	if (fd >= 0 && thrum && link->program_fd >= 0) {
		snprintf(number, sizeof number, "%d", fd);
		setenv(KEEPER_MANIFEST_VARIABLE, number, 1);
		execveat(link->program_fd, "", argv, environ, AT_EMPTY_PATH);
	}
	error_errno(err, "the keeper cannot be replaced");
	free(thrum);
}
