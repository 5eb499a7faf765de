#include "engine/sampler.h"

#include <signal.h>
#include <stdlib.h>

#include "base/log.h"
#include "base/memory.h"
#include "inspect/holdings.h"
#include "inspect/inspector.h"

enum { INSIDE_TREE_MOST = 32 }; /* processes of one tree that are looked into */

/* What the processes of one tree have in them, together. */
struct summing {
	struct inspector *inspector;
	struct inside *sum;
	unsigned count;
};

static void add_inside(void *context, int32_t pid, uint64_t starttime, uint64_t threads)
{
	struct summing *summing = context;
	struct inside inside;

	if (summing->count++ >= INSIDE_TREE_MOST)
		return;
	inspector_sum(summing->inspector, pid, starttime, threads, &inside);
	inside_add(summing->sum, &inside);
}

static void look_inside(struct sampler *sampler, const struct sweep *sweep, struct inspector *inspector)
{
	struct error err;

	inspector_begin_round(inspector);
	for (size_t i = 0; i < sampler->count; i++) {
		struct summing summing = { inspector, &sampler->samples[i].inside, 0 };
		sweep_visit_tree(sweep, i, add_inside, &summing);
		struct study *study = &sampler->studies[i];
		bool with_holdings = study->has_holdings;
		if (study->pid && inspector_study(inspector, study->pid, study, &err) && with_holdings)
			holdings_read(study);
	}
	inspector_end_round(inspector);
	if (sampler->wants_chart)
		chart_draw(&sampler->chart, sampler->studies, sampler->count, sampler->left_out,
			sizeof sampler->left_out / sizeof *sampler->left_out);
}

static void take_pass(struct sampler *sampler, struct sweep *sweep, struct inspector *inspector)
{
	struct error err;

	sampler->is_ok = sweep && sweep_take(sweep, sampler->targets, sampler->count,
					  sampler->samples, &sampler->machine, &err);
	if (sampler->is_ok)
		look_inside(sampler, sweep, inspector);
}

/*
 * While has_work is set the fields are this thread's, else the loop's: so the pass itself needs
 * no lock.
 */
static void *run(void *context)
{
	struct sampler *sampler = context;
	struct error err;
	struct sweep *sweep = sweep_create(&err);
	struct inspector *inspector = inspector_create();

	if (!sweep)
		log_line("sampler: %s", err.text);
	pthread_mutex_lock(&sampler->lock);
	while (!sampler->is_ending) {
		if (!sampler->has_work) {
			pthread_cond_wait(&sampler->given, &sampler->lock);
			continue;
		}
		pthread_mutex_unlock(&sampler->lock);
		take_pass(sampler, sweep, inspector);
		pthread_mutex_lock(&sampler->lock);
		sampler->has_work = false;
		uv_async_send(&sampler->done);
	}
	pthread_mutex_unlock(&sampler->lock);
	inspector_destroy(inspector);
	sweep_destroy(sweep);
	return NULL;
}

static void on_async(uv_async_t *async)
{
	struct sampler *sampler = async->data;

	pthread_mutex_lock(&sampler->lock);
	bool is_over = sampler->is_busy && !sampler->has_work;
	pthread_mutex_unlock(&sampler->lock);
	if (!is_over)
		return;
	sampler->is_busy = false;
	sampler->on_done(sampler->context);
}

void sampler_init(
	struct sampler *sampler, uv_loop_t *loop, void (*on_done)(void *context), void *context)
{
	*sampler = (struct sampler){ .on_done = on_done, .context = context };
	pthread_mutex_init(&sampler->lock, NULL);
	pthread_cond_init(&sampler->given, NULL);
	uv_async_init(loop, &sampler->done, on_async);
	sampler->done.data = sampler;
}

void sampler_finish(struct sampler *sampler)
{
	if (sampler->has_thread) {
		pthread_mutex_lock(&sampler->lock);
		sampler->is_ending = true;
		pthread_cond_signal(&sampler->given);
		pthread_mutex_unlock(&sampler->lock);
		pthread_join(sampler->thread, NULL);
	}
	uv_close((uv_handle_t *)&sampler->done, NULL);
	pthread_cond_destroy(&sampler->given);
	pthread_mutex_destroy(&sampler->lock);
	sampler_clear(sampler);
	chart_finish(&sampler->chart);
	free(sampler->studies);
	free(sampler->targets);
	free(sampler->seats);
	free(sampler->samples);
}

void sampler_clear(struct sampler *sampler)
{
	for (size_t i = 0; i < sampler->count; i++)
		study_finish(&sampler->studies[i]);
	sampler->count = 0;
}

void sampler_add(struct sampler *sampler, uint32_t seat, int32_t pid, unsigned wants, bool is_studied,
	bool with_holdings)
{
	if (sampler->count == sampler->room) {
		sampler->room = sampler->room ? sampler->room * 2 : 32;
		sampler->targets =
			memory_resize(sampler->targets, sampler->room, sizeof *sampler->targets);
		sampler->seats =
			memory_resize(sampler->seats, sampler->room, sizeof *sampler->seats);
		sampler->samples =
			memory_resize(sampler->samples, sampler->room, sizeof *sampler->samples);
		sampler->studies =
			memory_resize(sampler->studies, sampler->room, sizeof *sampler->studies);
	}
	sampler->targets[sampler->count] = (struct sweep_target){ .pid = pid, .wants = wants };
	sampler->studies[sampler->count] = (struct study){ .pid = is_studied ? pid : 0, .has_holdings = with_holdings };
	sampler->seats[sampler->count] = seat;
	sampler->count++;
}

/* No signal of the process is this thread's to handle. */
static bool start_thread(struct sampler *sampler)
{
	sigset_t all, former;

	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	sampler->has_thread = pthread_create(&sampler->thread, NULL, run, sampler) == 0;
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	return sampler->has_thread;
}

bool sampler_start(struct sampler *sampler)
{
	CHECK(!sampler->is_busy);
	if (!sampler->has_thread && !start_thread(sampler))
		return false;
	pthread_mutex_lock(&sampler->lock);
	sampler->has_work = sampler->is_busy = true;
	pthread_cond_signal(&sampler->given);
	pthread_mutex_unlock(&sampler->lock);
	return true;
}
