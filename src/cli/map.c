/* Who talks to whom: the conversations of a project's processes, as a list or as a graph. */
#include <stdio.h>
#include <string.h>

#include "base/text.h"
#include "base/utf8.h"
#include "cli/cli.h"
#include "protocol/inside.h"

enum { LINE_MOST = 4096,
	WORD_MOST = 1024 };

static void print_lines(const json_t *edges)
{
	const json_t *json;
	struct map_edge edge;
	struct text line;
	size_t i;

	json_array_foreach(edges, i, json)
	{
		map_edge_from_json(&edge, json);
		text_init(&line, LINE_MOST);
		map_edge_describe(&line, &edge);
		puts(text_string(&line));
		text_finish(&line);
	}
	if (!json_array_size(edges))
		puts("nobody talks to anybody, as far as may be seen");
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

static void print_arrow(const struct map_edge *edge)
{
	const struct peer_report *peer = &edge->peer;
	char label[INSIDE_NAME_SIZE * 2];

	printf("\t");
	print_quoted(edge->from);
	printf(" -> ");
	print_quoted(peer->is_listening ? peer->local : edge->to);
	if (peer->is_listening) {
		puts(" [style=dashed, arrowhead=odot]");
		return;
	}
	snprintf(label, sizeof label, "%s %s", peer_transport_name(peer->transport), *peer->remote ? peer->remote : peer->local);
	printf(" [dir=%s, label=", peer->reads && peer->writes ? "both" : peer->writes ? "forward"
										       : "back");
	print_quoted(label);
	puts("]");
}

static void print_dot(const json_t *result)
{
	const json_t *json;
	struct map_edge edge;
	size_t i;

	puts("digraph thrum {\n\tnode [shape=box]");
	json_array_foreach(json_object_get(result, "instances"), i, json)
	{
		printf("\t");
		print_quoted(json_string_value(json));
		puts(" [style=rounded]");
	}
	json_array_foreach(json_object_get(result, "edges"), i, json)
	{
		map_edge_from_json(&edge, json);
		print_arrow(&edge);
	}
	puts("}");
}

/* Rates are between two looks of the engine. */
static json_t *ask(struct link *link, const struct invocation *invocation, uint64_t span_ms, int *status)
{
	json_t *result = cli_call(link, "map", cli_names(invocation), status);

	if (result && span_ms) {
		json_decref(result);
		link_wait(link, (int)span_ms);
		result = cli_call(link, "map", cli_names(invocation), status);
	}
	return result;
}

int cli_map(struct link *link, const struct invocation *invocation)
{
	uint64_t span_ms = 0;
	int status = EXIT_OK;

	if (!cli_duration("over", invocation->over, &span_ms))
		return EXIT_USAGE;
	if (span_ms > INT32_MAX)
		return cli_fail(EXIT_USAGE, "--over %s is too long", invocation->over);
	json_t *result = ask(link, invocation, span_ms, &status), *edges = json_object_get(result, "edges");

	if (result && invocation->json)
		cli_print_json(edges);
	else if (result && invocation->dot)
		print_dot(result);
	else if (result)
		print_lines(edges);
	json_decref(result);
	return status;
}
