/* Who talks to whom: the conversations of a project's processes, as a list or as a graph. */
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/units.h"
#include "base/utf8.h"
#include "base/clock.h"
#include "cli/cli.h"
#include "inspect/peers.h"
#include "inspect/stream.h"
#include "model/figure.h"
#include "model/sample.h"
#include "procfs/stat.h"
#include "protocol/value.h"

enum { LABEL_SIZE = 96,
	ANCESTORS_MOST = 32,
	WORD_MOST = 1024 };

/* A process of the project. */
struct place {
	int32_t pid;
	char name[LABEL_SIZE]; /* "web/0" */
	struct study study;    /* its peers; owned, as the next */
	struct streams streams;
};

struct edge {
	char from[LABEL_SIZE], to[LABEL_SIZE];
	struct peer_report peer; /* as `from` sees it */
};

struct chart {
	struct place *places; /* owned, as the edges */
	size_t place_count;
	struct edge *edges;
	size_t edge_count, edge_room;
	uint64_t span_ms;       /* that rates are told from; 0: they are not */
	int32_t engine, keeper; /* who read what everybody writes: no conversation */
};

/* ---- finding ---- */

static const struct place *find_place(const struct chart *chart, int32_t pid)
{
	for (size_t i = 0; i < chart->place_count; i++)
		if (chart->places[i].pid == pid)
			return &chart->places[i];
	return NULL;
}

/* Whose process it is: its own, or that of the nearest above it. */
static const struct place *find_owner(const struct chart *chart, int32_t pid)
{
	const struct place *place = NULL;
	struct proc_stat stat;

	for (int i = 0; i < ANCESTORS_MOST && pid > 1 && !(place = find_place(chart, pid)); i++) {
		if (!proc_stat_read(pid, &stat))
			break;
		pid = stat.parent;
	}
	return place;
}

/* Somebody of the project listens there: the same path, or the same port. */
static bool is_listened_at(const struct chart *chart, enum peer_transport transport, const char *address)
{
	const char *colon = strrchr(address, ':');

	for (size_t i = 0; *address && i < chart->place_count; i++)
		for (size_t k = 0; k < chart->places[i].study.peer_count; k++) {
			const struct peer_report *peer = &chart->places[i].study.peers[k];
			const char *at = strrchr(peer->local, ':');
			if (!peer->is_listening || peer->transport != transport)
				continue;
			if (transport == PEER_TCP ? at && colon && strcmp(at, colon) == 0 : strcmp(peer->local, address) == 0)
				return true;
		}
	return false;
}

/* Both ends of a conversation within the project see it: it is told by the one that writes, or that connected. */
static bool is_other_end(const struct chart *chart, const struct place *from, const struct place *to,
	const struct peer_report *peer)
{
	if (!to)
		return false;
	if (peer->transport == PEER_PIPE)
		return !peer->writes;
	if (is_listened_at(chart, peer->transport, peer->remote))
		return false;
	return is_listened_at(chart, peer->transport, peer->local) || from->pid > to->pid;
}

static void add_edge(struct chart *chart, const struct place *from, const struct peer_report *peer)
{
	const struct place *to = peer->pid ? find_owner(chart, peer->pid) : NULL;

	if (to == from || is_other_end(chart, from, to, peer))
		return;
	if (peer->pid && (peer->pid == chart->engine || peer->pid == chart->keeper))
		return;
	if (chart->edge_count == chart->edge_room) {
		chart->edge_room = chart->edge_room ? chart->edge_room * 2 : 32;
		chart->edges = memory_resize(chart->edges, chart->edge_room, sizeof *chart->edges);
	}
	struct edge *edge = &chart->edges[chart->edge_count++];
	*edge = (struct edge){ .peer = *peer };
	snprintf(edge->from, sizeof edge->from, "%s", from->name);
	if (to)
		snprintf(edge->to, sizeof edge->to, "%s", to->name);
	else if (peer->pid)
		snprintf(edge->to, sizeof edge->to, "%s (%d)", peer->process, (int)peer->pid);
	else
		snprintf(edge->to, sizeof edge->to, "%s", *peer->remote ? peer->remote : peer->local);
}

