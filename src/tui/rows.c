#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "tui/ui.h"

static bool is_same_service(const struct replica_row *a, const struct replica_row *b)
{
	return strcmp(a->row.service, b->row.service) == 0;
}

static bool is_up(const struct row *row)
{
	return state_is_up(row->state);
}

bool rows_is_folded(const struct ui *ui, const char *service)
{
	for (unsigned i = 0; i < ui->folded_count; i++)
		if (strcmp(ui->folded[i], service) == 0)
			return true;
	return false;
}

void rows_fold(struct ui *ui, const char *service, bool is_folded)
{
	for (unsigned i = 0; i < ui->folded_count; i++) {
		if (strcmp(ui->folded[i], service) != 0)
			continue;
		if (!is_folded)
			memcpy(ui->folded[i], ui->folded[--ui->folded_count], sizeof ui->folded[i]);
		return;
	}
	if (is_folded && ui->folded_count < FOLDED_MOST)
		snprintf(ui->folded[ui->folded_count++], sizeof ui->folded[0], "%s", service);
}

/* The instances of one service from here on. */
static size_t group_size(const struct replica *replica, size_t from)
{
	size_t size = 1;

	while (from + size < replica->row_count &&
		is_same_service(&replica->rows[from], &replica->rows[from + size]))
		size++;
	return size;
}

/* Ties, and all of SORT_FILE, stay in the order of the replica: nothing ever changes places for nothing. */
static int compare_places(const struct table_row *a, const struct table_row *b)
{
	return a->row < b->row ? -1 : a->row > b->row;
}

static int compare_names(const struct table_row *a, const struct table_row *b)
{
	int order = strcmp(a->row->row.service, b->row->row.service);

	return order ? order : compare_places(a, b);
}

static int compare_ranks(const struct table_row *a, const struct table_row *b)
{
	return a->rank > b->rank ? -1 : a->rank < b->rank ? 1
							  : compare_places(a, b);
}

typedef int comparison(const struct table_row *a, const struct table_row *b);

static int compare(const void *a, const void *b, void *context)
{
	const struct ui *ui = context;
	comparison *by = ui->settings.table.sort == SORT_FILE ? compare_places : ui->settings.table.sort == SORT_NAME ? compare_names
														      : compare_ranks;
	const struct table_row *left = a, *right = b;
	int order = by(left, right);

	return ui->settings.table.is_inverted && (left->rank != right->rank || ui->settings.table.sort == SORT_NAME) ? -order : order;
}

static void sort(const struct ui *ui, struct table_row *rows, int count)
{
	if (count > 1 && (ui->settings.table.sort != SORT_FILE || ui->settings.table.is_inverted))
		qsort_r(rows, (size_t)count, sizeof *rows, compare, (void *)ui);
}

/* The instances of a group that the filter lets through. */
static int add_instances(const struct ui *ui, struct replica_row *first, size_t size, struct table_row *rows, int most)
{
	int count = 0;

	for (size_t i = 0; i < size && count < most; i++)
		if (filter_shows(ui, &first[i].row))
			rows[count++] = (struct table_row){ .row = &first[i], .is_child = size > 1, .rank = first[i].rank };
	return count;
}

static struct table_row group_row(struct replica_row *first, size_t size)
{
	struct table_row row = { .row = first, .is_service = true, .count = (unsigned)size, .rank = first->rank };

	for (size_t i = 0; i < size; i++)
		row.up += is_up(&first[i].row);
	for (size_t i = 1; i < size; i++)
		if (first[i].rank >= 0)
			row.rank = (row.rank < 0 ? 0 : row.rank) + first[i].rank;
	return row;
}

/* Its service, and those of its instances that are shown. */
static int add_group(const struct ui *ui, struct table_row *group, struct table_row *rows, int most)
{
	int head = group->count > 1 && !ui->settings.table.is_flat;
	int found = add_instances(ui, group->row, group->count, rows + head, most - head);

	if (!found)
		return 0;
	if (head)
		rows[0] = *group;
	if (head && rows_is_folded(ui, group->row->row.service))
		return 1;
	if (!ui->settings.table.is_flat)
		sort(ui, rows + head, found);
	rows[head + found - 1].is_last = true;
	return head + found;
}

/* Below an instance, those of its threads that are known. */
static int add_threads(const struct crew *crew, const struct table_row *of, struct table_row *rows, int most)
{
	bool is_cut = crew->count > CREW_ROWS_MOST;
	int count = (int)(is_cut ? CREW_ROWS_MOST : crew->count);

	count = count < most ? count : most;
	for (int i = 0; i < count; i++) {
		rows[i] = *of;
		rows[i].thread = &crew->threads[i];
		rows[i].is_last_thread = i == count - 1;
	}
	if (is_cut && count)
		rows[count - 1].left_out = (unsigned)(crew->count - (size_t)count + 1);
	return count;
}

