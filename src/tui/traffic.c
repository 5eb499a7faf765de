#include "tui/traffic.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/clock.h"
#include "base/error.h"
#include "base/memory.h"
#include "base/text.h"
#include "base/units.h"
#include "model/figure.h"
#include "protocol/value.h"
#include "tui/pane.h"
#include "tui/ui.h"

enum { CELL = 24,
	WIDE = 118,      /* columns, for all figures of a peer */
	PEERS_SHOWN = 6, /* unless the tab fills the screen */
	WORKERS_SHOWN = 4,
	WORKERS_MOST = 16 };

/* ---- being told ---- */

static void name_watched(const struct ui *ui, char out[96])
{
	out[0] = '\0';
	if (ui->tab != TAB_IPC || !ui->selected.service[0] || (ui->is_paused && !ui->options->recording))
		return;
	if (ui->selected.instance < 0)
		snprintf(out, 96, "%s", ui->selected.service);
	else
		snprintf(out, 96, "%s/%d", ui->selected.service, ui->selected.instance);
}

static void drop_oldest(struct traffic_log *log)
{
	json_t **oldest = &log->heard[log->first++ % HEARD_MOST];

	log->bytes -= json_string_length(json_object_get(*oldest, "text"));
	json_decref(*oldest);
	*oldest = NULL;
}

static void clear(struct ui *ui)
{
	struct traffic_log *log = &ui->traffic;

	while (traffic_size(log))
		drop_oldest(log);
	log->dropped = log->unkept = 0;
	log->is_open = false;
}

static json_t *what_to_watch(const struct traffic_log *log)
{
	json_t *params = log->watched[0] ? json_pack("{s:[s],s:i}", "names", log->watched, "most", HEARD_A_SECOND)
					 : json_pack("{s:b}", "stop", 1);

	if (log->watched[0] && log->filter[0])
		json_object_set_new(params, "filter", json_string(log->filter));
	return params;
}

/* Those of a recording come all at once, and others when the moment is another one. */
static void follow_then(struct ui *ui, const char *wanted)
{
	struct traffic_log *log = &ui->traffic;
	bool is_same = strcmp(wanted, log->watched) == 0 && strcmp(log->filter, log->asked) == 0;

	if (!wanted[0] || (is_same && log->then_us == ui->past_us))
		return;
	snprintf(log->watched, sizeof log->watched, "%s", wanted);
	snprintf(log->asked, sizeof log->asked, "%s", log->filter);
	log->then_us = ui->past_us;
	ui_request(ui, REPLY_HEARD, 0, "messages",
		json_pack("{s:[s],s:o,s:s}", "names", wanted, "at", time_to_json(ui->past_us), "filter", log->filter));
}

void traffic_follow(struct ui *ui)
{
	struct traffic_log *log = &ui->traffic;
	char wanted[96];

	name_watched(ui, wanted);
	if (ui->options->recording) {
		follow_then(ui, wanted);
		return;
	}
	if (!ui->link || (strcmp(wanted, log->watched) == 0 && (!wanted[0] || strcmp(log->filter, log->asked) == 0)))
		return;
	if (wanted[0])
		clear(ui); /* others, or others of them, are shown from now on */
	snprintf(log->watched, sizeof log->watched, "%s", wanted);
	snprintf(log->asked, sizeof log->asked, "%s", log->filter);
	ui_request(ui, REPLY_ACTION, 0, "ipc.watch", what_to_watch(log));
}

static void keep(struct traffic_log *log, const json_t *message)
{
	if (traffic_size(log) == HEARD_MOST)
		drop_oldest(log);
	log->heard[log->count++ % HEARD_MOST] = json_incref((json_t *)message);
	log->bytes += json_string_length(json_object_get(message, "text"));
	while (log->bytes > HEARD_BYTES_MOST)
		drop_oldest(log);
}

void traffic_take_then(struct ui *ui, const json_t *result)
{
	const json_t *message;
	size_t i;

	clear(ui);
	ui->cursor = 0;
	json_array_foreach(json_object_get(result, "messages"), i, message) keep(&ui->traffic, message);
}

void traffic_take(struct ui *ui, const json_t *params)
{
	struct traffic_log *log = &ui->traffic;

	log->dropped += (uint64_t)json_integer_value(json_object_get(params, "dropped"));
	if (!log->watched[0] || !json_is_string(json_object_get(params, "text")))
		return;
	if (log->is_paused || log->is_open) {
		log->unkept++;
		return;
	}
	keep(log, params);
	if (ui->tab == TAB_IPC && ui->cursor > 0 && ui->cursor + 1 < (int)traffic_size(log))
		ui->cursor++; /* who reads further back stays there */
}