static void find_peers(struct chart *chart)
{
	struct directory *directory = directory_create();
	uint64_t now_ns = clock_monotonic_us() * 1000;

	for (size_t i = 0; i < chart->place_count; i++) {
		struct place *place = &chart->places[i];
		study_finish(&place->study);
		place->study.pid = place->pid;
		peers_find(&place->study, directory);
		streams_take(&place->streams, &place->study, now_ns);
	}
	directory_destroy(directory);
}

static void find_edges(struct chart *chart, struct link *link)
{
	find_peers(chart);
	if (chart->span_ms) {
		link_wait(link, (int)chart->span_ms);
		find_peers(chart);
	}
	for (size_t i = 0; i < chart->place_count; i++)
		for (size_t k = 0; k < chart->places[i].study.peer_count; k++)
			add_edge(chart, &chart->places[i], &chart->places[i].study.peers[k]);
}

static void place_finish(struct place *place)
{
	study_finish(&place->study);
	streams_finish(&place->streams);
}

static void chart_finish(struct chart *chart)
{
	for (size_t i = 0; i < chart->place_count; i++)
		place_finish(&chart->places[i]);
	free(chart->places);
	free(chart->edges);
}

static void take_places(struct chart *chart, const json_t *rows)
{
	const json_t *row;
	size_t i;

	chart->places = memory_zeroed(json_array_size(rows) + 1, sizeof *chart->places);
	json_array_foreach(rows, i, row)
	{
		struct place *place = &chart->places[chart->place_count];
		place->pid = (int32_t)json_integer_value(json_object_get(row, "pid"));
		snprintf(place->name, sizeof place->name, "%s/%lld", json_string_value(json_object_get(row, "service")),
			(long long)json_integer_value(json_object_get(row, "instance")));
		chart->place_count += place->pid > 0;
	}
}

static bool draw(struct chart *chart, struct link *link, const struct invocation *invocation, int *status)
{
	json_t *project = cli_call(link, "hello", json_pack("{s:s}", "client", "cli"), status);
	json_t *result = project ? cli_call(link, "list", cli_names(invocation), status) : NULL;
	bool ok = result;

	if (ok) {
		chart->engine = (int32_t)json_integer_value(json_object_get(project, "engine_pid"));
		chart->keeper = (int32_t)json_integer_value(json_object_get(project, "keeper_pid"));
		take_places(chart, json_object_get(result, "instances"));
		find_edges(chart, link);
	}
	json_decref(result);
	json_decref(project);
	return ok;
}

/* ---- showing ---- */

static json_t *safe_text(const char *text)
{
	return *text ? text_to_json(text, strlen(text)) : json_null();
}

static void print_json(const struct chart *chart)
{
	json_t *list = json_array();

	for (size_t i = 0; i < chart->edge_count; i++) {
		const struct edge *edge = &chart->edges[i];
		const struct peer_report *peer = &edge->peer;
		json_array_append_new(list,
			json_pack("{s:o,s:o,s:s,s:b,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o,s:o}", "from", safe_text(edge->from), "to",
				peer->is_listening ? json_null() : safe_text(edge->to), "transport",
				peer_transport_name(peer->transport), "listens", (int)peer->is_listening, "local",
				safe_text(peer->local), "remote", safe_text(peer->remote), "in_queued",
				figure_to_json(peer->in_queued), "out_queued", figure_to_json(peer->out_queued), "in_bytes",
				figure_to_json(peer->in_bytes), "out_bytes", figure_to_json(peer->out_bytes),
				"in_rate", rate_to_json(peer->in_rate), "out_rate", rate_to_json(peer->out_rate), "rtt_ms",
				fraction_to_json(peer->rtt_ms), "resent", figure_to_json(peer->resent)));
	}
	cli_print_json(list);
	json_decref(list);
}

static const char *address_of(const struct peer_report *peer)
{
	return *peer->remote ? peer->remote : peer->local;
}

static void print_figure(const char *name, uint64_t bytes)
{
	char text[UNITS_TEXT_SIZE];

	if (bytes == SAMPLE_UNKNOWN || !bytes)
		return;
	units_format_size(text, bytes);
	printf(", %s %s", text, name);
}

