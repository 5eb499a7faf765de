/* What is to be seen inside of processes. */
#include <stdlib.h>

#include "base/memory.h"
#include "tui/top.h"

struct top_quest *top_quest_create(const struct machine_row *rows, size_t count, const struct machine_id *studied, enum top_tab tab)
{
	struct top_quest *quest = memory_zeroed(1, sizeof *quest);

	quest->looks = memory_zeroed(count + 1, sizeof *quest->looks);
	for (size_t i = 0; i < count; i++) {
		const struct machine_process *process = rows[i].process;
		if (machine_has_inside(process))
			quest->looks[quest->count++] = (struct top_look){ .id = process->id, .threads = process->threads };
	}
	if (studied)
		quest->studied = *studied;
	quest->tab = tab;
	return quest;
}

void top_quest_destroy(struct top_quest *quest)
{
	if (!quest)
		return;
	if (quest->is_studied)
		study_finish(&quest->study);
	text_finish(&quest->told);
	free(quest->looks);
	free(quest);
}

void top_quest_tell(const struct top_quest *quest, struct machine *machine)
{
	for (size_t i = 0; i < quest->count; i++)
		machine_look(machine, &quest->looks[i].id, &quest->looks[i].inside);
}