void traffic_forget(struct ui *ui)
{
	clear(ui);
	ui->traffic.watched[0] = '\0';
}

unsigned traffic_size(const struct traffic_log *log)
{
	return log->count - log->first;
}

const json_t *traffic_at(const struct traffic_log *log, unsigned back)
{
	return back < traffic_size(log) ? log->heard[(log->count - 1 - back) % HEARD_MOST] : NULL;
}

static int append(const char *bytes, size_t size, void *text)
{
	return text_append(text, bytes, size) ? 0 : -1;
}

bool traffic_save(const struct traffic_log *log, const char *path, unsigned *count, struct error *err)
{
	struct text text;

	text_init(&text, SIZE_MAX);
	*count = traffic_size(log);
	for (unsigned back = *count; back > 0; back--) {
		json_dump_callback(traffic_at(log, back - 1), append, &text, JSON_COMPACT);
		text_putc(&text, '\n');
	}
	bool ok = text_write_file(&text, path, err);
	text_finish(&text);
	return ok;
}

/* ---- drawing ---- */

static void draw_channel(struct pane *pane, const struct row *row)
{
	const struct traffic *ipc = &row->ipc;
	char in_rate[FIGURE_SIZE], out_rate[FIGURE_SIZE], in[UNITS_TEXT_SIZE], out[UNITS_TEXT_SIZE], queued[UNITS_TEXT_SIZE];
	char connections[48] = "";

	if (!ipc->is_known) {
		pane_format(pane, LOOK_DIM, " it has no channel to the engine; `ipc: json` gives one");
		return;
	}
	units_format_size(in, ipc->in_bytes);
	units_format_size(out, ipc->out_bytes);
	units_format_size(queued, ipc->queued);
	if (ipc->connections)
		snprintf(connections, sizeof connections, "  connections %llu", (unsigned long long)ipc->connections);
	pane_format(pane, ipc->errors ? LOOK_WARN : LOOK_NORMAL,
		" engine <-> channel%s  from it %llu (%s/s, %s)  to it %llu (%s/s, %s)  not read yet %s  no JSON %llu",
		connections, (unsigned long long)ipc->in, figure_whole(in_rate, ipc->in_rate, "-"), in, (unsigned long long)ipc->out,
		figure_whole(out_rate, ipc->out_rate, "-"), out, queued, (unsigned long long)ipc->errors);
}

static void draw_worker(struct pane *pane, const struct row *row)
{
	const struct traffic *ipc = &row->ipc;
	char name[CELL], in_rate[FIGURE_SIZE], out_rate[FIGURE_SIZE], queued[UNITS_TEXT_SIZE];

	snprintf(name, sizeof name, "%.16s/%u", row->service, row->instance);
	if (!ipc->is_known) {
		pane_format(pane, LOOK_DIM, " %-20s it has no channel to the engine now", name);
		return;
	}
	units_format_size(queued, ipc->queued);
	pane_format(pane, ipc->errors ? LOOK_WARN : LOOK_NORMAL, " %-20s %11llu %9llu %7s %9llu %7s %9s %8llu", name,
		(unsigned long long)ipc->connections, (unsigned long long)ipc->in, figure_whole(in_rate, ipc->in_rate, "-"),
		(unsigned long long)ipc->out, figure_whole(out_rate, ipc->out_rate, "-"), queued, (unsigned long long)ipc->errors);
}

/* Of a whole service: the channel of each of its processes. */
static void draw_workers(struct pane *pane, const struct ui *ui, unsigned most)
{
	unsigned shown = 0, count = 0;

	pane_format(pane, LOOK_HEADING, " %-20s %11s %9s %7s %9s %7s %9s %8s", "CHANNEL", "CONNECTIONS", "FROM IT", "/S", "TO IT", "/S",
		"NOT READ", "NO JSON");
	for (size_t i = 0; i < ui->replica.row_count; i++) {
		const struct row *row = &ui->replica.rows[i].row;
		if (strcmp(row->service, ui->selected.service) != 0)
			continue;
		if (count++ < most) {
			draw_worker(pane, row);
			shown++;
		}
	}
	if (count > shown)
		pane_format(pane, LOOK_DIM, " ... and %u more: z, or `thrum ipc %s`", count - shown, ui->selected.service);
}

