#include <check.h>
#include <stdarg.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include "client/replica.h"

static struct replica replica;
static struct error err;

static void begin(void)
{
	replica_init(&replica);
}

static void end(void)
{
	replica_finish(&replica);
}

__attribute__((format(printf, 1, 2))) static json_t *parse(const char *fmt, ...)
{
	char text[4096];
	va_list args;

	va_start(args, fmt);
	vsnprintf(text, sizeof text, fmt, args);
	va_end(args);
	json_t *json = json_loads(text, 0, NULL);
	ck_assert_msg(json != NULL, "%s", text);
	return json;
}

/* Steals the message. */
static bool apply(json_t *message)
{
	bool is_changed = replica_apply(&replica, message);

	json_decref(message);
	return is_changed;
}

#define ROW "{\"service\":\"%s\",\"instance\":%d,\"state\":\"running\",\"pid\":%d}"
#define SNAPSHOT "{\"project\":\"shop\",\"dir\":\"/srv\",\"version\":\"1\",\"engine_pid\":2,\"keeper_pid\":1," \
		 "\"started\":\"%s\",\"engine_started\":\"2026-11-23T02:07:00Z\",\"seq\":%d,"

static void load(const char *started, int seq, json_t *instances, json_t *notices)
{
	json_t *snapshot = parse(SNAPSHOT "\"instances\":[],\"notices\":[]}", started, seq);

	json_object_set_new(snapshot, "instances", instances);
	json_object_set_new(snapshot, "notices", notices);
	ck_assert(replica_load(&replica, snapshot, &err));
	json_decref(snapshot);
}

static const char first_run[] = "2026-11-23T02:00:00Z", second_run[] = "2026-11-23T03:00:00Z";

static void load_two(void)
{
	load(first_run, 0, parse("[" ROW "," ROW "]", "web", 0, 10, "db", 0, 20), json_array());
}

static void check_order(const char *expected)
{
	char order[256] = "";
	size_t used = 0;

	for (size_t i = 0; i < replica.row_count; i++)
		used += (size_t)snprintf(order + used, sizeof order - used, "%s/%u ",
			replica.rows[i].row.service, replica.rows[i].row.instance);
	ck_assert_str_eq(order, expected);
}

static json_t *update(const char *service, int instance, int pid)
{
	return parse("{\"method\":\"update\",\"params\":" ROW "}", service, instance, pid);
}

static json_t *event(int seq)
{
	return parse("{\"method\":\"event\",\"params\":{\"seq\":%d,\"event\":\"started\",\"service\":\"web\"}}", seq);
}

START_TEST(a_snapshot_is_taken_over)
{
	load_two();
	ck_assert_str_eq(replica.project, "shop");
	ck_assert_str_eq(replica.dir, "/srv");
	ck_assert_int_eq(replica.engine_pid, 2);
	ck_assert_int_eq(replica.keeper_pid, 1);
	ck_assert(replica.is_connected);
	check_order("web/0 db/0 ");
}
END_TEST

START_TEST(a_new_instance_comes_behind_those_of_its_service)
{
	load_two();
	ck_assert(apply(update("web", 2, 12)));
	ck_assert(apply(update("web", 1, 11)));
	ck_assert(apply(update("zoo", 0, 30)));
	check_order("web/0 web/1 web/2 db/0 zoo/0 ");
}
END_TEST

START_TEST(an_update_changes_one_row)
{
	load_two();
	uint64_t version = replica.version_counter;
	ck_assert(apply(update("db", 0, 21)));
	ck_assert_int_eq(replica_find(&replica, "db", 0)->row.pid, 21);
	ck_assert_int_eq(replica_find(&replica, "web", 0)->row.pid, 10);
	ck_assert(replica.version_counter != version);
	check_order("web/0 db/0 ");
}
END_TEST

START_TEST(what_was_scaled_away_is_gone)
{
	load_two();
	ck_assert(apply(parse("{\"method\":\"remove\",\"params\":{\"service\":\"web\",\"instance\":0}}")));
	ck_assert(!apply(parse("{\"method\":\"remove\",\"params\":{\"service\":\"web\",\"instance\":0}}")));
	check_order("db/0 ");
	ck_assert_ptr_null(replica_find(&replica, "web", 0));
}
END_TEST

