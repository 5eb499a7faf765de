/* How an instance stands, by what a recording has told of it so far. Pure. */
#ifndef REPLAY_STANDING_H
#define REPLAY_STANDING_H

#include "protocol/row.h"
#include "replay/entry.h"

struct standing {
	struct row row;
	bool is_leaving; /* scaled away: it is no more once it has stopped … */
	bool is_gone;    /* … which it has */
};

void standing_begin(struct standing *standing, const char *service, unsigned instance);

/* An entry of that instance. */
void standing_take(struct standing *standing, const struct entry *entry);

/* How many instances its service is to have from now on, by an event of that service: true. */
bool standing_count(const struct entry *entry, unsigned *count);
void standing_scale(struct standing *standing, unsigned count);

/* Of an entry that tells of an end: the process that ended. */
bool standing_death(const struct standing *standing, const struct entry *entry, struct death *death);

#endif
