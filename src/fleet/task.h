/* Tasks that this engine has of a stream, from when they were read until Redis knows their answers. */
#ifndef FLEET_TASK_H
#define FLEET_TASK_H

#include <stddef.h>
#include <stdint.h>

enum { ENTRY_SIZE = 48 };

enum task_state {
	TASK_HELD,     /* read, and not handed to the pool */
	TASK_SENT,     /* the pool has it, or it is on the way there */
	TASK_ANSWERED, /* Redis is to be told */
	TASK_TOLD,     /* … and is being told */
};

struct task {
	struct task *next, *previous;
	enum task_state state;
	char entry[ENTRY_SIZE]; /* its id in the stream */
	uint64_t index;         /* in the submission; once it was sent */
	char *id, *reply;       /* owned; as its submitter has it, and the stream where the answer goes, or "" */
	char *payload;          /* owned; one line */
	char *answer;           /* owned; JSON */
};

struct tasks {
	struct task *first, *last; /* owned; those that were sent are in the order of their indices */
	size_t count, unanswered;
};

/* Adds an empty one. */
struct task *tasks_add(struct tasks *tasks, const char *entry);
struct task *tasks_find(const struct tasks *tasks, const char *entry);
struct task *tasks_by_index(const struct tasks *tasks, uint64_t index); /* of those that were sent */
/* answer is stolen. */
void tasks_answer(struct tasks *tasks, struct task *task, char *answer);
void tasks_remove(struct tasks *tasks, struct task *task);
void tasks_finish(struct tasks *tasks);

#endif