static bool is_wide(const struct pane *pane)
{
	return pane->area.width >= WIDE;
}

/* What a line has no room for is left out: how much there was before how fast it goes. */
static void draw_peer(struct pane *pane, const struct peer_report *peer)
{
	char unread[FIGURE_SIZE], unsent[FIGURE_SIZE], got[FIGURE_SIZE], sent[FIGURE_SIZE], line[320], pid[CELL] = "-", sums[32] = "";
	char in_rate[FIGURE_SIZE], out_rate[FIGURE_SIZE], rtt[FIGURE_SIZE], resent[FIGURE_SIZE], wire[32] = "";

	if (peer->pid)
		snprintf(pid, sizeof pid, "%d", (int)peer->pid);
	if (is_wide(pane)) {
		snprintf(sums, sizeof sums, " %6s %6s", figure_size(got, peer->in_bytes, "-"), figure_size(sent, peer->out_bytes, "-"));
		snprintf(wire, sizeof wire, " %6s %6s", figure_ms(rtt, peer->rtt_ms, "-"), figure_count(resent, peer->resent, "-"));
	}
	snprintf(line, sizeof line, " %-16.16s %8s %3s %-5s %4d %6s %6s%s %6s %6s%s  %s", *peer->process ? peer->process : "-", pid,
		figure_arrow(peer), peer_transport_name(peer->transport), (int)peer->fd, figure_size(unread, peer->in_queued, "-"),
		figure_size(unsent, peer->out_queued, "-"), sums, figure_speed(in_rate, peer->in_rate, "-"),
		figure_speed(out_rate, peer->out_rate, "-"), wire, *peer->remote ? peer->remote : peer->local);
	pane_safe(pane, LOOK_NORMAL, "", line, strlen(line));
}

static void draw_peers(struct pane *pane, const struct ui *ui, size_t most)
{
	const struct study *study = &ui->insight.study;

	if (!study->peer_count)
		return;
	pane_format(pane, LOOK_HEADING, " %-16s %8s %3s %-5s %4s %6s %6s%s %6s %6s%s  %s", "PEER", "PID", "DIR", "KIND", "FD", "UNREAD",
		"UNSENT", is_wide(pane) ? "     IN    OUT" : "", "IN/S", "OUT/S", is_wide(pane) ? " RTT-MS RESENT" : "", "WHERE");
	for (size_t i = 0; i < study->peer_count && i < most; i++)
		draw_peer(pane, &study->peers[i]);
	if (study->peer_count > most)
		pane_format(pane, LOOK_DIM, " ... and %zu more: `thrum inspect %s/%d`", study->peer_count - most, ui->shown.service,
			ui->shown.instance);
}

/* Of a whole service: those of all of its processes. */
static void draw_service_peers(struct pane *pane, const struct ui *ui, size_t most)
{
	const json_t *edges = json_object_get(ui->insight.peers, "edges");
	size_t count = json_array_size(edges);

	if (ui->past_us || !count)
		return;
	pane_format(pane, LOOK_HEADING, " WHOM ITS PROCESSES TALK TO, AND WHERE THEY LISTEN: %zu", count);
	map_draw_edges(pane, ui, edges, most);
	if (count > most)
		pane_format(pane, LOOK_DIM, " ... and %zu more: zoomed, o has the map of all", count - most);
}

static void draw_live_title(struct pane *pane, const struct ui *ui)
{
	const struct traffic_log *log = &ui->traffic;
	struct rect at = pane_next(pane);
	char unkept[48] = "";

	if (ui->past_us && !ui->options->recording) {
		grid_fill(pane->grid, at, LOOK_DIM, ui->is_unicode ? 0x2500 : '-');
		grid_put(pane->grid, (struct rect){ at.x + 1, at.y, at.width - 1, at.height }, LOOK_DIM,
			" messages of then are not kept; a recording has them: `thrum help replay` ");
		return;
	}
	if (log->unkept)
		snprintf(unkept, sizeof unkept, ", %llu since", (unsigned long long)log->unkept);
	grid_fill(pane->grid, at, LOOK_DIM, ui->is_unicode ? 0x2500 : '-');
	at.x++;
	at.width--;
	grid_format(pane->grid, at, log->is_paused ? LOOK_WARN : LOOK_DIM,
		" messages of %s: %u kept, %llu not shown (at most %d a second are)%s%s%s%s ", log->watched[0] ? log->watched : "nobody",
		traffic_size(log), (unsigned long long)log->dropped, HEARD_A_SECOND, log->filter[0] ? "; filter " : "", log->filter,
		log->is_paused ? "; PAUSED (p goes on)" : "", unkept);
}

