#include <errno.h>
#include <pthread.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <thrum.h>
#include <unistd.h>
#include "tests/runner.h"

enum {
	PATIENCE_MS = 20000,
	ROUNDS = 20000
};

static const unsigned widths[] = { 32, 64 };

static struct thrum_shared *array_of(size_t count, unsigned bits)
{
	struct thrum_shared *shared = thrum_shared_create(count, bits);

	ck_assert_ptr_nonnull(shared);
	return shared;
}

static int64_t value_of(const struct thrum_shared *shared, size_t index)
{
	int64_t value;

	ck_assert_int_eq(thrum_shared_load(shared, index, &value), 0);
	return value;
}

static void reap_success(pid_t child)
{
	int status;

	ck_assert_int_eq(waitpid(child, &status, 0), child);
	ck_assert_int_eq(status, 0);
}

START_TEST(each_operation_does_its_arithmetic)
{
	struct thrum_shared *shared = array_of(3, widths[_i]);
	int64_t was;

	ck_assert_int_eq(thrum_shared_store(shared, 1, 12), 0);
	ck_assert_int_eq(thrum_shared_add(shared, 1, 5, &was), 0);
	ck_assert_int_eq(was, 12);
	ck_assert_int_eq(thrum_shared_sub(shared, 1, 20, &was), 0);
	ck_assert_int_eq(was, 17);
	ck_assert_int_eq(thrum_shared_exchange(shared, 1, 12, &was), 0);
	ck_assert_int_eq(was, -3);
	ck_assert_int_eq(thrum_shared_and(shared, 1, 10, &was), 0);
	ck_assert_int_eq(was, 12);
	ck_assert_int_eq(thrum_shared_or(shared, 1, 3, &was), 0);
	ck_assert_int_eq(was, 8);
	ck_assert_int_eq(thrum_shared_xor(shared, 1, 1, NULL), 0);
	ck_assert_int_eq(value_of(shared, 1), 10);
	ck_assert_int_eq(value_of(shared, 0), 0);
	ck_assert_int_eq(value_of(shared, 2), 0);
	thrum_shared_close(shared);
}
END_TEST

START_TEST(an_exchange_happens_only_if_it_was_as_expected)
{
	struct thrum_shared *shared = array_of(1, widths[_i]);
	int64_t expected = 1;

	ck_assert_int_eq(thrum_shared_compare_exchange(shared, 0, &expected, -7), -EAGAIN);
	ck_assert_int_eq(expected, 0);
	ck_assert_int_eq(thrum_shared_compare_exchange(shared, 0, &expected, -7), 0);
	ck_assert_int_eq(value_of(shared, 0), -7);
	thrum_shared_close(shared);
}
END_TEST

START_TEST(the_ends_of_the_range_wrap_around)
{
	struct thrum_shared *narrow = array_of(1, 32), *wide = array_of(1, 64);

	thrum_shared_store(narrow, 0, INT32_MAX);
	thrum_shared_add(narrow, 0, 1, NULL);
	ck_assert_int_eq(value_of(narrow, 0), INT32_MIN);
	thrum_shared_store(wide, 0, INT64_MAX);
	thrum_shared_add(wide, 0, 1, NULL);
	ck_assert(value_of(wide, 0) == INT64_MIN);
	ck_assert(*(int64_t *)thrum_shared_memory(wide) == INT64_MIN);
	thrum_shared_close(narrow);
	thrum_shared_close(wide);
}
END_TEST

START_TEST(what_is_not_there_is_refused)
{
	struct thrum_shared *shared = array_of(4, widths[_i]);
	int64_t value = 0;

	ck_assert_int_eq(thrum_shared_load(shared, 4, &value), -EINVAL);
	ck_assert_int_eq(thrum_shared_store(shared, SIZE_MAX, 1), -EINVAL);
	ck_assert_int_eq(thrum_shared_add(shared, 4, 1, NULL), -EINVAL);
	ck_assert_int_eq(thrum_shared_compare_exchange(shared, 4, &value, 1), -EINVAL);
	ck_assert_int_eq(thrum_shared_wait(shared, 4, 0, 0), -EINVAL);
	ck_assert_int_eq(thrum_shared_notify(shared, 4, 1), -EINVAL);
	ck_assert_uint_eq(thrum_shared_count(shared), 4);
	ck_assert_uint_eq(thrum_shared_bits(shared), widths[_i]);
	thrum_shared_close(shared);
}
END_TEST

static void refuse_size(size_t count, unsigned bits)
{
	errno = 0;
	ck_assert_ptr_null(thrum_shared_create(count, bits));
	ck_assert_int_eq(errno, EINVAL);
}

START_TEST(a_size_that_cannot_be_is_refused)
{
	refuse_size(0, 32);
	refuse_size(1, 16);
	refuse_size(THRUM_SHARED_MOST + 1, 64);
	refuse_size(SIZE_MAX, 64);
}
END_TEST

START_TEST(only_an_array_can_be_opened)
{
	char bytes[4096] = "";
	int pipes[2], file = memfd_create("other", MFD_CLOEXEC | MFD_ALLOW_SEALING);

	ck_assert_int_eq(pipe(pipes), 0);
	ck_assert_ptr_null(thrum_shared_open(pipes[0]));
	ck_assert_int_eq(errno, EINVAL);
	ck_assert_ptr_null(thrum_shared_open(-1));
	ck_assert_int_eq(errno, EBADF);
	ck_assert_int_eq(write(file, bytes, sizeof bytes), (int)sizeof bytes);
	ck_assert_ptr_null(thrum_shared_open(file));
	ck_assert_int_eq(errno, EINVAL);
}
END_TEST

