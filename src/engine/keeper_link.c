#include "engine/keeper_link.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/memory.h"

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
	return claim_all(link, err);
}

int keeper_link_take(struct keeper_link *link, uint32_t slot, unsigned kind)
{
	if (slot >= link->inherited_count)
		return -1;
	int fd = link->inherited[slot][kind] - 1;
	link->inherited[slot][kind] = 0;
	return fd;
}

static bool drop_slot(int32_t places[KEEPER_KINDS])
{
	bool any = false;

	for (unsigned kind = 0; kind < KEEPER_KINDS; kind++) {
		if (!places[kind])
			continue;
		close(places[kind] - 1);
		any = true;
	}
	return any;
}

void keeper_link_drop_rest(struct keeper_link *link)
{
	for (uint32_t slot = 0; slot < link->inherited_count; slot++)
		if (drop_slot(link->inherited[slot]))
			keeper_link_delete(link, slot);
	free(link->inherited);
	link->inherited = NULL;
	link->inherited_count = 0;
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
	return send_message(link, &message, fds, count);
}

bool keeper_link_delete(struct keeper_link *link, uint32_t slot)
{
	return send_message(link,
		&(struct keeper_message){ .operation = KEEPER_DELETE, .slot = slot }, NULL, 0);
}

bool keeper_link_seen(struct keeper_link *link, uint64_t count)
{
	return send_message(link,
		&(struct keeper_message){ .operation = KEEPER_SEEN, .argument = count }, NULL, 0);
}

bool keeper_link_bye(struct keeper_link *link)
{
	return send_message(link, &(struct keeper_message){ .operation = KEEPER_BYE }, NULL, 0);
}
