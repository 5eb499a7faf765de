/* The map of the project, in the IPC tab: who talks to whom, and who listens where. */
#include <stdint.h>
#include <string.h>

#include "base/text.h"
#include "protocol/inside.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { LINE_MOST = 4096 };

static bool is_of_shown(const struct ui *ui, const struct map_edge *edge)
{
	char name[sizeof edge->from];

	snprintf(name, sizeof name, "%s/%d", ui->shown.service, ui->shown.instance);
	return strcmp(edge->from, name) == 0 || strcmp(edge->to, name) == 0;
}

static void draw_edge(struct pane *pane, const struct ui *ui, const json_t *json)
{
	struct map_edge edge;
	struct text line;

	text_init(&line, LINE_MOST);
	map_edge_from_json(&edge, json);
	map_edge_describe(&line, &edge);
	pane_safe(pane, is_of_shown(ui, &edge) ? LOOK_KEY : edge.peer.is_listening || edge.is_inside ? LOOK_NORMAL
												     : LOOK_DIM,
		" ",
		text_string(&line), line.size);
	text_finish(&line);
}

void map_draw_edges(struct pane *pane, const struct ui *ui, const json_t *edges, size_t most)
{
	const json_t *edge;
	size_t i;

	json_array_foreach(edges, i, edge)
	{
		if (i < most)
			draw_edge(pane, ui, edge);
	}
}

int map_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct pane pane = { .grid = grid, .area = area, .skip = ui->cursor };
	const json_t *edges = json_object_get(ui->insight.map, "edges");

	if (!ui->insight.map)
		pane_format(&pane, LOOK_DIM, " %s", ui->insight.why[0] ? ui->insight.why : "looking ...");
	else if (!json_array_size(edges))
		pane_format(&pane, LOOK_DIM, " nobody of the project talks to anybody, or listens, as far as may be seen");
	map_draw_edges(&pane, ui, edges, SIZE_MAX);
	return pane.line;
}
