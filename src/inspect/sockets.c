#include "inspect/sockets.h"

#include <arpa/inet.h>
#include <linux/inet_diag.h>
#include <linux/netlink.h>
#include <linux/rtnetlink.h>
#include <linux/sock_diag.h>
#include <linux/tcp.h>
#include <linux/unix_diag.h>
#include <netinet/in.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "model/sample.h"

enum { SOCKETS_MOST = 1 << 20,
	REPLY_SIZE = 256 * 1024,
	STATE_LISTEN = 10, /* of TCP, and of unix sockets as well */
	STATE_TIME_WAIT = 6 };

static struct socket_row *add(struct sockets *sockets)
{
	if (sockets->count == sockets->room) {
		sockets->room = sockets->room ? sockets->room * 2 : 256;
		sockets->rows = memory_resize(sockets->rows, sockets->room, sizeof *sockets->rows);
	}
	struct socket_row *row = &sockets->rows[sockets->count++];
	*row = (struct socket_row){ .in_queued = SAMPLE_UNKNOWN,
		.out_queued = SAMPLE_UNKNOWN,
		.in_bytes = SAMPLE_UNKNOWN,
		.out_bytes = SAMPLE_UNKNOWN,
		.resent = SAMPLE_UNKNOWN,
		.unanswered = SAMPLE_UNKNOWN,
		.rtt_ms = -1 };
	return row;
}

/* ---- unix ---- */

/* An abstract name begins with NUL: it is written with @. */
static void copy_name(char out[INSIDE_NAME_SIZE], const char *name, size_t size)
{
	snprintf(out, INSIDE_NAME_SIZE, "%s%.*s", size && !name[0] ? "@" : "", (int)(size && !name[0] ? size - 1 : size),
		size && !name[0] ? name + 1 : name);
}

static void take_unix_attribute(struct socket_row *row, const struct rtattr *attribute)
{
	struct unix_diag_rqlen queues;
	uint32_t peer;

	switch (attribute->rta_type) {
	case UNIX_DIAG_PEER:
		memcpy(&peer, RTA_DATA(attribute), sizeof peer);
		row->peer_inode = peer;
		break;
	case UNIX_DIAG_RQLEN:
		memcpy(&queues, RTA_DATA(attribute), sizeof queues);
		row->in_queued = queues.udiag_rqueue;
		row->out_queued = row->is_listening ? SAMPLE_UNKNOWN : queues.udiag_wqueue;
		break;
	case UNIX_DIAG_NAME:
		copy_name(row->local, RTA_DATA(attribute), RTA_PAYLOAD(attribute));
		break;
	default:
		break;
	}
}

static void take_unix(struct sockets *sockets, const struct nlmsghdr *header)
{
	const struct unix_diag_msg *message = NLMSG_DATA(header);
	int size = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);
	struct socket_row *row = add(sockets);

	row->transport = PEER_UNIX;
	row->inode = message->udiag_ino;
	row->is_listening = message->udiag_state == STATE_LISTEN;
	for (const struct rtattr *at = (const void *)(message + 1); RTA_OK(at, size); at = RTA_NEXT(at, size))
		take_unix_attribute(row, at);
}

/* ---- TCP ---- */

static void format_address(char out[INSIDE_NAME_SIZE], int family, const void *address, uint16_t port)
{
	char text[INET6_ADDRSTRLEN] = "?";

	/* a socket of both kinds has the other end's address in other clothes */
	if (family == AF_INET6 && IN6_IS_ADDR_V4MAPPED((const struct in6_addr *)address)) {
		family = AF_INET;
		address = (const unsigned char *)address + 12;
	}
	inet_ntop(family, address, text, sizeof text);
	snprintf(out, INSIDE_NAME_SIZE, family == AF_INET6 ? "[%s]:%u" : "%s:%u", text, ntohs(port));
}

static void take_tcp_info(struct socket_row *row, const void *data, size_t size)
{
	struct tcp_info info = { 0 };

	memcpy(&info, data, size < sizeof info ? size : sizeof info);
	row->in_bytes = info.tcpi_bytes_received;
	row->out_bytes = info.tcpi_bytes_acked ? info.tcpi_bytes_acked - 1 : 0; /* the first is the SYN */
	row->resent = info.tcpi_total_retrans;
	row->unanswered = info.tcpi_retransmits;
	row->rtt_ms = info.tcpi_rtt ? info.tcpi_rtt / 1000.0 : -1;
}

static void take_tcp(struct sockets *sockets, const struct nlmsghdr *header)
{
	const struct inet_diag_msg *message = NLMSG_DATA(header);
	int size = (int)header->nlmsg_len - (int)NLMSG_LENGTH(sizeof *message);

	if (message->idiag_state == STATE_TIME_WAIT || !message->idiag_inode)
		return;
	struct socket_row *row = add(sockets);
	row->transport = PEER_TCP;
	row->inode = message->idiag_inode;
	row->is_listening = message->idiag_state == STATE_LISTEN;
	row->in_queued = message->idiag_rqueue;
	row->out_queued = row->is_listening ? SAMPLE_UNKNOWN : message->idiag_wqueue;
	format_address(row->local, message->idiag_family, message->id.idiag_src, message->id.idiag_sport);
	if (!row->is_listening)
		format_address(row->remote, message->idiag_family, message->id.idiag_dst, message->id.idiag_dport);
	for (const struct rtattr *at = (const void *)(message + 1); RTA_OK(at, size); at = RTA_NEXT(at, size))
		if (at->rta_type == INET_DIAG_INFO && !row->is_listening)
			take_tcp_info(row, RTA_DATA(at), RTA_PAYLOAD(at));
}

