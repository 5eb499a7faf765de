/* What goes on inside of what is on the screen, and of nothing else: to look costs. */
#include <stddef.h>

#include "tui/top_ui.h"

static bool is_studying(const struct top *top)
{
	return top->tab != TOP_TAB_NONE && top->tab != TOP_TAB_CALLS;
}

static bool is_seen_already(const struct top *top, const struct machine_id *studied)
{
	bool has_study = !studied->pid ||
			 (top->known && machine_id_is(&top->known->studied, studied) && top->known->tab == top->tab);

	return !top->is_stale && has_study && (top->is_paused || (top->looked_from == top->first && top->looked == top->shown));
}

/* To be sorted by it, it has to be known of everybody. */
void top_ask(struct top *top)
{
	const struct top_source *source = top->options->source;
	bool is_of_all = machine_sort_is_inside(top->wish.sort);
	long from = is_of_all ? 0 : top->first, left = (long)top->row_count - from;
	struct machine_id studied = is_studying(top) ? top_meant(top) : (struct machine_id){ 0 };

	if (top->is_waiting || is_seen_already(top, &studied))
		return;
	long count = is_of_all || top->shown > left ? left : top->shown;
	top->looked_from = top->first;
	top->looked = top->shown;
	top->is_stale = false;
	top->is_waiting = true;
	source->ask(source->context, top_quest_create(top->rows + from, count > 0 ? (size_t)count : 0, &studied, top->tab));
}

void top_take(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct top_quest *quest = source->take(source->context);

	if (!quest)
		return;
	top_quest_destroy(top->known);
	top->known = quest;
	top->is_waiting = false;
	top->is_untold = true;
	top_quest_tell(quest, &top->machine);
	if (machine_sort_is_inside(top->wish.sort))
		top_rows_build(top);
}

bool top_hear(struct top *top)
{
	const struct top_source *source = top->options->source;
	struct machine_id traced;
	bool has_news = top->tab == TOP_TAB_CALLS && source->hear(source->context, &traced, NULL) && !top->is_paused;

	top->is_untold |= has_news;
	return has_news;
}
