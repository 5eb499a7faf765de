/*
 * Of two threads that work and one that hands over; who hands over learns of each task that it was done.
 *
 * threads tasks NS: tasks a second of so many nanoseconds each, as a burst: by a list under a mutex, by libuv's uv_queue_work,
 *                   by thrum_pool with a function that is called, and with tasks that are waited for one after the other; then by two
 *                   threads that each do half of them, of which they know. Bursts are measured after two others: memory that is
 *                   touched for the first time costs more than what is done with it.
 * threads cells: pointers a second that one thread hands to another one, by a ring of which each cell is filled or empty.
 * threads window: empty tasks a second of which 256 are outstanding, and nanoseconds of CPU for each: by libuv, by thrum_pool.
 * threads trip: empty tasks a second, the next one when the former was answered: by libuv, by thrum_pool.
 * threads empty: nanoseconds for an empty task of a queue that was filled before, by one thread.
 * threads port: messages of 64 bytes a second from thread to thread, by thrum_port.
 * threads transfer: seconds for 100 MB by a port: copied, transferred.
 */
#include <math.h>
#include <pthread.h>
#include <semaphore.h>
#include <stdalign.h>
#include <stdatomic.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <thrum.h>
#include <time.h>
#include <uv.h>

enum {
	TASKS = 200000,
	WARM = 2, /* bursts before the one that is measured: each cell of the queue was used then */
	WINDOW = 256,
	TRIPS = 20000,
	THREADS = 2,
	QUEUE = 16384,
	PASSES = 200,
	MESSAGES = 2000000,
	MESSAGE_SIZE = 64,
	BLOCK_SIZE = 100 << 20,
	CELLS = 65536,
	LINE = 128 /* two lines of the cache: they are fetched in pairs */
};

/* All read it: it shares its line with nothing that is written. */
static alignas(LINE) uint64_t work_ns;

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static void spin(void)
{
	uint64_t end = work_ns ? now_ns() + work_ns : 0;

	while (work_ns && now_ns() < end)
		continue;
}

static double rate(uint64_t begun, double count)
{
	return count / ((double)(now_ns() - begun) / 1e9);
}

/* -- A list under a mutex -- */

struct item {
	struct item *next;
};

static struct {
	alignas(LINE) pthread_mutex_t lock;
	pthread_cond_t filled, emptied;
	struct item *first, **end;
	unsigned left;
} list = { PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, PTHREAD_COND_INITIALIZER, NULL, &list.first, 0 };

static struct item *take_item(void)
{
	struct item *item;

	while (!list.first && list.left)
		pthread_cond_wait(&list.filled, &list.lock);
	item = list.first;
	if (item && !(list.first = item->next))
		list.end = &list.first;
	return item;
}

static void *empty_list(void *unused)
{
	struct item *item;

	pthread_mutex_lock(&list.lock);
	while ((item = take_item())) {
		pthread_mutex_unlock(&list.lock);
		spin();
		pthread_mutex_lock(&list.lock);
		if (--list.left == 0) {
			pthread_cond_signal(&list.emptied);
			pthread_cond_broadcast(&list.filled);
		}
	}
	pthread_mutex_unlock(&list.lock);
	return unused;
}

static double burst_by_mutex(struct item *items)
{
	pthread_t threads[THREADS];
	uint64_t begun;
	double result;

	list.left = TASKS;
	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, empty_list, NULL);
	begun = now_ns();
	for (int i = 0; i < TASKS; i++) {
		pthread_mutex_lock(&list.lock);
		items[i].next = NULL;
		*list.end = &items[i];
		list.end = &items[i].next;
		pthread_cond_signal(&list.filled);
		pthread_mutex_unlock(&list.lock);
	}
	pthread_mutex_lock(&list.lock);
	while (list.left)
		pthread_cond_wait(&list.emptied, &list.lock);
	pthread_mutex_unlock(&list.lock);
	result = rate(begun, TASKS);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return result;
}

static double by_mutex(void)
{
	struct item *items = calloc(TASKS, sizeof *items);
	double result;

	for (int i = 0; i < WARM; i++)
		burst_by_mutex(items);
	result = burst_by_mutex(items);
	free(items);
	return result;
}

/* -- libuv -- */

static void work_of_uv(uv_work_t *request)
{
	(void)request;
	spin();
}

static void answered_by_uv(uv_work_t *request, int status)
{
	(void)request, (void)status;
}

static double burst_by_uv(uv_work_t *requests)
{
	uv_loop_t *loop = uv_default_loop();
	uint64_t begun = now_ns();

	for (int i = 0; i < TASKS; i++)
		uv_queue_work(loop, &requests[i], work_of_uv, answered_by_uv);
	uv_run(loop, UV_RUN_DEFAULT);
	return rate(begun, TASKS);
}

static double by_uv(void)
{
	uv_work_t *requests = calloc(TASKS, sizeof *requests);
	double result;

	for (int i = 0; i < WARM; i++)
		burst_by_uv(requests);
	result = burst_by_uv(requests);
	free(requests);
	return result;
}

