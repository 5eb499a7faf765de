#include "inspect/chart.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "procfs/stat.h"

enum { ANCESTORS_MOST = 32 };

struct drawing {
	struct chart *chart;
	const struct study *studies;
	size_t count;
	const int32_t *left_out;
	size_t left_out_count;
};

static bool is_drawn(const struct drawing *drawing, int32_t pid)
{
	for (size_t i = 0; i < drawing->count; i++)
		if (drawing->studies[i].pid == pid)
			return true;
	return false;
}

/* Whose process it is: its own, or that of the nearest above it; 0: somebody else's. */
static int32_t find_owner(const struct drawing *drawing, int32_t pid)
{
	struct proc_stat stat;

	for (int i = 0; i < ANCESTORS_MOST && pid > 1; i++) {
		if (is_drawn(drawing, pid))
			return pid;
		if (!proc_stat_read(pid, &stat))
			break;
		pid = stat.parent;
	}
	return 0;
}

/* Somebody of them listens there: the same path, or the same port. */
static bool is_listened_at(const struct drawing *drawing, enum peer_transport transport, const char *address)
{
	const char *colon = strrchr(address, ':');

	for (size_t i = 0; *address && i < drawing->count; i++)
		for (size_t k = 0; k < drawing->studies[i].peer_count; k++) {
			const struct peer_report *peer = &drawing->studies[i].peers[k];
			const char *at = strrchr(peer->local, ':');
			if (!peer->is_listening || peer->transport != transport)
				continue;
			if (transport == PEER_TCP ? at && colon && strcmp(at, colon) == 0 : strcmp(peer->local, address) == 0)
				return true;
		}
	return false;
}

/* Both ends of a conversation within them see it: it is told by the one that writes, or that connected. */
static bool is_other_end(const struct drawing *drawing, int32_t from, int32_t to, const struct peer_report *peer)
{
	if (!to)
		return false;
	if (peer->transport == PEER_PIPE)
		return !peer->writes;
	if (is_listened_at(drawing, peer->transport, peer->remote))
		return false;
	return is_listened_at(drawing, peer->transport, peer->local) || from > to;
}

static bool is_left_out(const struct drawing *drawing, const struct peer_report *peer)
{
	for (size_t i = 0; peer->transport == PEER_PIPE && peer->pid && i < drawing->left_out_count; i++)
		if (drawing->left_out[i] == peer->pid)
			return true;
	return false;
}

static void add_edge(struct drawing *drawing, int32_t from, const struct peer_report *peer)
{
	struct chart *chart = drawing->chart;
	int32_t to = peer->pid ? find_owner(drawing, peer->pid) : 0;

	if (to == from || is_left_out(drawing, peer) || is_other_end(drawing, from, to, peer) || chart->count == CHART_EDGES_MOST)
		return;
	if (chart->count == chart->room) {
		chart->room = chart->room ? chart->room * 2 : 32;
		chart->edges = memory_resize(chart->edges, chart->room, sizeof *chart->edges);
	}
	chart->edges[chart->count++] = (struct chart_edge){ from, to, *peer };
}

void chart_draw(struct chart *chart, const struct study *studies, size_t count, const int32_t *left_out, size_t left_out_count)
{
	struct drawing drawing = { chart, studies, count, left_out, left_out_count };

	chart->count = 0;
	for (size_t i = 0; i < count; i++)
		for (size_t k = 0; k < studies[i].peer_count; k++)
			add_edge(&drawing, studies[i].pid, &studies[i].peers[k]);
}

void chart_finish(struct chart *chart)
{
	free(chart->edges);
	*chart = (struct chart){ 0 };
}
