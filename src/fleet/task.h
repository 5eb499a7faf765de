/* Tasks that this engine has of a stream, from when they were read until Redis knows their answers. */
#ifndef FLEET_TASK_H
#define FLEET_TASK_H

#include <stddef.h>
#include <stdint.h>

enum { ENTRY_SIZE = 48 };

struct feed;

enum task_state {
	TASK_HELD,     /* read, and not handed to the pool */
	TASK_SENT,     /* the pool has it, or it is on the way there */
	TASK_ANSWERED, /* Redis is to be told */
	TASK_TOLD,     /* … and is being told */
};

struct task {
	struct task *next, *previous;
	struct feed *feed; /* borrowed */
	enum task_state state;
	char entry[ENTRY_SIZE]; /* its id in the stream */
	uint64_t index;         /* in the submission; once it was sent */
	char *id, *reply;       /* owned; as its submitter has it, and the stream where the answer goes, or "" */
	char *payload;          /* owned; one line */
	char *answer;           /* owned; JSON */
};

struct task_list {
	struct task *first, *last; /* owned */
	size_t count;
};

/* Those that are sent and then those that are held, in the order of their indices; those that are told and then those that are not. */
struct tasks {
	struct task_list waiting, answered;
};

/* Adds an empty one, which is held. */
struct task *tasks_add(struct tasks *tasks, struct feed *feed, const char *entry);
struct task *tasks_find(const struct tasks *tasks, const char *entry);
struct task *tasks_by_index(const struct tasks *tasks, uint64_t index); /* of those that were sent */
/* The first that is held, and the first whose answer is not being told; NULL: there is none. */
struct task *tasks_first_held(const struct tasks *tasks);
struct task *tasks_first_answered(const struct tasks *tasks);
/* answer is stolen. */
void tasks_answer(struct tasks *tasks, struct task *task, char *answer);
/* Its answer may not have arrived: once more. */
void tasks_tell_again(struct tasks *tasks, struct task *task);
void tasks_remove(struct tasks *tasks, struct task *task);
void tasks_finish(struct tasks *tasks);
size_t tasks_count(const struct tasks *tasks);

#endif
