#include "inspect/finding.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/units.h"
#include "model/sample.h"

enum {
	BLOCKED_MS = 200,
	BUSY_PERCENT = 85,
	SATURATED_PERCENT = 90,
	WAITING_SHARE = 4, /* one part in so many of its time in the queue for a processor is worth a word */
	QUEUED_LEAST = 1,
	UNANSWERED_LEAST = 3,
	RESENT_LEAST = 1, /* a second */
};

static const struct thread_report *thread_of(const struct study *study, int32_t tid)
{
	for (size_t i = 0; i < study->thread_count; i++)
		if (study->threads[i].tid == tid)
			return &study->threads[i];
	return NULL;
}

/* "running", or "in futex (futex_wait_queue)". */
static void describe(char *out, size_t size, const struct thread_report *thread)
{
	bool is_running = thread->state == 'R' || strcmp(thread->syscall, "running") == 0;

	if (is_running)
		snprintf(out, size, "running%s", thread->cpu_pct >= BUSY_PERCENT ? " without a pause" : "");
	else
		snprintf(out, size, "waiting in %s%s%s%s", *thread->syscall ? thread->syscall : "the kernel",
			*thread->wchan ? " (" : "", thread->wchan, *thread->wchan ? ")" : "");
}

static const struct peer_report *peer_at(const struct study *study, uint64_t fd)
{
	for (size_t i = 0; i < study->peer_count; i++)
		if ((uint64_t)study->peers[i].fd == fd)
			return &study->peers[i];
	return NULL;
}

/* "node (4711)", or an address. */
static const char *name_peer(char out[96], const struct peer_report *peer)
{
	if (peer->pid)
		snprintf(out, 96, "%s (%d)", peer->process, (int)peer->pid);
	else
		snprintf(out, 96, "%s", *peer->remote ? peer->remote : "its other end");
	return out;
}

/* Whom the call of a thread waits for. False: nobody that is known. */
static bool describe_wait(char *out, size_t size, const struct study *study, const struct thread_report *thread)
{
	bool is_of_peer = thread->wait >= WAIT_READ && thread->wait <= WAIT_CONNECT;
	const struct peer_report *peer = is_of_peer ? peer_at(study, thread->wait_on) : NULL;
	char name[96];

	if (thread->wait == WAIT_CHILD) {
		int32_t child = (int32_t)thread->wait_on;
		snprintf(out, size, child > 0 ? "waits for process %d to end" : "waits for a child to end", (int)child);
		return true;
	}
	if (!peer)
		return false;
	if (thread->wait == WAIT_ACCEPT || peer->is_listening)
		snprintf(out, size, "waits for a connection at %s", peer->local);
	else if (thread->wait == WAIT_CONNECT)
		snprintf(out, size, "waits for %s to accept its connection", name_peer(name, peer));
	else
		snprintf(out, size, "waits for %s to %s (descriptor %d, %s)", name_peer(name, peer),
			thread->wait == WAIT_READ ? "write something" : "read what it has written", (int)peer->fd,
			peer_transport_name(peer->transport));
	return true;
}

static const struct thread_report *holder_of(const struct study *study, const struct thread_report *thread)
{
	return thread->wait == WAIT_LOCK && thread->holder ? thread_of(study, thread->holder) : NULL;
}

/* Those that it waits for, one for the other, come back to it. */
static bool is_deadlocked(const struct study *study, const struct thread_report *thread)
{
	const struct thread_report *holder = holder_of(study, thread);

	for (size_t i = 0; holder && holder != thread && i < study->thread_count; i++)
		holder = holder_of(study, holder);
	return holder == thread;
}

static size_t count_waiting(const struct study *study, int32_t holder)
{
	size_t count = 0;

	for (size_t i = 0; i < study->thread_count; i++)
		count += study->threads[i].wait == WAIT_LOCK && study->threads[i].holder == holder;
	return count;
}

static void judge_deadlock(struct study *study)
{
	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *thread = &study->threads[i], *holder = holder_of(study, thread);
		if (!is_deadlocked(study, thread))
			continue;
		study_find(study, "deadlock: thread %d (%s) waits for a lock of thread %d (%s), which waits for one of its own",
			(int)thread->tid, thread->name, (int)holder->tid, holder->name);
		return;
	}
}

