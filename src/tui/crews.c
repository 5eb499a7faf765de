#include "tui/crews.h"

#include <stdlib.h>
#include <string.h>

#include "protocol/inside.h"
#include "tui/ui.h"

enum { AGAIN_US = 1000000,
	ASKED_MOST = 16, /* that wait for a reply at a time */
	EARLY_US = 100000 };

static void crew_finish(struct crew *crew)
{
	free(crew->threads);
	crew->threads = NULL;
	crew->count = 0;
}

void crews_forget(struct ui *ui)
{
	for (unsigned i = 0; i < ui->crews.count; i++)
		crew_finish(&ui->crews.all[i]);
	ui->crews.count = 0;
}

static struct crew *find(const struct ui *ui, const struct row *row)
{
	for (unsigned i = 0; i < ui->crews.count; i++) {
		const struct crew *crew = &ui->crews.all[i];
		if (crew->instance == row->instance && crew->pid == row->pid && strcmp(crew->service, row->service) == 0)
			return (struct crew *)crew;
	}
	return NULL;
}

const struct crew *crews_find(const struct ui *ui, const struct row *row)
{
	return ui->settings.table.has_threads && row->pid && !ui->past_us ? find(ui, row) : NULL;
}

static bool is_seen(const struct crew *crew, const struct table_row *rows, int count)
{
	for (int i = 0; i < count; i++) {
		const struct row *row = &rows[i].row->row;
		bool is_its = row->pid == crew->pid && row->instance == crew->instance;
		if (is_its && !rows[i].is_service && strcmp(row->service, crew->service) == 0)
			return true;
	}
	return false;
}

static void forget_unseen(struct ui *ui, const struct table_row *rows, int count)
{
	for (unsigned i = ui->crews.count; i-- > 0;) {
		if (is_seen(&ui->crews.all[i], rows, count))
			continue;
		crew_finish(&ui->crews.all[i]);
		ui->crews.all[i] = ui->crews.all[--ui->crews.count];
	}
}

/* Is an answer waited for that was not before? */
static bool ask(struct ui *ui, const struct row *row)
{
	struct crews *crews = &ui->crews;
	struct crew *crew = find(ui, row);

	if (!crew && crews->count < CREWS_MOST) {
		crew = &crews->all[crews->count++];
		*crew = (struct crew){ .instance = row->instance, .pid = row->pid, .number = ++crews->numbered };
		memcpy(crew->service, row->service, sizeof crew->service);
	}
	if (!crew || crew->is_waiting || (crew->asked_us && ui->now_us + EARLY_US < crew->asked_us + AGAIN_US))
		return false;
	crew->asked_us = ui->now_us;
	crew->is_waiting = ui_request(ui, REPLY_CREW, crew->number, "inspect",
		json_pack("{s:s,s:i}", "service", row->service, "instance", (int)row->instance));
	return crew->is_waiting;
}

void crews_follow(struct ui *ui, int height)
{
	static struct table_row rows[ROWS_MOST];
	unsigned waiting = 0;

	if (!ui->settings.table.has_threads || !ui->link) {
		crews_forget(ui);
		return;
	}
	if (ui->is_paused)
		return;
	int count = table_visible(ui, rows, height);
	forget_unseen(ui, rows, count);
	for (unsigned i = 0; i < ui->crews.count; i++)
		waiting += ui->crews.all[i].is_waiting;
	for (int i = 0; i < count && waiting < ASKED_MOST; i++) {
		if (rows[i].is_service || rows[i].thread || !rows[i].row->row.pid)
			continue;
		waiting += ask(ui, &rows[i].row->row);
	}
}

void crews_take(struct ui *ui, unsigned number, const json_t *result)
{
	for (unsigned i = 0; i < ui->crews.count; i++) {
		struct crew *crew = &ui->crews.all[i];
		struct study study = { 0 };
		if (crew->number != number)
			continue;
		crew->is_waiting = false;
		if (!result || ui->is_paused)
			return;
		study_from_json(&study, result);
		crew_finish(crew);
		crew->threads = study.threads;
		crew->count = study.thread_count;
		study.threads = NULL;
		study.thread_count = 0;
		study_finish(&study);
		return;
	}
}