static void sample(const char *service, int pid, double cpu)
{
	apply(parse("{\"method\":\"sample\",\"params\":{\"machine\":{\"cpus\":4,\"cpu_pct\":50.0,"
		    "\"memory_total\":1000,\"memory_available\":600},\"instances\":["
		    "{\"service\":\"%s\",\"instance\":0,\"pid\":%d,\"cpu_pct\":%f,\"rss\":5}]}}",
		service, pid, cpu));
}

START_TEST(samples_make_sparklines_that_keep_in_step)
{
	load_two();
	for (int i = 0; i < REPLICA_HISTORY + 3; i++)
		sample("web", 10, i);
	const struct replica_row *web = replica_find(&replica, "web", 0);
	const struct replica_row *db = replica_find(&replica, "db", 0);
	ck_assert_uint_eq(web->cpu_count, REPLICA_HISTORY + 3);
	ck_assert_uint_eq(db->cpu_count, web->cpu_count);
	ck_assert_float_eq(web->cpu[(web->cpu_count - 1) % REPLICA_HISTORY], REPLICA_HISTORY + 2);
	ck_assert_float_eq(db->cpu[0], 0);
	ck_assert_uint_eq(web->row.sample.rss, 5);
	ck_assert_uint_eq(replica.machine.cpus, 4);
}
END_TEST

START_TEST(a_sample_of_a_former_process_is_not_taken)
{
	load_two();
	sample("web", 9, 80);
	ck_assert_int_eq(replica_find(&replica, "web", 0)->row.sample.pid, 0);
}
END_TEST

START_TEST(an_update_without_figures_keeps_those_of_the_same_process)
{
	load_two();
	sample("web", 10, 80);
	apply(update("web", 0, 10));
	ck_assert_uint_eq(replica_find(&replica, "web", 0)->row.sample.rss, 5);
	apply(update("web", 0, 11));
	ck_assert_int_eq(replica_find(&replica, "web", 0)->row.sample.pid, 0);
}
END_TEST

START_TEST(an_event_is_taken_once)
{
	load(first_run, 2, json_array(), parse("[{\"seq\":2,\"event\":\"ready\",\"service\":\"web\"}]"));
	ck_assert(!apply(event(2)));
	ck_assert(apply(event(3)));
	ck_assert(!apply(event(3)));
	ck_assert_uint_eq(replica.notice_count, 2);
	ck_assert_uint_eq(replica.last_seq, 3);
}
END_TEST

START_TEST(coming_back_keeps_sparklines_and_events)
{
	load_two();
	sample("db", 20, 33);
	apply(event(1));
	load(first_run, 2, parse("[" ROW "," ROW "]", "db", 0, 20, "new", 0, 5),
		parse("[{\"seq\":1,\"event\":\"ready\",\"service\":\"web\"},{\"seq\":2,\"event\":\"ready\",\"service\":\"web\"}]"));
	check_order("db/0 new/0 ");
	ck_assert_float_eq(replica_find(&replica, "db", 0)->cpu[0], 33);
	ck_assert_uint_eq(replica_find(&replica, "new", 0)->cpu_count, 0);
	ck_assert_uint_eq(replica.notice_count, 2);
}
END_TEST

START_TEST(another_run_begins_its_events_anew)
{
	load(first_run, 9, json_array(), json_array());
	load(second_run, 0, json_array(), json_array());
	ck_assert_uint_eq(replica.last_seq, 0);
	ck_assert(apply(event(1)));
}
END_TEST

START_TEST(what_comes_in_pieces_is_one_snapshot)
{
	static const char pieces[] = "{\"method\":\"update\",\"params\":" ROW "}\n{\"method\":\"update\",\"params\":" ROW "}\n"
				     "{\"method\":\"event\",\"params\":{\"seq\":2,\"event\":\"ready\",\"service\":\"web\"}}\n"
				     "{\"id\":1,\"result\":{\"project\":\"shop\",\"started\":\"%s\",\"seq\":2,"
				     "\"instances\":[],\"notices\":[]}}\n";
	char text[2048];
	int ends[2], size = snprintf(text, sizeof text, pieces, "db", 0, 20, "new", 0, 5, first_run);

	load_two();
	sample("db", 20, 33);
	ck_assert_int_eq(socketpair(AF_UNIX, SOCK_STREAM, 0, ends), 0);
	ck_assert_int_eq(write(ends[1], text, (size_t)size), size);
	struct link *link = link_join(ends[0]);
	ck_assert(replica_subscribe(&replica, link, json_object(), 1000, &err));
	check_order("db/0 new/0 ");
	ck_assert_float_eq(replica_find(&replica, "db", 0)->cpu[0], 33);
	ck_assert_uint_eq(replica.notice_count, 1);
	ck_assert_uint_eq(replica.last_seq, 2);
	close(ends[1]);
	ck_assert(!replica_subscribe(&replica, link, json_object(), 1000, &err));
	check_order("db/0 new/0 ");
	link_close(link);
}
END_TEST

