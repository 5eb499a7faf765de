#include "inspect/peers.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/owners.h"
#include "inspect/path.h"
#include "inspect/sockets.h"
#include "model/sample.h"
#include "procfs/file.h"

struct directory {
	struct sockets sockets;
	struct owners everybody;
};

struct directory *directory_create(void)
{
	struct directory *directory = memory_zeroed(1, sizeof *directory);

	sockets_read(&directory->sockets);
	owners_read(&directory->everybody, 0);
	return directory;
}

void directory_destroy(struct directory *directory)
{
	if (!directory)
		return;
	owners_finish(&directory->everybody);
	sockets_finish(&directory->sockets);
	free(directory);
}

static void take_process(struct peer_report *peer, int32_t pid)
{
	char path[INSPECT_PATH_SIZE];

	peer->pid = pid;
	if (proc_file_read(AT_FDCWD, inspect_path(path, pid, "comm"), peer->process, sizeof peer->process) > 0)
		peer->process[strcspn(peer->process, "\n")] = '\0';
}

/* Somebody else, if one can: an end that was inherited is open in several. */
static const struct owner *choose(const struct owner *owners, size_t count, int32_t not_pid)
{
	for (size_t i = 0; i < count; i++)
		if (owners[i].pid != not_pid)
			return &owners[i];
	return count ? owners : NULL;
}

static void take_socket(struct peer_report *peer, const struct socket_row *row, const struct directory *directory,
	int32_t pid)
{
	size_t count;

	peer->transport = row->transport;
	peer->is_listening = row->is_listening;
	peer->reads = peer->writes = true;
	peer->in_queued = row->in_queued;
	peer->out_queued = row->out_queued;
	peer->in_bytes = row->in_bytes;
	peer->out_bytes = row->out_bytes;
	peer->resent = row->resent;
	peer->unanswered = row->unanswered;
	peer->rtt_ms = row->rtt_ms;
	snprintf(peer->local, sizeof peer->local, "%s", row->local);
	snprintf(peer->remote, sizeof peer->remote, "%s", row->remote);
	const struct socket_row *other = row->peer_inode ? sockets_find(&directory->sockets, row->peer_inode) : NULL;
	const struct owner *owners = row->peer_inode ? owners_find(&directory->everybody, row->peer_inode, &count) : NULL;
	if (other && row->transport == PEER_UNIX) {
		peer->out_queued = other->in_queued; /* what it has not read is kept at its end */
		snprintf(peer->remote, sizeof peer->remote, "%s", other->local);
	}
	if (owners)
		take_process(peer, choose(owners, count, pid)->pid);
}

static void take_pipe(struct peer_report *peer, const struct owner *own, const struct directory *directory)
{
	size_t count = 0;
	const struct owner *ends = owners_find(&directory->everybody, own->inode, &count);

	peer->transport = PEER_PIPE;
	peer->reads = own->reads;
	peer->writes = own->writes;
	for (size_t i = 0; i < count && !peer->pid; i++)
		if (ends[i].pid != own->pid && (own->reads ? ends[i].writes : ends[i].reads))
			take_process(peer, ends[i].pid);
}

static bool take(struct peer_report *peer, const struct owner *own, const struct directory *directory)
{
	const struct socket_row *row = own->is_pipe ? NULL : sockets_find(&directory->sockets, own->inode);

	*peer = (struct peer_report){ .fd = own->fd,
		.in_queued = SAMPLE_UNKNOWN,
		.out_queued = SAMPLE_UNKNOWN,
		.in_bytes = SAMPLE_UNKNOWN,
		.out_bytes = SAMPLE_UNKNOWN,
		.in_rate = -1,
		.out_rate = -1,
		.rtt_ms = -1,
		.resent = SAMPLE_UNKNOWN,
		.resent_rate = -1,
		.unanswered = SAMPLE_UNKNOWN,
		.inode = own->inode };
	if (row)
		take_socket(peer, row, directory, own->pid);
	else if (own->is_pipe)
		take_pipe(peer, own, directory);
	return row || peer->pid;
}

static void take_all(struct study *study, const struct owners *own, const struct directory *directory)
{
	for (size_t i = 0; i < own->count && study->peer_count < INSIDE_PEERS_MOST; i++)
		study->peer_count += take(&study->peers[study->peer_count], &own->rows[i], directory);
}

void peers_find(struct study *study, const struct directory *directory)
{
	struct directory *made = NULL;
	struct owners own;

	owners_read(&own, study->pid);
	study->peers = memory_zeroed(own.count + 1, sizeof *study->peers);
	if (own.count && !directory)
		directory = made = directory_create();
	take_all(study, &own, directory);
	directory_destroy(made);
	owners_finish(&own);
}

static bool is_at(const struct socket_row *row, enum peer_transport transport, const char *place)
{
	const char *colon = strrchr(row->local, ':');

	if (row->transport != transport || !row->is_listening)
		return false;
	return strcmp(transport == PEER_UNIX || !colon ? row->local : colon + 1, place) == 0;
}

bool peers_holder(char *out, size_t size, enum peer_transport transport, const char *place)
{
	struct directory *directory = directory_create();
	struct peer_report peer = { 0 };
	size_t count;

	for (size_t i = 0; i < directory->sockets.count && !peer.pid; i++) {
		const struct socket_row *row = &directory->sockets.rows[i];
		const struct owner *owner =
			is_at(row, transport, place) ? owners_find(&directory->everybody, row->inode, &count) : NULL;
		if (owner)
			take_process(&peer, owner->pid);
	}
	if (peer.pid)
		snprintf(out, size, "%s (%d)", peer.process, (int)peer.pid);
	directory_destroy(directory);
	return peer.pid;
}