static void draw_message(struct pane *pane, const struct ui *ui, const json_t *message, bool is_selected)
{
	const char *dir = json_string_value(json_object_get(message, "dir"));
	const json_t *text = json_object_get(message, "text");
	struct rect at = rect_line(pane->area, pane->line - pane->skip);
	char clock[CLOCK_TEXT_SIZE], before[160], size[UNITS_TEXT_SIZE];

	clock_format_local(clock, time_from_json(json_object_get(message, "ts")));
	units_format_size(size, (uint64_t)json_integer_value(json_object_get(message, "bytes")));
	bool is_in = dir && strcmp(dir, "in") == 0;
	snprintf(before, sizeof before, "%c%s %s %s/%lld %5s  ", is_selected ? '>' : ' ', clock, is_in ? "<" : ">", ui->shown.service,
		(long long)json_integer_value(json_object_get(message, "instance")), size);
	pane_safe(pane, is_in ? LOOK_NORMAL : LOOK_KEY, before, json_string_value(text), json_string_length(text));
	if (is_selected)
		grid_select(pane->grid, at);
}

static void draw_messages(struct pane *pane, const struct ui *ui)
{
	int room = pane->area.height - pane->line, count = (int)traffic_size(&ui->traffic);
	int first = ui->is_zoomed && ui->cursor >= room ? ui->cursor - room + 1 : 0;

	if (ui->past_us && !ui->options->recording)
		return;
	if (!count)
		pane_format(pane, LOOK_DIM, " none was heard %s", ui->options->recording ? "until then" : "since this tab was opened");
	for (int i = first; i < count && i - first < room; i++)
		draw_message(pane, ui, traffic_at(&ui->traffic, (unsigned)i), ui->is_zoomed && i == ui->cursor);
}

/* As JSON is read best; what is cut, or no JSON after all, as it is. */
static char *whole_message(const json_t *message)
{
	const json_t *text = json_object_get(message, "text");
	json_t *json = json_loadb(json_string_value(text), json_string_length(text), JSON_DECODE_ANY, NULL);
	char *pretty = json ? json_dumps(json, JSON_INDENT(2) | JSON_ENCODE_ANY) : NULL;

	json_decref(json);
	return pretty ? pretty : memory_copy(json_string_value(text));
}

static int draw_whole(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct pane pane = { .grid = grid, .area = area, .skip = ui->scroll };
	const json_t *message = traffic_at(&ui->traffic, (unsigned)ui->cursor);
	char *whole = message ? whole_message(message) : NULL, *rest = whole, *line;
	const char *cut = json_is_true(json_object_get(message, "cut")) ? "; only its beginning is kept" : "";

	pane_format(&pane, LOOK_DIM, " %lld bytes, as it was on the channel%s",
		(long long)json_integer_value(json_object_get(message, "bytes")), cut);
	while (rest && (line = strsep(&rest, "\n")))
		pane_safe(&pane, LOOK_NORMAL, " ", line, strlen(line));
	free(whole);
	return pane.line;
}

int traffic_draw(const struct ui *ui, struct grid *grid, struct rect area)
{
	struct pane pane = { .grid = grid, .area = area };
	const struct replica_row *row = rows_selected(ui);

	if (ui->insight.is_map && ui->is_zoomed)
		return map_draw(ui, grid, area);
	if (ui->traffic.is_open && ui->is_zoomed)
		return draw_whole(ui, grid, area);
	if (ui->selected.instance < 0)
		draw_workers(&pane, ui, ui->is_zoomed ? WORKERS_MOST : WORKERS_SHOWN);
	else
		draw_channel(&pane, &row->row);
	size_t most = ui->is_zoomed && area.height > PEERS_SHOWN * 3 ? PEERS_SHOWN * 2 : PEERS_SHOWN / 2;
	if (ui->selected.instance < 0)
		draw_service_peers(&pane, ui, most);
	else
		draw_peers(&pane, ui, most);
	draw_live_title(&pane, ui);
	draw_messages(&pane, ui);
	return (int)traffic_size(&ui->traffic);
}
