/* Where the keys of a tree stand in a text that it was not scanned from: they are looked for, in order. */
#include <ctype.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "config/scan.h"

enum { MISSES_MOST = 200 }; /* each reads to the end of the text */

struct placing {
	struct document *document;
	const char *at; /* up to here everything has been placed */
	unsigned line, column;
	unsigned misses;
};

static bool is_of_word(char c)
{
	return isalnum((unsigned char)c) || c == '_' || c == '$';
}

static const char *find_word(const struct placing *placing, const char *from, const char *word)
{
	size_t size = strlen(word);

	for (const char *at = from; size && (at = strstr(at, word)); at += size)
		if ((at == placing->document->source || !is_of_word(at[-1])) && !is_of_word(at[size]))
			return at;
	return NULL;
}

static struct position move_to(struct placing *placing, const char *to)
{
	for (; placing->at < to; placing->at++) {
		if (*placing->at == '\n') {
			placing->line++;
			placing->column = 1;
		} else if (((unsigned char)*placing->at & 0xc0) != 0x80) {
			placing->column++;
		}
	}
	return (struct position){ placing->document->name, placing->document->source, placing->line, placing->column };
}

/* A value stands in the line of its key, else it is told at the key. */
static void place_word(struct placing *placing, struct node *node, struct position otherwise, bool in_line)
{
	node->at = otherwise;
	if (node->kind != NODE_SCALAR || placing->misses > MISSES_MOST)
		return;
	const char *found = find_word(placing, placing->at, node->text);
	if (found && in_line && memchr(placing->at, '\n', (size_t)(found - placing->at)))
		return;
	if (found)
		node->at = move_to(placing, found);
	else
		placing->misses++;
}

static void place_node(struct placing *placing, struct node *node, struct position at)
{
	node->at = at;
	for (size_t i = 0; i < node->count; i++) {
		bool is_key = node->kind == NODE_MAP && i % 2 == 0;
		struct position near = i && !is_key && node->kind == NODE_MAP ? node->items[i - 1]->at : at;
		if (node->items[i]->kind == NODE_SCALAR)
			place_word(placing, node->items[i], near, !is_key && node->kind == NODE_MAP);
		else
			place_node(placing, node->items[i], near);
	}
}

void document_place(struct document *document, const char *text, size_t size)
{
	struct placing placing = { .document = document, .line = 1, .column = 1 };

	free(document->source);
	document->source = memory_copy_n(text, size);
	placing.at = document->source;
	if (document->root)
		place_node(&placing, document->root,
			(struct position){ document->name, document->source, 1, 1 });
}
