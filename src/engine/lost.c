#include "engine/lost.h"

#include <string.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"

enum { ROOM = 4 * 1024 * 1024 }; /* for some thousand */

/* A byte that a descriptor comes with. */
struct envelope {
	char byte;
	struct iovec piece;
	_Alignas(struct cmsghdr) char control[CMSG_SPACE(sizeof(int))];
	struct msghdr header;
};

static void envelope_init(struct envelope *envelope)
{
	memset(envelope, 0, sizeof *envelope);
	envelope->piece = (struct iovec){ &envelope->byte, 1 };
	envelope->header = (struct msghdr){ .msg_iov = &envelope->piece,
		.msg_iovlen = 1,
		.msg_control = envelope->control,
		.msg_controllen = sizeof envelope->control };
}

bool lost_make(struct lost *lost)
{
	int room = ROOM;

	if (socketpair(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0, lost->ends) < 0)
		return false;
	if (setsockopt(lost->ends[1], SOL_SOCKET, SO_SNDBUFFORCE, &room, sizeof room) < 0)
		setsockopt(lost->ends[1], SOL_SOCKET, SO_SNDBUF, &room, sizeof room);
	return true;
}

/* Each is one byte. */
void lost_restore(struct lost *lost, int from, int to)
{
	int count = 0;

	*lost = (struct lost){ .ends = { from, to } };
	if (from >= 0 && ioctl(from, FIONREAD, &count) == 0)
		lost->count = (unsigned)count;
}

void lost_close(struct lost *lost)
{
	for (int i = 0; i < 2; i++)
		close_if_open(lost->ends[i]);
	*lost = (struct lost){ .ends = { -1, -1 } };
}

void lost_add(struct lost *lost, int connection)
{
	struct envelope envelope;

	envelope_init(&envelope);
	struct cmsghdr *rights = CMSG_FIRSTHDR(&envelope.header);
	rights->cmsg_level = SOL_SOCKET;
	rights->cmsg_type = SCM_RIGHTS;
	rights->cmsg_len = CMSG_LEN(sizeof connection);
	memcpy(CMSG_DATA(rights), &connection, sizeof connection);
	lost->count += lost->ends[1] >= 0 && sendmsg(lost->ends[1], &envelope.header, MSG_NOSIGNAL) == 1;
	close(connection);
}

int lost_take(struct lost *lost)
{
	struct envelope envelope;
	int connection = -1;

	if (!lost->count)
		return -1;
	lost->count--;
	envelope_init(&envelope);
	if (recvmsg(lost->ends[0], &envelope.header, MSG_CMSG_CLOEXEC) < 0)
		return -1;
	struct cmsghdr *rights = CMSG_FIRSTHDR(&envelope.header);
	if (rights && rights->cmsg_type == SCM_RIGHTS)
		memcpy(&connection, CMSG_DATA(rights), sizeof connection);
	return connection;
}
