#include "fleet/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

struct task *tasks_add(struct tasks *tasks, const char *entry)
{
	struct task *task = memory_zeroed(1, sizeof *task);

	snprintf(task->entry, sizeof task->entry, "%s", entry);
	task->previous = tasks->last;
	*(tasks->last ? &tasks->last->next : &tasks->first) = task;
	tasks->last = task;
	tasks->count++;
	tasks->unanswered++;
	return task;
}

struct task *tasks_find(const struct tasks *tasks, const char *entry)
{
	for (struct task *task = tasks->first; task; task = task->next)
		if (strcmp(task->entry, entry) == 0)
			return task;
	return NULL;
}

struct task *tasks_by_index(const struct tasks *tasks, uint64_t index)
{
	for (struct task *task = tasks->first; task; task = task->next)
		if (task->state == TASK_SENT && task->index == index)
			return task;
	return NULL;
}

void tasks_answer(struct tasks *tasks, struct task *task, char *answer)
{
	task->state = TASK_ANSWERED;
	task->answer = answer;
	tasks->unanswered--;
}

void tasks_remove(struct tasks *tasks, struct task *task)
{
	*(task->previous ? &task->previous->next : &tasks->first) = task->next;
	*(task->next ? &task->next->previous : &tasks->last) = task->previous;
	tasks->count--;
	tasks->unanswered -= !task->answer;
	free(task->id);
	free(task->reply);
	free(task->payload);
	free(task->answer);
	free(task);
}

void tasks_finish(struct tasks *tasks)
{
	while (tasks->first)
		tasks_remove(tasks, tasks->first);
}
