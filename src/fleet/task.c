#include "fleet/task.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

static void append(struct task_list *list, struct task *task)
{
	task->next = NULL;
	task->previous = list->last;
	*(list->last ? &list->last->next : &list->first) = task;
	list->last = task;
	list->count++;
}

static void take_out(struct task_list *list, struct task *task)
{
	*(task->previous ? &task->previous->next : &list->first) = task->next;
	*(task->next ? &task->next->previous : &list->last) = task->previous;
	list->count--;
}

static struct task_list *list_of(struct tasks *tasks, const struct task *task)
{
	return task->state >= TASK_ANSWERED ? &tasks->answered : &tasks->waiting;
}

/* The first of those of this state at the end of a list. */
static struct task *first_of_end(const struct task_list *list, enum task_state state)
{
	struct task *first = NULL;

	for (struct task *task = list->last; task && task->state == state; task = task->previous)
		first = task;
	return first;
}

static struct task *find_in(const struct task_list *list, const char *entry)
{
	struct task *task = list->first;

	while (task && strcmp(task->entry, entry) != 0)
		task = task->next;
	return task;
}

struct task *tasks_add(struct tasks *tasks, struct feed *feed, const char *entry)
{
	struct task *task = memory_zeroed(1, sizeof *task);

	task->feed = feed;
	snprintf(task->entry, sizeof task->entry, "%s", entry);
	append(&tasks->waiting, task);
	return task;
}

struct task *tasks_find(const struct tasks *tasks, const char *entry)
{
	struct task *task = find_in(&tasks->waiting, entry);

	return task ? task : find_in(&tasks->answered, entry);
}

struct task *tasks_by_index(const struct tasks *tasks, uint64_t index)
{
	struct task *task = tasks->waiting.first;

	while (task && task->state == TASK_SENT && task->index < index)
		task = task->next;
	return task && task->state == TASK_SENT && task->index == index ? task : NULL;
}

struct task *tasks_first_held(const struct tasks *tasks)
{
	return first_of_end(&tasks->waiting, TASK_HELD);
}

struct task *tasks_first_answered(const struct tasks *tasks)
{
	return first_of_end(&tasks->answered, TASK_ANSWERED);
}

void tasks_answer(struct tasks *tasks, struct task *task, char *answer)
{
	take_out(&tasks->waiting, task);
	task->state = TASK_ANSWERED;
	task->answer = answer;
	append(&tasks->answered, task);
}

void tasks_tell_again(struct tasks *tasks, struct task *task)
{
	take_out(&tasks->answered, task);
	task->state = TASK_ANSWERED;
	append(&tasks->answered, task);
}

void tasks_remove(struct tasks *tasks, struct task *task)
{
	take_out(list_of(tasks, task), task);
	free(task->id);
	free(task->reply);
	free(task->payload);
	free(task->answer);
	free(task);
}

void tasks_finish(struct tasks *tasks)
{
	while (tasks->waiting.first)
		tasks_remove(tasks, tasks->waiting.first);
	while (tasks->answered.first)
		tasks_remove(tasks, tasks->answered.first);
}

size_t tasks_count(const struct tasks *tasks)
{
	return tasks->waiting.count + tasks->answered.count;
}
