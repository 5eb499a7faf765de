#include <fcntl.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "inspect/page.h"
#include "lib/stats.h"
#include "tests/runner.h"

static struct {
	struct stats_header header;
	struct stats_pool pools[STATS_POOLS];
	struct stats_worker workers[2];
} page;

static size_t read_page(struct pool_report *pools)
{
	int fd = memfd_create("test", 0);
	size_t count;

	ck_assert_int_eq(write(fd, &page, sizeof page), sizeof page);
	count = page_read_file(fd, pools, INSIDE_POOLS_MOST);
	close(fd);
	return count;
}

static void fill(void)
{
	page.header.magic = STATS_MAGIC;
	page.header.abi_major = STATS_ABI_MAJOR;
	page.header.header_size = sizeof(struct stats_header);
	page.header.pool_size = sizeof(struct stats_pool);
	page.header.worker_size = sizeof(struct stats_worker);
	page.header.pools = STATS_POOLS;
	page.header.workers = STATS_WORKERS;
	page.header.workers_used = 2;
	page.pools[3].used = 4;
	page.pools[3].threads = 2;
	page.pools[3].queue_max = 100;
	page.pools[3].queues[1].tail = 50;
	page.pools[3].queues[1].head = 4;
	memcpy(page.pools[3].name, "ha\033h", 5);
	page.workers[1].pool = 4;
	page.workers[1].started = 4;
	page.workers[1].completed = 3;
}

START_TEST(a_pool_is_found_on_its_page)
{
	struct pool_report pools[INSIDE_POOLS_MOST];

	ck_assert_uint_eq(read_page(pools), 1);
	ck_assert_int_eq(pools[0].kind, POOL_THRUM);
	ck_assert_str_eq(pools[0].name, "ha?h");
	ck_assert_uint_eq(pools[0].queued, 46);
	ck_assert_uint_eq(pools[0].busy, 1);
	ck_assert_uint_eq(pools[0].threads, 2);
}
END_TEST

START_TEST(what_cannot_be_is_not_believed)
{
	struct pool_report pools[INSIDE_POOLS_MOST];

	page.pools[3].queues[1].head = 1000;
	page.workers[1].completed = 10;
	page.pools[3].threads = 1 << 30;
	ck_assert_uint_eq(read_page(pools), 1);
	ck_assert_uint_eq(pools[0].queued, UINT64_MAX);
	ck_assert_uint_eq(pools[0].busy, UINT64_MAX);
	ck_assert_uint_eq(pools[0].threads, UINT64_MAX);
	page.header.workers_used = UINT32_MAX;
	ck_assert_uint_eq(read_page(pools), 0);
}
END_TEST

enum {
	LOOKS = 50000
};

struct live {
	struct stats_pool *pool;
	struct stats_worker *worker;
	atomic_bool is_over;
};

static void add(_Atomic uint64_t *count)
{
	atomic_store_explicit(count, atomic_load_explicit(count, memory_order_relaxed) + 1, memory_order_release);
}

/* One task after the other is put, taken out of the midst or begun, and done. */
static void *count_up(void *data)
{
	struct live *live = data;
	struct stats_queue *queue = &live->pool->queues[1];

	for (unsigned i = 0; !atomic_load_explicit(&live->is_over, memory_order_relaxed); i++) {
		add(&queue->tail);
		if (i % 4 == 0)
			add(&live->pool->removed);
		add(&queue->head);
		if (i % 4 == 0) {
			add(&live->worker->passed);
		} else {
			add(&live->worker->started);
			add(&live->worker->completed);
		}
	}
	return NULL;
}

