#include "cli/eyes.h"

#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <sys/eventfd.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/log.h"
#include "base/memory.h"
#include "cli/tell.h"
#include "inspect/inspector.h"

enum { TOLD_MOST = 512 * 1024 };

struct eyes {
	struct inspector *inspector; /* owned; of the thread while it has a quest */
	pthread_t thread;
	bool has_thread;
	pthread_mutex_t lock;
	pthread_cond_t given;
	struct top_quest *given_quest, *done_quest; /* owned; under lock, as the next */
	bool is_ending;
	int fd;
};

static void look(struct inspector *inspector, struct top_quest *quest)
{
	const struct machine_id *studied = &quest->studied;

	for (size_t i = 0; i < quest->count; i++) {
		struct top_look *one = &quest->looks[i];
		inspector_sum(inspector, one->id.pid, one->id.starttime, one->threads, &one->inside);
	}
	if (!studied->pid)
		return;
	text_init(&quest->told, TOLD_MOST);
	if (tell_has(quest->tab))
		quest->is_told = tell(quest->tab, studied->pid, &quest->told, &quest->why);
	else
		quest->is_studied = inspector_study(inspector, studied->pid, &quest->study, &quest->why);
}

static void *run(void *context)
{
	struct eyes *eyes = context;

	pthread_mutex_lock(&eyes->lock);
	while (!eyes->is_ending) {
		struct top_quest *quest = eyes->given_quest;
		if (!quest) {
			pthread_cond_wait(&eyes->given, &eyes->lock);
			continue;
		}
		pthread_mutex_unlock(&eyes->lock);
		look(eyes->inspector, quest);
		pthread_mutex_lock(&eyes->lock);
		eyes->given_quest = NULL;
		eyes->done_quest = quest;
		eventfd_write(eyes->fd, 1);
	}
	pthread_mutex_unlock(&eyes->lock);
	return NULL;
}

/* No signal of the process is this thread's to handle. */
static bool start(struct eyes *eyes)
{
	sigset_t all, former;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	eyes->has_thread = pthread_create(&eyes->thread, NULL, run, eyes) == 0;
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return eyes->has_thread;
}

struct eyes *eyes_create(struct error *err)
{
	struct eyes *eyes = memory_zeroed(1, sizeof *eyes);

	pthread_mutex_init(&eyes->lock, NULL);
	pthread_cond_init(&eyes->given, NULL);
	eyes->inspector = inspector_create();
	eyes->fd = eventfd(0, EFD_CLOEXEC | EFD_NONBLOCK);
	if (eyes->fd >= 0 && start(eyes))
		return eyes;
	error_errno(err, "looking into processes");
	eyes_destroy(eyes);
	return NULL;
}

void eyes_destroy(struct eyes *eyes)
{
	if (!eyes)
		return;
	if (eyes->has_thread) {
		pthread_mutex_lock(&eyes->lock);
		eyes->is_ending = true;
		pthread_cond_signal(&eyes->given);
		pthread_mutex_unlock(&eyes->lock);
		pthread_join(eyes->thread, NULL);
	}
	close_if_open(eyes->fd);
	top_quest_destroy(eyes->given_quest);
	top_quest_destroy(eyes->done_quest);
	pthread_cond_destroy(&eyes->given);
	pthread_mutex_destroy(&eyes->lock);
	inspector_destroy(eyes->inspector);
	free(eyes);
}

int eyes_fd(const struct eyes *eyes)
{
	return eyes->fd;
}

void eyes_ask(struct eyes *eyes, struct top_quest *quest)
{
	pthread_mutex_lock(&eyes->lock);
	CHECK(!eyes->given_quest && !eyes->done_quest);
	eyes->given_quest = quest;
	pthread_cond_signal(&eyes->given);
	pthread_mutex_unlock(&eyes->lock);
}

struct top_quest *eyes_take(struct eyes *eyes)
{
	eventfd_t count;

	pthread_mutex_lock(&eyes->lock);
	struct top_quest *quest = eyes->done_quest;
	eyes->done_quest = NULL;
	eventfd_read(eyes->fd, &count);
	pthread_mutex_unlock(&eyes->lock);
	return quest;
}

void eyes_look(struct eyes *eyes, struct top_quest *quest)
{
	look(eyes->inspector, quest);
}