/* -- thrum_pool -- */

static int work_of_ours(void *unused)
{
	(void)unused;
	spin();
	return 0;
}

static alignas(LINE) atomic_uint left;
static alignas(LINE) sem_t all_done;

static void count_done(struct thrum_task *task)
{
	(void)task;
	if (atomic_fetch_sub(&left, 1) == 1)
		sem_post(&all_done);
}

static double burst_by_pool(struct thrum_pool *pool, struct thrum_task *tasks)
{
	uint64_t begun = now_ns();

	atomic_store(&left, TASKS);
	for (int i = 0; i < TASKS; i++)
		thrum_pool_submit(pool, &tasks[i]);
	sem_wait(&all_done);
	return rate(begun, TASKS);
}

static double burst_waited_for(struct thrum_pool *pool, struct thrum_task *tasks)
{
	uint64_t begun = now_ns();

	for (int i = 0; i < TASKS; i++)
		thrum_pool_submit(pool, &tasks[i]);
	for (int i = 0; i < TASKS; i++)
		thrum_task_wait(&tasks[i], -1);
	return rate(begun, TASKS);
}

static double by_pool(double (*burst)(struct thrum_pool *pool, struct thrum_task *tasks), thrum_task_done *done)
{
	struct thrum_pool_options options = { .threads = THREADS, .queue_max = TASKS };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_task *tasks = calloc(TASKS, sizeof *tasks);
	double result;

	sem_init(&all_done, 0, 0);
	for (int i = 0; i < TASKS; i++)
		tasks[i] = (struct thrum_task){ .work = work_of_ours, .done = done };
	for (int i = 0; i < WARM; i++)
		burst(pool, tasks);
	result = burst(pool, tasks);
	thrum_pool_destroy(pool);
	free(tasks);
	return result;
}

/* -- Floors -- */

static void *do_half(void *unused)
{
	for (int i = 0; i < TASKS / THREADS; i++)
		spin();
	return unused;
}

static double by_halves(void)
{
	pthread_t threads[THREADS];
	uint64_t begun = now_ns();

	for (int i = 0; i < THREADS; i++)
		pthread_create(&threads[i], NULL, do_half, NULL);
	for (int i = 0; i < THREADS; i++)
		pthread_join(threads[i], NULL);
	return rate(begun, TASKS);
}

static alignas(LINE) void *_Atomic cells[CELLS];

static void *fill_cells(void *data)
{
	for (unsigned i = 0; i < MESSAGES; i++) {
		while (atomic_load_explicit(&cells[i % CELLS], memory_order_acquire))
			continue;
		atomic_store_explicit(&cells[i % CELLS], data, memory_order_release);
	}
	return NULL;
}

static double empty_cells(void)
{
	pthread_t thread;
	uint64_t begun = now_ns();

	pthread_create(&thread, NULL, fill_cells, cells);
	for (unsigned i = 0; i < MESSAGES; i++) {
		while (!atomic_load_explicit(&cells[i % CELLS], memory_order_acquire))
			continue;
		atomic_store_explicit(&cells[i % CELLS], NULL, memory_order_release);
	}
	pthread_join(thread, NULL);
	return rate(begun, MESSAGES);
}

/* -- A window of outstanding tasks, or one -- */

static uint64_t cpu_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

static unsigned uv_left;

static void again_by_uv(uv_work_t *request, int status)
{
	(void)status;
	if (uv_left > 0 && uv_left--)
		uv_queue_work(request->loop, request, work_of_uv, again_by_uv);
}

static double window_of_uv(unsigned window, unsigned count, double *cpu)
{
	static uv_work_t requests[WINDOW];
	uv_loop_t *loop = uv_default_loop();
	uint64_t begun, begun_cpu;

	uv_queue_work(loop, requests, work_of_uv, answered_by_uv);
	uv_run(loop, UV_RUN_DEFAULT);
	uv_left = count - window;
	begun = now_ns();
	begun_cpu = cpu_ns();
	for (unsigned i = 0; i < window; i++)
		uv_queue_work(loop, &requests[i], work_of_uv, again_by_uv);
	uv_run(loop, UV_RUN_DEFAULT);
	*cpu = (double)(cpu_ns() - begun_cpu) / count;
	return rate(begun, count);
}

static double window_of_pool(unsigned window, unsigned count, double *cpu)
{
	static struct thrum_task tasks[WINDOW];
	struct thrum_pool_options options = { .threads = THREADS };
	struct thrum_pool *pool = thrum_pool_create(&options);
	uint64_t begun, begun_cpu;
	double result;

	for (unsigned i = 0; i < window; i++)
		tasks[i] = (struct thrum_task){ .work = work_of_ours };
	begun = now_ns();
	begun_cpu = cpu_ns();
	for (unsigned i = 0; i < count; i++) {
		if (i >= window)
			thrum_task_wait(&tasks[i % window], -1);
		thrum_pool_submit(pool, &tasks[i % window]);
	}
	for (unsigned i = 0; i < window; i++)
		thrum_task_wait(&tasks[i], -1);
	*cpu = (double)(cpu_ns() - begun_cpu) / count;
	result = rate(begun, count);
	thrum_pool_destroy(pool);
	return result;
}