START_TEST(one_array_is_mapped_twice)
{
	struct thrum_shared *one = array_of(1000, widths[_i]), *other = thrum_shared_open(thrum_shared_fd(one));

	ck_assert_ptr_nonnull(other);
	ck_assert_int_ne(thrum_shared_fd(other), thrum_shared_fd(one));
	thrum_shared_store(one, 999, 5);
	thrum_shared_close(one);
	ck_assert_int_eq(value_of(other, 999), 5);
	ck_assert_uint_eq(thrum_shared_count(other), 1000);
	ck_assert_uint_eq(thrum_shared_bits(other), widths[_i]);
	thrum_shared_close(other);
}
END_TEST

START_TEST(a_wait_ends_at_its_time_or_never_begins)
{
	struct thrum_shared *shared = array_of(2, widths[_i]);

	ck_assert_int_eq(thrum_shared_wait(shared, 1, 0, 0), -ETIMEDOUT);
	ck_assert_int_eq(thrum_shared_wait(shared, 1, 0, 10), -ETIMEDOUT);
	ck_assert_int_eq(thrum_shared_wait(shared, 1, 1, -1), -EAGAIN);
	thrum_shared_store(shared, 1, -1);
	ck_assert_int_eq(thrum_shared_wait(shared, 1, -1, 0), -ETIMEDOUT);
	ck_assert_int_eq(thrum_shared_notify(shared, 1, -1), 0);
	thrum_shared_close(shared);
}
END_TEST

/* Adds one when it is this player's turn, which the lowest bit says. With 64 bits, the upper half alone changes too. */
static void play(struct thrum_shared *shared, int64_t step, int64_t mine)
{
	int64_t value;

	for (int i = 0; i < ROUNDS; i++) {
		while ((value = value_of(shared, 0)) / step % 2 != mine)
			ck_assert_int_ne(thrum_shared_wait(shared, 0, value, PATIENCE_MS), -ETIMEDOUT);
		thrum_shared_add(shared, 0, step, NULL);
		thrum_shared_notify(shared, 0, 1);
	}
}

static int64_t step_of(unsigned bits)
{
	return bits == 64 ? INT64_C(1) << 32 : 1;
}

static void *play_first(void *shared)
{
	play(shared, step_of(thrum_shared_bits(shared)), 0);
	return NULL;
}

START_TEST(two_threads_take_turns)
{
	struct thrum_shared *shared = array_of(1, widths[_i]);
	pthread_t thread;

	ck_assert_int_eq(pthread_create(&thread, NULL, play_first, shared), 0);
	play(shared, step_of(widths[_i]), 1);
	pthread_join(thread, NULL);
	ck_assert(value_of(shared, 0) == 2 * ROUNDS * step_of(widths[_i]));
	thrum_shared_close(shared);
}
END_TEST

START_TEST(two_processes_take_turns)
{
	struct thrum_shared *shared = array_of(1, widths[_i]), *again;
	pid_t child = fork();

	if (child == 0) {
		again = thrum_shared_open(thrum_shared_fd(shared));
		play_first(again);
		thrum_shared_close(again);
		_exit(0);
	}
	play(shared, step_of(widths[_i]), 1);
	reap_success(child);
	ck_assert(value_of(shared, 0) == 2 * ROUNDS * step_of(widths[_i]));
	thrum_shared_close(shared);
}
END_TEST

static void *wait_for_second(void *shared)
{
	thrum_shared_add(shared, 0, 1, NULL);
	while (value_of(shared, 1) == 0)
		thrum_shared_wait(shared, 1, 0, PATIENCE_MS);
	return NULL;
}

START_TEST(all_who_wait_are_woken)
{
	enum {
		SLEEPERS = 4
	};
	struct thrum_shared *shared = array_of(2, widths[_i]);
	pthread_t threads[SLEEPERS];
	int woken = 0;

	for (int i = 0; i < SLEEPERS; i++)
		ck_assert_int_eq(pthread_create(&threads[i], NULL, wait_for_second, shared), 0);
	/* The value is what it was: each that is woken sleeps again, until there were as many as there are. */
	while (woken < SLEEPERS)
		woken += thrum_shared_notify(shared, 1, 1);
	thrum_shared_store(shared, 1, 1);
	thrum_shared_notify(shared, 1, -1);
	for (int i = 0; i < SLEEPERS; i++)
		pthread_join(threads[i], NULL);
	thrum_shared_close(shared);
}
END_TEST

Suite *shared_suite(void)
{
	Suite *suite = suite_create("shared");
	TCase *test_case = tcase_create("shared");

	tcase_set_timeout(test_case, 60);
	tcase_add_loop_test(test_case, each_operation_does_its_arithmetic, 0, 2);
	tcase_add_loop_test(test_case, an_exchange_happens_only_if_it_was_as_expected, 0, 2);
	tcase_add_test(test_case, the_ends_of_the_range_wrap_around);
	tcase_add_loop_test(test_case, what_is_not_there_is_refused, 0, 2);
	tcase_add_test(test_case, a_size_that_cannot_be_is_refused);
	tcase_add_test(test_case, only_an_array_can_be_opened);
	tcase_add_loop_test(test_case, one_array_is_mapped_twice, 0, 2);
	tcase_add_loop_test(test_case, a_wait_ends_at_its_time_or_never_begins, 0, 2);
	tcase_add_loop_test(test_case, two_threads_take_turns, 0, 2);
	tcase_add_loop_test(test_case, two_processes_take_turns, 0, 2);
	tcase_add_loop_test(test_case, all_who_wait_are_woken, 0, 2);
	suite_add_tcase(suite, test_case);
	return suite;
}
