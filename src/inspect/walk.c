#include "inspect/walk.h"

enum verdict { WALKED,
	AGAIN,
	SENSELESS };

struct node {
	uint64_t next, prev;
};

/* Who stands first in the list now, as far as we came by it; walk->end when we did not. */
static size_t find_first(const struct walk *walk, uint64_t node)
{
	size_t i = walk->first;

	while (i < walk->end && walk->nodes[i] != node)
		i++;
	return i;
}

/* From `at`, whose predecessor is `before`, on to the head. The last node is left in *last. */
static enum verdict follow(struct walk *walk, struct memory *memory, uint64_t head, uint64_t at, uint64_t *last)
{
	uint64_t before = *last;
	struct node node;

	while (at != head) {
		if (walk->end == WALK_NODES_MOST) {
			walk->is_capped = true;
			return WALKED;
		}
		if (!memory_get(memory, at, &node, sizeof node) || node.next == at)
			return AGAIN;
		if (node.prev == head)
			walk->first = walk->end; /* all before it were taken meanwhile */
		else if (node.prev != before)
			return AGAIN;
		walk->nodes[walk->end++] = at;
		before = at;
		at = node.next;
	}
	*last = before;
	return WALKED;
}

/* What the head says when we come back to it; *on is where to go on, 0: nowhere. */
static enum verdict compare(struct walk *walk, struct memory *memory, uint64_t head, uint64_t last, uint64_t *on)
{
	struct node now, node;

	*on = 0;
	if (!memory_get_now(memory, head, &now, sizeof now))
		return SENSELESS;
	if (now.next == head) {
		walk->first = walk->end;
		return WALKED;
	}
	if (last == head)
		return AGAIN;
	if (now.prev != last) {
		memory_renew(memory);
		if (!memory_get(memory, last, &node, sizeof node) || node.next == last || node.next == head)
			return AGAIN;
		*on = node.next;
		return WALKED;
	}
	walk->first = find_first(walk, now.next);
	return walk->first < walk->end ? WALKED : AGAIN;
}

static enum verdict walk_once(struct walk *walk, struct memory *memory, uint64_t head)
{
	uint64_t last = head, on, most = memory->reads + WALK_READS_MOST;
	struct node start;
	enum verdict verdict;

	walk->first = walk->end = 0;
	walk->is_capped = false;
	memory_renew(memory);
	if (!memory_get_now(memory, head, &start, sizeof start) || !start.next || !start.prev)
		return SENSELESS;
	on = start.next;
	do {
		verdict = follow(walk, memory, head, on, &last);
		if (verdict != WALKED || walk->is_capped)
			return verdict;
		verdict = compare(walk, memory, head, last, &on);
	} while (verdict == WALKED && on && memory->reads < most);
	return on ? AGAIN : verdict;
}

bool walk_list(struct walk *walk, struct memory *memory, uint64_t head)
{
	uint64_t most = memory->reads + WALK_READS_MOST;
	enum verdict verdict = AGAIN;

	for (int i = 0; i < WALK_TRIES && verdict == AGAIN && memory->reads < most; i++)
		verdict = walk_once(walk, memory, head);
	return verdict == WALKED;
}