static int unfold_threads(const struct ui *ui, const struct table_row *plain, int count, struct table_row *rows, int most)
{
	int used = 0;

	for (int i = 0; i < count && used < most; i++) {
		const struct crew *crew = plain[i].is_service ? NULL : crews_find(ui, &plain[i].row->row);
		rows[used++] = plain[i];
		if (crew)
			used += add_threads(crew, &plain[i], rows + used, most - used);
	}
	return used;
}

/* Services in the chosen order, and in each its instances; or, flat, instances only. */
static int build_instances(const struct ui *ui, struct table_row *rows, int most)
{
	static struct table_row groups[ROWS_MOST];
	int count = 0, group_count = 0;

	for (size_t from = 0, size; from < ui->replica.row_count && group_count < ROWS_MOST; from += size) {
		size = group_size(&ui->replica, from);
		groups[group_count++] = group_row(&ui->replica.rows[from], size);
	}
	sort(ui, groups, group_count);
	for (int i = 0; i < group_count && count + 1 < most; i++)
		count += add_group(ui, &groups[i], rows + count, most - count);
	if (ui->settings.table.is_flat)
		sort(ui, rows, count);
	return count;
}

int rows_build(const struct ui *ui, struct table_row *rows, int most)
{
	static struct table_row plain[ROWS_MOST];

	if (!ui->crews.count)
		return build_instances(ui, rows, most);
	return unfold_threads(ui, plain, build_instances(ui, plain, ROWS_MOST), rows, most);
}

struct target rows_target(const struct table_row *row)
{
	struct target target = { .instance = row->is_service ? -1 : (int)row->row->row.instance,
		.life = row->row->row.life,
		.tid = row->thread ? row->thread->tid : 0 };

	memcpy(target.service, row->row->row.service, sizeof target.service);
	return target;
}

bool rows_is_selected(const struct ui *ui, const struct table_row *row)
{
	struct target target = rows_target(row);

	return target.instance == ui->selected.instance && target.tid == ui->selected.tid &&
	       strcmp(target.service, ui->selected.service) == 0;
}

static int selected_index(const struct ui *ui, const struct table_row *rows, int count)
{
	for (int i = 0; i < count; i++)
		if (rows_is_selected(ui, &rows[i]))
			return i;
	return -1;
}

/* It is gone: the instance of a thread, another of its service, else the first of all. */
static int nearest_index(const struct ui *ui, const struct table_row *rows, int count)
{
	struct target target;

	for (int i = 0; i < count && ui->selected.tid; i++) {
		target = rows_target(&rows[i]);
		if (target.instance == ui->selected.instance && strcmp(target.service, ui->selected.service) == 0)
			return i;
	}
	for (int i = 0; i < count; i++)
		if (strcmp(rows[i].row->row.service, ui->selected.service) == 0)
			return i;
	return 0;
}

void rows_keep_selection(struct ui *ui)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);
	int index = selected_index(ui, rows, count);

	if (count)
		ui->selected =
			rows_target(&rows[index >= 0 ? index : nearest_index(ui, rows, count)]);
}

static void select_nearest(struct ui *ui, const struct table_row *rows, int count, int index)
{
	if (!count)
		return;
	index = index < 0 ? 0 : index >= count ? count - 1
					       : index;
	ui->selected = rows_target(&rows[index]);
}

void rows_move(struct ui *ui, int by)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);

	select_nearest(ui, rows, count, selected_index(ui, rows, count) + by);
}

void rows_select(struct ui *ui, int index)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);

	select_nearest(ui, rows, count, index);
}

static bool has_text(const struct table_row *row, const char *text)
{
	char name[96];

	if (row->thread)
		return strstr(row->thread->name, text);
	if (row->is_service)
		return strstr(row->row->row.service, text);
	snprintf(name, sizeof name, "%s/%u", row->row->row.service, row->row->row.instance);
	return strstr(name, text);
}

bool rows_search(struct ui *ui, const char *text, int direction, bool from_here)
{
	static struct table_row rows[ROWS_MOST];
	int count = rows_build(ui, rows, ROWS_MOST);
	int index = selected_index(ui, rows, count);

	for (int step = from_here ? 0 : 1; step <= count && count; step++) {
		int at = ((index + direction * step) % count + count) % count;
		if (!has_text(&rows[at], text))
			continue;
		ui->selected = rows_target(&rows[at]);
		return true;
	}
	return false;
}

void rows_fold_all(struct ui *ui)
{
	bool fold = ui->folded_count == 0;

	ui->folded_count = 0;
	for (size_t from = 0, size; fold && from < ui->replica.row_count; from += size) {
		size = group_size(&ui->replica, from);
		if (size > 1)
			rows_fold(ui, ui->replica.rows[from].row.service, true);
	}
	rows_keep_selection(ui);
}

struct replica_row *rows_selected(const struct ui *ui)
{
	struct replica *replica = (struct replica *)&ui->replica;
	unsigned instance = ui->selected.instance < 0 ? 0 : (unsigned)ui->selected.instance;

	return replica_find(replica, ui->selected.service, instance);
}
