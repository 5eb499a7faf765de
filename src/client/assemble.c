#include "client/assemble.h"

#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

void assembly_finish(struct assembly *assembly)
{
	for (size_t i = 0; i < assembly->count; i++)
		text_finish(&assembly->partials[i].text);
	free(assembly->partials);
	*assembly = (struct assembly){ 0 };
}

static struct partial *find_partial(struct assembly *assembly, int32_t pid)
{
	for (size_t i = 0; i < assembly->count; i++)
		if (assembly->partials[i].pid == pid)
			return &assembly->partials[i];
	return NULL;
}

static struct partial *add_partial(struct assembly *assembly, int32_t pid)
{
	assembly->partials =
		memory_resize(assembly->partials, assembly->count + 1, sizeof *assembly->partials);
	struct partial *partial = &assembly->partials[assembly->count++];
	*partial = (struct partial){ .pid = pid };
	text_init(&partial->text, ASSEMBLE_LINE_MOST);
	return partial;
}

static void flush(struct partial *partial, assemble_take *take, void *context)
{
	take(context, partial->pid, partial->time_us, text_string(&partial->text),
		partial->text.size);
	text_clear(&partial->text);
}

/* Part of a line: kept until its end comes, or until it is too long to keep. */
static void keep(struct partial *partial, uint64_t time_us, const char *bytes, size_t size,
	assemble_take *take, void *context)
{
	while (size) {
		size_t room = ASSEMBLE_LINE_MOST - partial->text.size;
		size_t part = size < room ? size : room;
		if (!partial->text.size)
			partial->time_us = time_us;
		text_append(&partial->text, bytes, part);
		bytes += part;
		size -= part;
		if (partial->text.size == ASSEMBLE_LINE_MOST) {
			flush(partial, take, context);
			partial->is_cut = true;
		}
	}
}

void assembly_feed(struct assembly *assembly, int32_t pid, uint64_t time_us,
	const char *bytes, size_t size, assemble_take *take, void *context)
{
	struct partial *partial = find_partial(assembly, pid);

	while (size) {
		const char *end = memchr(bytes, '\n', size);
		size_t part = end ? (size_t)(end - bytes) : size;
		bool is_fresh = !partial || (!partial->text.size && !partial->is_cut);
		bool is_whole = end && is_fresh && part <= ASSEMBLE_LINE_MOST;
		if (is_whole) {
			take(context, pid, time_us, bytes, part);
		} else {
			if (!partial)
				partial = add_partial(assembly, pid);
			keep(partial, time_us, bytes, part, take, context);
			if (end && partial->text.size)
				flush(partial, take, context);
			if (end)
				partial->is_cut = false;
		}
		part += end != NULL;
		bytes += part;
		size -= part;
	}
}

static void drop(struct assembly *assembly, struct partial *partial)
{
	text_finish(&partial->text);
	*partial = assembly->partials[--assembly->count];
}

void assembly_end(struct assembly *assembly, int32_t pid, assemble_take *take, void *context)
{
	struct partial *partial = find_partial(assembly, pid);

	if (!partial)
		return;
	if (partial->text.size)
		flush(partial, take, context);
	drop(assembly, partial);
}

void assembly_end_all(struct assembly *assembly, assemble_take *take, void *context)
{
	while (assembly->count)
		assembly_end(assembly, assembly->partials[0].pid, take, context);
}