static void print_window(unsigned window, unsigned count)
{
	double uv_cpu, our_cpu, uv = window_of_uv(window, count, &uv_cpu), ours = window_of_pool(window, count, &our_cpu);

	printf("%.0f %.0f %.1f %.1f\n", uv, ours, uv_cpu, our_cpu);
}

/* -- One thread empties a queue that was filled before -- */

static int note_now(void *moment)
{
	*(uint64_t *)moment = now_ns();
	return 0;
}

static double empty_queue(struct thrum_pool *pool, struct thrum_task *tasks)
{
	uint64_t begun = 0, ended = 0;

	thrum_pool_resize(pool, 0);
	for (int i = 0; i < QUEUE; i++) {
		tasks[i] = (struct thrum_task){ .work = work_of_ours };
		if (i == 0 || i == QUEUE - 1)
			tasks[i] = (struct thrum_task){ .work = note_now, .argument = i ? &ended : &begun };
		thrum_pool_submit(pool, &tasks[i]);
	}
	thrum_pool_resize(pool, 1);
	thrum_task_wait(&tasks[QUEUE - 1], -1);
	return (double)(ended - begun) / (QUEUE - 1);
}

/* The least of several: whatever else the machine does makes it more. */
static double by_emptying(void)
{
	struct thrum_pool_options options = { .threads = 1, .queue_max = QUEUE };
	struct thrum_pool *pool = thrum_pool_create(&options);
	struct thrum_task *tasks = calloc(QUEUE, sizeof *tasks);
	double least = INFINITY;

	for (int i = 0; i < PASSES; i++)
		least = fmin(least, empty_queue(pool, tasks));
	thrum_pool_destroy(pool);
	free(tasks);
	return least;
}

/* -- thrum_port -- */

static void *send_messages(void *port)
{
	char message[MESSAGE_SIZE] = "";

	for (int i = 0; i < MESSAGES; i++)
		thrum_port_send(port, message, sizeof message, -1);
	return NULL;
}

static double by_port(void)
{
	struct thrum_port *ends[2];
	pthread_t thread;
	void *buffer;
	size_t size;
	uint64_t begun;
	double result;

	thrum_port_pair(ends, 0);
	begun = now_ns();
	pthread_create(&thread, NULL, send_messages, ends[0]);
	for (int i = 0; i < MESSAGES && thrum_port_receive(ends[1], &buffer, &size, -1) == 0; i++)
		thrum_buffer_destroy(buffer);
	result = rate(begun, MESSAGES);
	pthread_join(thread, NULL);
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
	return result;
}

static double by_block(int is_transferred)
{
	void *block = thrum_buffer_create(BLOCK_SIZE), *got;
	struct thrum_port *ends[2];
	size_t size;
	uint64_t begun;
	double result;

	memset(block, 1, BLOCK_SIZE);
	thrum_port_pair(ends, 1);
	begun = now_ns();
	if (is_transferred)
		thrum_port_transfer(ends[0], &block, BLOCK_SIZE, -1);
	else
		thrum_port_send(ends[0], block, BLOCK_SIZE, -1);
	thrum_port_receive(ends[1], &got, &size, -1);
	result = (double)(now_ns() - begun) / 1e9;
	thrum_buffer_destroy(got);
	thrum_buffer_destroy(block);
	thrum_port_close(ends[0]);
	thrum_port_close(ends[1]);
	return result;
}

int main(int argc, char **argv)
{
	setenv("UV_THREADPOOL_SIZE", "2", 1);
	if (argc == 3 && strcmp(argv[1], "tasks") == 0) {
		work_ns = strtoull(argv[2], NULL, 10);
		printf("%.0f %.0f %.0f %.0f %.0f\n", by_mutex(), by_uv(), by_pool(burst_by_pool, count_done),
			by_pool(burst_waited_for, NULL), by_halves());
	} else if (argc == 2 && strcmp(argv[1], "cells") == 0) {
		printf("%.0f\n", empty_cells());
	} else if (argc == 2 && strcmp(argv[1], "window") == 0) {
		print_window(WINDOW, TASKS);
	} else if (argc == 2 && strcmp(argv[1], "trip") == 0) {
		print_window(1, TRIPS);
	} else if (argc == 2 && strcmp(argv[1], "transfer") == 0) {
		printf("%.9f %.9f\n", by_block(0), by_block(1));
	} else if (argc == 2 && strcmp(argv[1], "empty") == 0) {
		printf("%.3f\n", by_emptying());
	} else if (argc == 2 && strcmp(argv[1], "port") == 0) {
		printf("%.0f\n", by_port());
	} else {
		return 2;
	}
	return 0;
}
