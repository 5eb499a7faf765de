#include <check.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>

#include "engine/store.h"

static int fd;
static struct store *store;

static void begin(void)
{
	struct error err;

	fd = memfd_create("store", MFD_CLOEXEC);
	ck_assert_int_eq(ftruncate(fd, 64 * 1024 * 1024), 0);
	store = store_open(fd, &err);
	ck_assert_ptr_nonnull(store);
}

static void end(void)
{
	munmap(store, sizeof *store);
	close(fd);
}

/* As the next engine does. */
static enum cold open_again(void)
{
	struct error err;

	munmap(store, sizeof *store);
	store = store_open(fd, &err);
	ck_assert_ptr_nonnull(store);
	return (enum cold)store->cold;
}

static uint32_t sit_down(void)
{
	struct instance instance;

	instance_init(&instance, "web", 3, false);
	return (uint32_t)store_take_seat(store, &instance);
}

START_TEST(what_was_written_is_there_again)
{
	uint32_t seat = sit_down();
	struct notice notice = { .kind = NOTICE_ENGINE };

	store_tell(store, &notice);
	ck_assert_int_eq(open_again(), COLD_NOT);
	ck_assert_str_eq(store_instance(store, seat)->service, "web");
	ck_assert_uint_eq(store->notice_count, 1);
	ck_assert_uint_eq(store_first_notice(store), 1);
}
END_TEST

START_TEST(a_state_of_another_thrum_begins_anew)
{
	struct notice notice = { .kind = NOTICE_ENGINE };

	sit_down();
	store_tell(store, &notice);
	store->abi = STORE_ABI + 1;
	ck_assert_int_eq(open_again(), COLD_ABI);
	ck_assert_uint_eq(store->seat_top, 0);
	ck_assert(!store->seats[0].is_taken);
	ck_assert_msg(store->notice_count > 1, "its events are none of those that clients know");
	ck_assert_uint_eq(store_first_notice(store), store->notice_count + 1);
	store_tell(store, &notice);
	ck_assert_uint_eq(store_first_notice(store), store->notice_count);
	ck_assert_int_eq(open_again(), COLD_ABI); /* that is remembered, and nothing is wiped again */
	ck_assert_uint_eq(store_first_notice(store), store->notice_count);
}
END_TEST

START_TEST(a_wipe_that_was_cut_off_is_done_again)
{
	sit_down();
	store_wipe(store, fd, COLD_FAULTS);
	ck_assert_int_eq(open_again(), COLD_FAULTS);
	sit_down();
	uint32_t done = store->magic;
	store_wipe(store, fd, COLD_FAULTS);
	sit_down();
	store->magic = 0x77697000 + COLD_FAULTS; /* as it is meanwhile */
	ck_assert_int_eq(open_again(), COLD_FAULTS);
	ck_assert_uint_eq(store->magic, done);
	ck_assert(!store->seats[0].is_taken);
}
END_TEST

static void spoil_tops(void)
{
	store->seat_top = STORE_SEATS + 1;
}

static void spoil_lives(void)
{
	store->life_top = STORE_LIVES + 1;
}

static void spoil_current(void)
{
	store->seats[sit_down()].current = 2;
}

static void spoil_state(void)
{
	uint32_t seat = sit_down();
	store->seats[seat].copies[store->seats[seat].current].state = STATE_COUNT;
}

static void spoil_name(void)
{
	uint32_t seat = sit_down();
	memset(store->seats[seat].copies[store->seats[seat].current].service, 'x', sizeof store->seats[seat].copies[0].service);
}

static void spoil_fingerprint(void)
{
	memset(store->seats[sit_down()].launched_as, 'x', DIGEST_SIZE);
}

static void spoil_life_state(void)
{
	store->lives[store_take_life(store, 0, 1)].state = LIFE_EXITED + 1;
}

static void spoil_life_seat(void)
{
	store->lives[store_take_life(store, 0, 1)].seat = STORE_SEATS;
}

static void spoil_helper(void)
{
	store_take_helper(store, 0)->pid = -1;
}

START_TEST(what_cannot_be_begins_anew)
{
	static void (*const spoilings[])(void) = { spoil_tops, spoil_lives, spoil_current, spoil_state, spoil_name,
		spoil_fingerprint, spoil_life_state, spoil_life_seat, spoil_helper };

	spoilings[_i]();
	ck_assert_int_eq(open_again(), COLD_NONSENSE);
	ck_assert_uint_eq(store->seat_top, 0);
	ck_assert_uint_eq(store->life_top, 0);
}
END_TEST

START_TEST(a_life_may_be_asked_for)
{
	ck_assert_int_eq(store_take_life_at(store, 5, 0, 1), 5);
	ck_assert_uint_eq(store->life_top, 6);
	ck_assert_int_eq(store_take_life_at(store, 5, 0, 1), -1);
	ck_assert_int_eq(store_take_life(store, 0, 1), 0);
	ck_assert(store->lives[0].serial != store->lives[5].serial);
}
END_TEST

Suite *store_suite(void)
{
	Suite *suite = suite_create("store");
	TCase *tcase = tcase_create("store");

	tcase_add_checked_fixture(tcase, begin, end);
	tcase_add_test(tcase, what_was_written_is_there_again);
	tcase_add_test(tcase, a_state_of_another_thrum_begins_anew);
	tcase_add_test(tcase, a_wipe_that_was_cut_off_is_done_again);
	tcase_add_loop_test(tcase, what_cannot_be_begins_anew, 0, 9);
	tcase_add_test(tcase, a_life_may_be_asked_for);
	suite_add_tcase(suite, tcase);
	return suite;
}