/* The one for whom most wait. */
static void judge_locks(struct study *study)
{
	const struct thread_report *worst = NULL;
	char doing[128];
	size_t most = 0;

	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *holder = holder_of(study, &study->threads[i]);
		size_t count = holder ? count_waiting(study, holder->tid) : 0;
		bool is_worse = count > most || (count && count == most && holder < worst);
		worst = is_worse ? holder : worst;
		most = count > most ? count : most;
	}
	if (!worst)
		return;
	describe(doing, sizeof doing, worst);
	study_find(study, "%zu thread%s for a lock that thread %d (%s) has, which is %s", most, most == 1 ? " waits" : "s wait",
		(int)worst->tid, worst->name, doing);
	judge_deadlock(study);
}

static const char *loop_name(char out[48], const struct loop_report *loop)
{
	if (loop->is_main)
		return "the event loop";
	snprintf(out, 48, "the event loop of thread %d", (int)loop->tid);
	return out;
}

static void judge_loop(struct study *study, const struct loop_report *loop)
{
	const struct thread_report *thread = thread_of(study, loop->tid);
	char lag[UNITS_TEXT_SIZE], doing[128] = "busy", name[48];

	if (thread)
		describe(doing, sizeof doing, thread);
	if (loop->lag_ms != SAMPLE_UNKNOWN && loop->lag_ms >= BLOCKED_MS) {
		units_format_duration(lag, loop->lag_ms);
		study_find(study, "%s has been blocked for %s: its thread is %s", loop_name(name, loop), lag, doing);
	} else if (loop->utilisation * 100 >= SATURATED_PERCENT) {
		study_find(study, "%s is saturated: busy %.0f %% of the time, %.0f rounds a second",
			loop_name(name, loop), loop->utilisation * 100, loop->iterations < 0 ? 0 : loop->iterations);
	} else if (loop->worst_ms != SAMPLE_UNKNOWN && loop->worst_ms >= BLOCKED_MS) {
		units_format_duration(lag, loop->worst_ms);
		study_find(study, "%s was blocked for %s within the last minute", loop_name(name, loop), lag);
	}
	if (loop->undelivered != SAMPLE_UNKNOWN && loop->undelivered > 0 && loop->lag_ms >= BLOCKED_MS)
		study_find(study, "%" PRIu64 " results are ready, and wait for %s to take them", loop->undelivered,
			loop_name(name, loop));
}

static void list_kinds(char *out, size_t size, const struct pool_report *pool)
{
	size_t used = 0;

	out[0] = '\0';
	for (enum work_kind kind = 0; pool->has_kinds && kind < WORK_KIND_COUNT && used < size; kind++)
		if (pool->by_kind[kind])
			used += (size_t)snprintf(out + used, size - used, "%s%s %" PRIu64, used ? ", " : " (",
				work_kind_name(kind), pool->by_kind[kind]);
	if (used && used < size - 1)
		snprintf(out + used, size - used, ")");
}

static void judge_pool(struct study *study, const struct pool_report *pool)
{
	char kinds[128];

	if (pool->queued == SAMPLE_UNKNOWN) {
		study_find(study, "the queue of its %s pool is not known: %s", pool_kind_name(pool->kind), pool->reason);
		return;
	}
	list_kinds(kinds, sizeof kinds, pool);
	if (pool->queued >= QUEUED_LEAST && pool->busy >= pool->threads)
		study_find(study,
			"the %s pool is saturated: all %" PRIu64 " threads are busy and %" PRIu64 " tasks wait%s%s",
			pool_kind_name(pool->kind), pool->threads, pool->queued, kinds,
			pool->kind == POOL_LIBUV ? "; UV_THREADPOOL_SIZE makes it larger" : "");
}

static bool is_in(const struct thread_report *thread, const char *syscall)
{
	return strcmp(thread->syscall, syscall) == 0;
}

/* Of a process without loops its main thread is the best witness. */
static void judge_main(struct study *study)
{
	const struct thread_report *main = thread_of(study, study->pid);
	char doing[256];

	if (!main)
		return;
	describe(doing, sizeof doing, main);
	if (main->state == 'T' || main->state == 't')
		study_find(study, "it is stopped, by a signal or a debugger: SIGCONT lets it go on");
	else if (main->state == 'D')
		study_find(study, "its main thread is %s, and no signal ends that: a disk or a network file system is slow",
			doing);
	else if (describe_wait(doing, sizeof doing, study, main))
		study_find(study, "its main thread %s", doing);
	else if (holder_of(study, main))
		study_find(study, "its main thread waits for a lock that thread %d (%s) has", (int)main->holder,
			holder_of(study, main)->name);
	else if (!study->loop_count && is_in(main, "futex") && main->cpu_pct == 0)
		study_find(study, "its main thread waits for a lock, or for another thread");
	else
		study_find(study, "its main thread is %s", doing);
}

