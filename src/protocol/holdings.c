#include "protocol/holdings.h"

#include <string.h>

#include "base/utf8.h"
#include "model/figure.h"

static void describe_file(struct text *out, const struct file_report *file)
{
	char position[FIGURE_SIZE], size[FIGURE_SIZE];

	text_format(out, "%5d %-7s %-4s %6s %6s  ", (int)file->fd, file->kind, *file->mode ? file->mode : "?",
		figure_size(position, file->position, "-"), figure_size(size, file->size, "-"));
	utf8_append_safe(out, file->name, strlen(file->name), false);
	text_putc(out, '\n');
}

void holdings_describe(struct text *out, const struct study *study)
{
	const struct holding_memory *memory = &study->memory;
	char rss[FIGURE_SIZE], pss[FIGURE_SIZE], own[FIGURE_SIZE], swap[FIGURE_SIZE];

	text_format(out, "memory: %s, of which %s are its own alone; with its part of what it shares %s (PSS); %s in swap\n",
		figure_size(rss, memory->rss, "?"), figure_size(own, memory->own, "?"), figure_size(pss, memory->pss, "?"),
		figure_size(swap, memory->swap, "?"));
	text_format(out, "%5s %-7s %-4s %6s %6s  %s\n", "FD", "KIND", "MODE", "AT", "SIZE", "NAME");
	for (size_t i = 0; i < study->file_count; i++)
		describe_file(out, &study->files[i]);
	if (study->files_left_out)
		text_format(out, "... and %zu more\n", study->files_left_out);
}
