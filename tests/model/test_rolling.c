#include <check.h>

#include "model/rolling.h"

enum { COUNT = 3 };

static struct service_spec spec;
static struct instance instances[COUNT + 1];
static struct instance *table[COUNT + 1];
static struct service service;

/* As they are when each has its process. */
static void begin(void)
{
	service_spec_init(&spec);
	spec.exec_mode = EXEC_CLUSTER;
	spec.instances = COUNT;
	service = (struct service){ .spec = &spec, .instances = table, .count = COUNT };
	for (unsigned i = 0; i <= COUNT; i++) {
		instance_init(&instances[i], "web", i, false);
		instances[i].wanted = true;
		instances[i].state = STATE_READY;
		instances[i].pid = (int32_t)(100 + i);
		table[i] = &instances[i];
	}
}

static void add_spare(enum state state)
{
	instances[COUNT].is_spare = true;
	instances[COUNT].state = (uint8_t)state;
	service.count = COUNT + 1;
}

/* What the engine does of it. */
static void restart(struct instance *instance)
{
	instance->is_to_reload = false;
	instance->state = STATE_STOPPING;
}

static void expect(enum rolling_deed deed, const struct instance *instance)
{
	struct rolling_step step = rolling_next(&service);

	ck_assert_int_eq(step.deed, deed);
	ck_assert_ptr_eq(step.instance, instance);
}

START_TEST(one_follows_the_other_when_that_is_ready)
{
	begin();
	expect(ROLLING_NONE, NULL);
	ck_assert(rolling_begin(&service));
	for (unsigned i = 0; i < COUNT; i++) {
		expect(ROLLING_RESTART, &instances[i]);
		restart(&instances[i]);
		if (i < COUNT - 1)
			expect(ROLLING_WAIT, &instances[i]);
		instances[i].state = STATE_RUNNING; /* it does not listen yet */
		if (i < COUNT - 1)
			expect(ROLLING_WAIT, &instances[i]);
		instances[i].state = STATE_READY;
	}
	expect(ROLLING_NONE, NULL);
}
END_TEST

START_TEST(the_spare_comes_first_and_goes_last)
{
	begin();
	rolling_begin(&service);
	add_spare(STATE_STARTING);
	instances[COUNT].wanted = false; /* it was only just asked for */
	expect(ROLLING_WAIT, &instances[COUNT]);
	instances[COUNT].wanted = true;
	instances[COUNT].state = STATE_READY;
	for (unsigned i = 0; i < COUNT; i++) {
		expect(ROLLING_RESTART, &instances[i]);
		instances[i].is_to_reload = false;
	}
	expect(ROLLING_DONE, NULL);
}
END_TEST

START_TEST(a_spare_that_does_not_come_up_spares_the_others)
{
	begin();
	rolling_begin(&service);
	add_spare(STATE_BACKOFF);
	expect(ROLLING_GIVE_UP, &instances[COUNT]);
	rolling_end(&service);
	for (unsigned i = 0; i < COUNT; i++)
		ck_assert(!instances[i].is_to_reload);
}
END_TEST

START_TEST(a_new_process_that_fails_ends_it)
{
	begin();
	rolling_begin(&service);
	restart(&instances[0]);
	instances[0].state = STATE_BACKOFF; /* its policy gives it more chances */
	expect(ROLLING_WAIT, &instances[0]);
	instances[0].state = STATE_FATAL;
	expect(ROLLING_GIVE_UP, &instances[0]);
}
END_TEST

START_TEST(what_is_not_up_is_left_out)
{
	begin();
	instances[1].wanted = false;
	instances[1].state = STATE_STOPPED;
	ck_assert(rolling_begin(&service));
	ck_assert(!instances[1].is_to_reload);
	expect(ROLLING_RESTART, &instances[0]);
	instances[0].is_to_reload = false;
	instances[2].wanted = false; /* stopped meanwhile by the operator */
	instances[2].state = STATE_STOPPED;
	expect(ROLLING_DONE, NULL);
	for (unsigned i = 0; i < COUNT; i++)
		instances[i].state = STATE_STOPPED;
	ck_assert(!rolling_begin(&service));
}
END_TEST

START_TEST(a_socket_of_its_own_has_no_stand_in)
{
	struct listen_spec listens[] = { { .kind = SOCKET_TCP }, { .kind = SOCKET_TCP, .is_own = true } };

	begin();
	ck_assert(rolling_wants_spare(&spec));
	spec.exec_mode = EXEC_FORK;
	ck_assert(!rolling_wants_spare(&spec));
	spec.listens = listens;
	spec.listen_count = 1;
	ck_assert(rolling_wants_spare(&spec));
	spec.listen_count = 2;
	ck_assert(!rolling_wants_spare(&spec));
}
END_TEST

Suite *rolling_suite(void)
{
	Suite *suite = suite_create("rolling");
	TCase *reload = tcase_create("reload");

	tcase_add_test(reload, one_follows_the_other_when_that_is_ready);
	tcase_add_test(reload, the_spare_comes_first_and_goes_last);
	tcase_add_test(reload, a_spare_that_does_not_come_up_spares_the_others);
	tcase_add_test(reload, a_new_process_that_fails_ends_it);
	tcase_add_test(reload, what_is_not_up_is_left_out);
	tcase_add_test(reload, a_socket_of_its_own_has_no_stand_in);
	suite_add_tcase(suite, reload);
	return suite;
}