static void judge_threads(struct study *study)
{
	size_t running = 0, stuck = 0;
	double cpu = 0;
	bool has_rates = false;
	char used[64] = "";

	for (size_t i = 0; i < study->thread_count; i++) {
		running += study->threads[i].state == 'R';
		stuck += study->threads[i].state == 'D';
		cpu += study->threads[i].cpu_pct > 0 ? study->threads[i].cpu_pct : 0;
		has_rates = has_rates || study->threads[i].cpu_pct >= 0;
	}
	if (has_rates)
		snprintf(used, sizeof used, ", with %.0f %% of a processor together", cpu);
	if (study->thread_count == 1)
		study_find(study, "it has one thread, which %s%s", running ? "runs" : "does not run", used);
	else
		study_find(study, "%zu threads: %zu of them run%s%s", study->thread_count, running, running == 1 ? "s" : "", used);
	if (stuck > 1)
		study_find(study, "%zu threads wait for a disk, or for what is as slow", stuck);
}

static void judge_waiting(struct study *study)
{
	for (size_t i = 0; i < study->thread_count; i++) {
		const struct thread_report *thread = &study->threads[i];
		if (thread->run_wait_ms == SAMPLE_UNKNOWN || thread->cpu_ms == SAMPLE_UNKNOWN ||
			thread->cpu_ms + thread->run_wait_ms < 1000 ||
			thread->run_wait_ms * WAITING_SHARE < thread->cpu_ms + thread->run_wait_ms)
			continue;
		study_find(study,
			"thread %d (%s) has run for %" PRIu64 " ms, and stood in the queue for a processor for %" PRIu64
			" ms: the machine has too few of them",
			(int)thread->tid, thread->name, thread->cpu_ms, thread->run_wait_ms);
		return;
	}
}

static void judge_network(struct study *study, const struct peer_report *peer)
{
	const char *with = *peer->process ? peer->process : "nobody that can be seen";

	if (peer->unanswered != SAMPLE_UNKNOWN && peer->unanswered >= UNANSWERED_LEAST)
		study_find(study,
			"%s (%s, descriptor %d) does not answer: the same was sent %" PRIu64
			" times again. It, or the network between, is gone",
			peer->remote, with, (int)peer->fd, peer->unanswered);
	else if (peer->resent_rate >= RESENT_LEAST)
		study_find(study, "the network to %s (%s, descriptor %d) loses packets: %.0f are sent again a second", peer->remote,
			with, (int)peer->fd, peer->resent_rate);
}

static void judge_peers(struct study *study)
{
	for (size_t i = 0; i < study->peer_count; i++) {
		const struct peer_report *peer = &study->peers[i];
		char bytes[UNITS_TEXT_SIZE];
		judge_network(study, peer);
		if (peer->is_listening && peer->in_queued != SAMPLE_UNKNOWN && peer->in_queued > 0)
			study_find(study, "%" PRIu64 " connections at %s wait to be accepted", peer->in_queued, peer->local);
		if (peer->is_listening || peer->in_queued == SAMPLE_UNKNOWN || peer->in_queued < 4096)
			continue;
		units_format_size(bytes, peer->in_queued);
		study_find(study, "%s on descriptor %d, from %s, are not read yet", bytes, (int)peer->fd,
			*peer->process ? peer->process : *peer->remote ? peer->remote
								       : "its peer");
	}
}

void findings_add(struct study *study, const char *reason)
{
	judge_main(study);
	for (size_t i = 0; i < study->loop_count; i++)
		judge_loop(study, &study->loops[i]);
	for (size_t i = 0; i < study->pool_count; i++)
		judge_pool(study, &study->pools[i]);
	judge_threads(study);
	judge_locks(study);
	judge_waiting(study);
	judge_peers(study);
	if (*reason)
		study_find(study, "its loops and pools cannot be seen: %s", reason);
}