/* ---- asking ---- */

typedef void take_function(struct sockets *sockets, const struct nlmsghdr *header);

/* False: that was the last of it. */
static bool take_reply(struct sockets *sockets, const char *reply, ssize_t size, take_function *take)
{
	for (const struct nlmsghdr *at = (const void *)reply; NLMSG_OK(at, size); at = NLMSG_NEXT(at, size)) {
		if (at->nlmsg_type == NLMSG_DONE || at->nlmsg_type == NLMSG_ERROR || sockets->count >= SOCKETS_MOST)
			return false;
		take(sockets, at);
	}
	return true;
}

static void ask(struct sockets *sockets, void *request, size_t size, take_function *take)
{
	int fd = socket(AF_NETLINK, SOCK_RAW | SOCK_CLOEXEC, NETLINK_SOCK_DIAG);
	struct timeval patience = { .tv_sec = 2 };
	char *reply = memory_zeroed(1, REPLY_SIZE);
	ssize_t got = fd < 0 ? -1 : send(fd, request, size, 0);

	if (got > 0)
		setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
	while (got > 0) {
		got = recv(fd, reply, REPLY_SIZE, 0);
		if (got > 0 && !take_reply(sockets, reply, got, take))
			break;
	}
	free(reply);
	close_if_open(fd);
}

static void ask_unix(struct sockets *sockets)
{
	struct {
		struct nlmsghdr header;
		struct unix_diag_req request;
	} message = {
		.header = { .nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = AF_UNIX,
			.udiag_states = UINT32_MAX,
			.udiag_show = UDIAG_SHOW_NAME | UDIAG_SHOW_PEER | UDIAG_SHOW_RQLEN },
	};

	ask(sockets, &message, sizeof message, take_unix);
}

static void ask_tcp(struct sockets *sockets, uint8_t family)
{
	struct {
		struct nlmsghdr header;
		struct inet_diag_req_v2 request;
	} message = {
		.header = { .nlmsg_len = sizeof message, .nlmsg_type = SOCK_DIAG_BY_FAMILY, .nlmsg_flags = NLM_F_REQUEST | NLM_F_DUMP },
		.request = { .sdiag_family = family,
			.sdiag_protocol = IPPROTO_TCP,
			.idiag_ext = 1 << (INET_DIAG_INFO - 1),
			.idiag_states = UINT32_MAX },
	};

	ask(sockets, &message, sizeof message, take_tcp);
}

static int compare(const void *a, const void *b)
{
	const struct socket_row *one = a, *other = b;

	return (one->inode > other->inode) - (one->inode < other->inode);
}

/* The other end of a connection within this machine has the same addresses, changed over. */
static int compare_ends(const struct socket_row *one, const char *local, const char *remote)
{
	int order = strcmp(one->local, local);

	return order ? order : strcmp(one->remote, remote);
}

static int compare_rows(const void *a, const void *b)
{
	const struct socket_row *const *one = a, *const *other = b;

	return compare_ends(*one, (*other)->local, (*other)->remote);
}

static int compare_mirror(const void *key, const void *item)
{
	const struct socket_row *mirror = key, *const *row = item;

	return -compare_ends(*row, mirror->remote, mirror->local);
}

static void pair_tcp(struct sockets *sockets)
{
	struct socket_row **rows = memory_zeroed(sockets->count + 1, sizeof *rows);
	size_t count = 0;

	for (size_t i = 0; i < sockets->count; i++)
		if (sockets->rows[i].transport == PEER_TCP && !sockets->rows[i].is_listening)
			rows[count++] = &sockets->rows[i];
	qsort(rows, count, sizeof *rows, compare_rows);
	for (size_t i = 0; i < count; i++) {
		struct socket_row **found = bsearch(rows[i], rows, count, sizeof *rows, compare_mirror);
		if (found)
			rows[i]->peer_inode = (*found)->inode;
	}
	free(rows);
}

void sockets_read(struct sockets *sockets)
{
	*sockets = (struct sockets){ 0 };
	ask_unix(sockets);
	ask_tcp(sockets, AF_INET);
	ask_tcp(sockets, AF_INET6);
	if (!sockets->count)
		return;
	pair_tcp(sockets);
	qsort(sockets->rows, sockets->count, sizeof *sockets->rows, compare);
}

void sockets_finish(struct sockets *sockets)
{
	free(sockets->rows);
	*sockets = (struct sockets){ 0 };
}

const struct socket_row *sockets_find(const struct sockets *sockets, uint64_t inode)
{
	struct socket_row wanted = { .inode = inode };

	return sockets->count ? bsearch(&wanted, sockets->rows, sockets->count, sizeof wanted, compare) : NULL;
}
