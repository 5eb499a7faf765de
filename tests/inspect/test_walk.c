#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/memory.h"
#include "inspect/pool.h"
#include "inspect/walk.h"

enum { SIZE = 64 * 4096 };
#define BASE 0x10000ull

/* A process as we see it: some memory, which may change between two reads. */
static unsigned char bytes[SIZE];
static struct memory memory;
static struct walk walk;
static void (*on_read)(uint64_t address);

static bool read_fake(void *context, uint64_t address, void *out, size_t size)
{
	(void)context;
	if (on_read)
		on_read(address);
	if (address < BASE || size > SIZE || address - BASE > SIZE - size)
		return false;
	memcpy(out, bytes + (address - BASE), size);
	return true;
}

static void set(uint64_t address, uint64_t value)
{
	memcpy(bytes + (address - BASE), &value, sizeof value);
}

static void link_nodes(uint64_t one, uint64_t other)
{
	set(one, other);
	set(other + 8, one);
}

static uint64_t node(size_t i)
{
	return BASE + 0x1000 + i * 0x340;
}

static void make_list(size_t count)
{
	uint64_t last = BASE;

	for (size_t i = 0; i < count; i++) {
		link_nodes(last, node(i));
		last = node(i);
	}
	link_nodes(last, BASE);
}

static void setup(void)
{
	memset(bytes, 0, sizeof bytes);
	on_read = NULL;
	memory_reader_init(&memory);
	memory_attach(&memory, read_fake, NULL);
}

static void teardown(void)
{
	memory_reader_finish(&memory);
}

START_TEST(every_node_is_counted)
{
	for (size_t count = 0; count < 200; count += 19) {
		make_list(count);
		ck_assert(walk_list(&walk, &memory, BASE));
		ck_assert_uint_eq(walk.end - walk.first, count);
	}
}
END_TEST

static void take_two(uint64_t address)
{
	static unsigned reads;

	(void)address;
	if (++reads == 4)
		link_nodes(BASE, node(2));
}

START_TEST(what_is_taken_meanwhile_is_not_counted)
{
	make_list(50);
	on_read = take_two;
	ck_assert(walk_list(&walk, &memory, BASE));
	ck_assert_uint_eq(walk.end - walk.first, 48);
}
END_TEST

START_TEST(a_forged_list_ends_the_walk)
{
	make_list(5);
	set(node(3), node(1)); /* a circle */
	ck_assert(!walk_list(&walk, &memory, BASE));
	make_list(5);
	set(node(2), 0xdeadbeef0000); /* nowhere */
	ck_assert(!walk_list(&walk, &memory, BASE));
	make_list(5);
	set(node(2), node(2)); /* itself */
	ck_assert(!walk_list(&walk, &memory, BASE));
	set(BASE, UINT64_MAX - 3);
	ck_assert(!walk_list(&walk, &memory, BASE));
	ck_assert(!walk_list(&walk, &memory, UINT64_MAX));
	ck_assert(memory.reads < 6ull * WALK_READS_MOST);
}
END_TEST

/* The variables as gcc lays them out. */
static void make_pool(uint64_t at, uint32_t threads)
{
	uint64_t counts = threads;

	link_nodes(at, at);
	link_nodes(at + 0x20, at + 0x20);
	set(at + 0x60, at + 0x40);
	set(at + 0x68, counts);
	set(at + 0x70, 1);
	for (uint32_t i = 0; i < threads && i < 4; i++)
		set(at + 0x40 + i * 8, 0x7000);
	set(at + 0xf0, 2);
}

START_TEST(a_pool_is_found_by_its_looks)
{
	uint64_t at = BASE + 0x20018;
	struct pool_place places[4];
	struct pool_report report;

	make_pool(at, 4);
	ck_assert_uint_eq(pool_scan(&memory, BASE, BASE + SIZE, places, 4), 1);
	ck_assert_uint_eq(places[0].at[IMAGE_QUEUE], at + 0x20);
	ck_assert(pool_read(&report, &memory, &places[0], &walk));
	ck_assert_uint_eq(report.threads, 4);
	ck_assert_uint_eq(report.busy, 3);
	ck_assert_uint_eq(report.queued, 0);
	ck_assert(!report.has_kinds && report.is_exact);
}
END_TEST

START_TEST(what_only_looks_a_little_like_it_is_no_pool)
{
	uint64_t at = BASE + 0x20018;
	struct pool_place places[4];

	make_pool(at, 4);
	set(at + 0x58, 0); /* the fourth of four threads is missing */
	ck_assert_uint_eq(pool_scan(&memory, BASE, BASE + SIZE, places, 4), 0);
	make_pool(at, 4);
	set(at + 0x20, at + 0x800); /* a queue that does not lead back */
	ck_assert_uint_eq(pool_scan(&memory, BASE, BASE + SIZE, places, 4), 0);
}
END_TEST

Suite *walk_suite(void);

Suite *walk_suite(void)
{
	Suite *suite = suite_create("walk");
	TCase *tcase = tcase_create("walk");

	tcase_add_checked_fixture(tcase, setup, teardown);
	tcase_add_test(tcase, every_node_is_counted);
	tcase_add_test(tcase, what_is_taken_meanwhile_is_not_counted);
	tcase_add_test(tcase, a_forged_list_ends_the_walk);
	tcase_add_test(tcase, a_pool_is_found_by_its_looks);
	tcase_add_test(tcase, what_only_looks_a_little_like_it_is_no_pool);
	suite_add_tcase(suite, tcase);
	return suite;
}