START_TEST(a_pass_in_pieces_moves_sparklines_once)
{
	load_two();
	apply(parse("{\"method\":\"sample\",\"params\":{\"instances\":["
		    "{\"service\":\"web\",\"instance\":0,\"pid\":10,\"cpu_pct\":7.0,\"rss\":5}]}}"));
	ck_assert_uint_eq(replica_find(&replica, "web", 0)->cpu_count, 0);
	sample("db", 20, 33);
	ck_assert_uint_eq(replica_find(&replica, "web", 0)->cpu_count, 1);
	ck_assert_float_eq(replica_find(&replica, "web", 0)->cpu[0], 7);
	sample("db", 20, 34);
	ck_assert_float_eq(replica_find(&replica, "web", 0)->cpu[1], 7); /* nothing was told of it: it is as it was */
}
END_TEST

START_TEST(a_copy_goes_on_by_itself)
{
	struct replica copy;

	load_two();
	replica_copy(&copy, &replica);
	for (int i = 1; i < 100; i++)
		apply(update("web", i, 100 + i));
	ck_assert_uint_eq(copy.row_count, 2);
	ck_assert_uint_eq(replica.row_count, 101);
	replica_finish(&replica);
	replica = copy;
	for (int i = 1; i < 100; i++)
		apply(update("web", i, 100 + i));
	ck_assert_uint_eq(replica.row_count, 101);
	ck_assert_int_eq(replica_find(&replica, "db", 0)->row.pid, 20);
}
END_TEST

START_TEST(nonsense_changes_nothing)
{
	static const char *const nonsense[] = { "{}", "{\"method\":1}", "{\"method\":\"update\"}",
		"{\"method\":\"update\",\"params\":{\"service\":\"x\"}}", "{\"method\":\"remove\",\"params\":[]}",
		"{\"method\":\"event\",\"params\":{\"seq\":1}}", "{\"method\":\"else\",\"params\":{}}" };

	load_two();
	for (size_t i = 0; i < sizeof nonsense / sizeof *nonsense; i++)
		ck_assert_msg(!apply(parse("%s", nonsense[i])), "%s", nonsense[i]);
	check_order("web/0 db/0 ");
	json_t *snapshot = parse("{\"project\":\"x\"}");
	ck_assert(!replica_load(&replica, snapshot, &err));
	json_decref(snapshot);
}
END_TEST

START_TEST(goodbye_is_remembered)
{
	load_two();
	ck_assert(apply(parse("{\"method\":\"bye\",\"params\":{\"fatal\":false}}")));
	ck_assert(replica.is_over);
}
END_TEST

Suite *replica_suite(void)
{
	Suite *suite = suite_create("replica");
	TCase *all = tcase_create("replica");

	tcase_add_checked_fixture(all, begin, end);
	tcase_add_test(all, a_snapshot_is_taken_over);
	tcase_add_test(all, a_new_instance_comes_behind_those_of_its_service);
	tcase_add_test(all, an_update_changes_one_row);
	tcase_add_test(all, what_was_scaled_away_is_gone);
	tcase_add_test(all, samples_make_sparklines_that_keep_in_step);
	tcase_add_test(all, a_sample_of_a_former_process_is_not_taken);
	tcase_add_test(all, an_update_without_figures_keeps_those_of_the_same_process);
	tcase_add_test(all, an_event_is_taken_once);
	tcase_add_test(all, coming_back_keeps_sparklines_and_events);
	tcase_add_test(all, another_run_begins_its_events_anew);
	tcase_add_test(all, what_comes_in_pieces_is_one_snapshot);
	tcase_add_test(all, a_pass_in_pieces_moves_sparklines_once);
	tcase_add_test(all, a_copy_goes_on_by_itself);
	tcase_add_test(all, nonsense_changes_nothing);
	tcase_add_test(all, goodbye_is_remembered);
	suite_add_tcase(suite, all);
	return suite;
}