/* On the wire: nothing is said of what is not known, or nothing. */
static void print_wire(const struct peer_report *peer)
{
	char in[FIGURE_SIZE], out[FIGURE_SIZE], rtt[FIGURE_SIZE];

	if (peer->in_rate > 0 || peer->out_rate > 0)
		printf(", in %s/s, out %s/s", figure_speed(in, peer->in_rate, "?"), figure_speed(out, peer->out_rate, "?"));
	if (peer->rtt_ms >= 0)
		printf(", there and back in %s ms", figure_ms(rtt, peer->rtt_ms, "?"));
	if (peer->resent != SAMPLE_UNKNOWN && peer->resent)
		printf(", %" PRIu64 " segments sent again", peer->resent);
}

static void print_edge(const struct edge *edge)
{
	const struct peer_report *peer = &edge->peer;
	bool is_both = peer->reads && peer->writes;

	cli_print_safe(edge->from);
	fputs(peer->is_listening ? " listens at " : is_both ? " <-> "
					    : peer->writes  ? " -> "
							    : " <- ",
		stdout);
	cli_print_safe(peer->is_listening ? peer->local : edge->to);
	printf("  %s", peer_transport_name(peer->transport));
	if (!peer->is_listening && strcmp(address_of(peer), edge->to) != 0 && *address_of(peer)) {
		putchar(' ');
		cli_print_safe(address_of(peer));
	}
	print_figure("received", peer->in_bytes);
	print_figure("sent", peer->out_bytes);
	print_figure("not read", peer->is_listening ? 0 : peer->in_queued);
	print_figure("not read there", peer->out_queued);
	print_wire(peer);
	putchar('\n');
}

/* A word of Graphviz. */
static void print_quoted(const char *text)
{
	struct text safe;

	text_init(&safe, WORD_MOST);
	utf8_append_safe(&safe, text, strlen(text), false);
	putchar('"');
	for (const char *at = text_string(&safe); *at; at++) {
		if (*at == '"' || *at == '\\')
			putchar('\\');
		putchar(*at);
	}
	putchar('"');
	text_finish(&safe);
}

static void print_arrow(const struct edge *edge)
{
	const struct peer_report *peer = &edge->peer;
	char label[LABEL_SIZE * 2];

	printf("\t");
	print_quoted(edge->from);
	if (peer->is_listening) {
		printf(" -> ");
		print_quoted(peer->local);
		puts(" [style=dashed, arrowhead=odot]");
		return;
	}
	printf(" -> ");
	print_quoted(edge->to);
	snprintf(label, sizeof label, "%s %s", peer_transport_name(peer->transport), address_of(peer));
	printf(" [dir=%s, label=", peer->reads && peer->writes ? "both" : peer->writes ? "forward"
										       : "back");
	print_quoted(label);
	puts("]");
}

static void print_dot(const struct chart *chart)
{
	puts("digraph thrum {\n\tnode [shape=box]");
	for (size_t i = 0; i < chart->place_count; i++) {
		printf("\t");
		print_quoted(chart->places[i].name);
		puts(" [style=rounded]");
	}
	for (size_t i = 0; i < chart->edge_count; i++)
		print_arrow(&chart->edges[i]);
	puts("}");
}

int cli_map(struct link *link, const struct invocation *invocation)
{
	struct chart chart = { 0 };
	int status = EXIT_OK;

	if (!cli_duration("over", invocation->over, &chart.span_ms))
		return EXIT_USAGE;
	bool ok = draw(&chart, link, invocation, &status);

	if (ok && invocation->json)
		print_json(&chart);
	else if (ok && invocation->dot)
		print_dot(&chart);
	for (size_t i = 0; ok && !invocation->json && !invocation->dot && i < chart.edge_count; i++)
		print_edge(&chart.edges[i]);
	if (ok && !chart.edge_count && !invocation->json && !invocation->dot)
		puts("nobody talks to anybody, as far as may be seen");
	chart_finish(&chart);
	return status;
}