START_TEST(figures_are_known_while_others_count)
{
	int fd = memfd_create("test", 0);
	struct pool_report pools[INSIDE_POOLS_MOST];
	struct live live = { 0 };
	pthread_t thread;
	char *map;

	page.pools[3].queues[1].tail = page.pools[3].queues[1].head = page.workers[1].started = page.workers[1].completed = 0;
	ck_assert_int_eq(write(fd, &page, sizeof page), sizeof page);
	map = mmap(NULL, sizeof page, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	live.pool = (void *)(map + offsetof(__typeof__(page), pools[3]));
	live.worker = (void *)(map + offsetof(__typeof__(page), workers[1]));
	pthread_create(&thread, NULL, count_up, &live);
	for (unsigned i = 0; i < LOOKS; i++) {
		ck_assert_uint_eq(page_read_file(fd, pools, INSIDE_POOLS_MOST), 1);
		ck_assert_uint_ne(pools[0].queued, UINT64_MAX);
		ck_assert_uint_ne(pools[0].busy, UINT64_MAX);
	}
	atomic_store(&live.is_over, true);
	pthread_join(thread, NULL);
}
END_TEST

START_TEST(all_of_a_pool_is_found)
{
	struct thread_pool *pools = calloc(INSIDE_POOLS_MOST, sizeof *pools);
	int fd = memfd_create("test", 0);

	page.pools[3].guests_completed = 2;
	page.pools[3].cancelled = 1;
	page.workers[1].expired = 4;
	page.workers[1].run[10] = 7;
	page.workers[1].wait[12] = 1;
	page.pools[3].queues[2].tail = STATS_CLOSED | 3;
	page.pools[3].queues[2].head = 3;
	ck_assert_int_eq(write(fd, &page, sizeof page), sizeof page);
	ck_assert_uint_eq(page_study_file(fd, pools, INSIDE_POOLS_MOST), 1);
	ck_assert_uint_eq(pools->completed, 5);
	ck_assert_uint_eq(pools->cancelled, 5);
	ck_assert_uint_eq(pools->submitted, 53);
	ck_assert(pools->is_closed);
	ck_assert_uint_eq(pools->bucket_count, 2);
	ck_assert_uint_eq(pools->buckets[0].runs, 7);
	ck_assert_double_eq(pools->run_ms[0], pools->buckets[0].below_ms);
	free(pools);
	close(fd);
}
END_TEST

START_TEST(nobody_without_a_page_is_wished_anything)
{
	struct thread_wish wish = { "pool", WISH_SIZE, 1 };
	struct error err = { 0 };

	ck_assert_int_eq(page_wish(getpid(), &wish, &err), -1);
	ck_assert_ptr_nonnull(strstr(err.text, "no thread pools"));
	/* A file that is no page, whatever its name. */
	ck_assert_int_ge(memfd_create(STATS_NAME, 0), 0);
	ck_assert_int_eq(page_wish(getpid(), &wish, &err), -1);
}
END_TEST

/* Two keys in a row: the process has not taken the first wish yet. */
START_TEST(a_change_is_of_what_was_wished_last)
{
	struct thread_wish more = { "pool", WISH_CHANGE, 1 }, less = { "pool", WISH_CHANGE, -2 }, size = { "pool", WISH_SIZE, 9 };
	int fd = memfd_create(STATS_NAME, MFD_ALLOW_SEALING);
	struct error err = { 0 };

	memcpy(page.pools[3].name, "pool", 5);
	page.pools[3].target = 4;
	ck_assert_int_eq(write(fd, &page, sizeof page), sizeof page);
	ck_assert_int_eq(ftruncate(fd, STATS_SIZE), 0);
	ck_assert_int_eq(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW), 0);
	ck_assert_msg(page_wish(getpid(), &more, &err) == 5, "%s", err.text);
	ck_assert_int_eq(page_wish(getpid(), &more, &err), 6);
	ck_assert_int_eq(page_wish(getpid(), &less, &err), 4);
	ck_assert_int_eq(page_wish(getpid(), &size, &err), 9);
	ck_assert_int_eq(page_wish(getpid(), &more, &err), 10);
	close(fd);
}
END_TEST

Suite *page_suite(void)
{
	Suite *suite = suite_create("page");
	TCase *test_case = tcase_create("page");

	tcase_add_checked_fixture(test_case, fill, NULL);
	tcase_add_test(test_case, a_pool_is_found_on_its_page);
	tcase_add_test(test_case, what_cannot_be_is_not_believed);
	tcase_add_test(test_case, figures_are_known_while_others_count);
	tcase_add_test(test_case, all_of_a_pool_is_found);
	tcase_add_test(test_case, nobody_without_a_page_is_wished_anything);
	tcase_add_test(test_case, a_change_is_of_what_was_wished_last);
	suite_add_tcase(suite, test_case);
	return suite;
}
