#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "model/sample.h"
#include "protocol/inside.h"

static struct study received(const struct study *sent)
{
	json_t *json = study_to_json(sent);
	char *text = json_dumps(json, JSON_COMPACT);
	json_t *again = json_loads(text, 0, NULL);
	struct study study;

	study_from_json(&study, again);
	json_decref(json);
	json_decref(again);
	free(text);
	return study;
}

START_TEST(what_is_not_known_is_null_and_comes_back_unknown)
{
	struct inside unknown = INSIDE_UNKNOWN, back = { 0 };
	json_t *json = json_object();

	inside_put(json, &unknown);
	ck_assert(json_is_null(json_object_get(json, "queue")));
	ck_assert(json_is_null(json_object_get(json, "loop")));
	inside_get(&back, json);
	ck_assert(back.queue == SAMPLE_UNKNOWN && back.lag_ms == SAMPLE_UNKNOWN && back.utilisation < 0);
	json_decref(json);
}
END_TEST

START_TEST(a_study_survives_the_wire)
{
	struct loop_report loop = {
		.tid = 7,
		.is_main = true,
		.utilisation = 0.5,
		.iterations = 2.5,
		.lag_ms = 1200,
		.worst_ms = 1300,
		.handles = 3,
		.requests = 4,
		.undelivered = 5
	};
	struct pool_report pool = {
		.kind = POOL_LIBUV,
		.threads = 4,
		.busy = 4,
		.queued = 46,
		.has_kinds = true,
		.by_kind = { [WORK_OTHER] = 46 },
		.reason = "the queue moved"
	};
	struct thread_report thread = {
		.tid = 7,
		.name = "node",
		.role = "main",
		.state = 'R',
		.cpu_pct = 99,
		.last_cpu = 1,
		.switches = SAMPLE_UNKNOWN,
		.switch_rate = -1,
		.syscall = "running"
	};
	struct peer_report peer = {
		.transport = PEER_TCP,
		.fd = 9,
		.is_listening = true,
		.local = "127.0.0.1:80",
		.in_bytes = SAMPLE_UNKNOWN,
		.in_rate = -1,
		.out_rate = 1500,
		.rtt_ms = 0.04,
		.resent = 3
	};
	struct study sent = {
		.pid = 7,
		.loops = &loop,
		.loop_count = 1,
		.pools = &pool,
		.pool_count = 1,
		.threads = &thread,
		.thread_count = 1,
		.peers = &peer,
		.peer_count = 1,
		.growths = { { .figure = GROWTH_FDS,
			.slope = { 0.5, 0.25, 0.75, 300 },
			.now = 40,
			.ceiling = { 1024, "RLIMIT_NOFILE" },
			.left_ms = SAMPLE_UNKNOWN } },
		.growth_count = 1
	};

	study_sum(&sent);
	study_find(&sent, "%d wait", 46);
	struct study back = received(&sent);
	ck_assert_uint_eq(back.inside.queue, 46);
	ck_assert_uint_eq(back.inside.lag_ms, 1200);
	ck_assert(back.loops[0].is_main && back.loops[0].undelivered == 5);
	ck_assert_uint_eq(back.pools[0].by_kind[WORK_OTHER], 46);
	ck_assert(!back.pools[0].is_exact);
	ck_assert_str_eq(back.pools[0].reason, "the queue moved");
	ck_assert_str_eq(back.threads[0].role, "main");
	ck_assert(back.threads[0].switches == SAMPLE_UNKNOWN && back.threads[0].switch_rate < 0);
	ck_assert(back.peers[0].is_listening && back.peers[0].in_bytes == SAMPLE_UNKNOWN);
	ck_assert(back.peers[0].in_rate < 0 && back.peers[0].out_rate == 1500);
	ck_assert(back.peers[0].rtt_ms == 0.04 && back.peers[0].resent == 3);
	ck_assert_uint_eq(back.growth_count, 1);
	ck_assert(back.growths[0].figure == GROWTH_FDS && back.growths[0].slope.high_per_s == 0.75);
	ck_assert(back.growths[0].ceiling.most == 1024 && back.growths[0].left_ms == SAMPLE_UNKNOWN);
	ck_assert_str_eq(back.growths[0].ceiling.of, "RLIMIT_NOFILE");
	ck_assert_str_eq(back.findings[0], "46 wait");
	study_finish(&back);
	free(sent.findings[0]);
}
END_TEST

START_TEST(a_sum_leaves_out_what_is_not_known)
{
	struct pool_report pools[] = {
		{ .threads = 4,
			.busy = SAMPLE_UNKNOWN,
			.queued = SAMPLE_UNKNOWN },
		{ .threads = 2,
			.busy = 1,
			.queued = 3 }
	};
	struct study study = { .pools = pools, .pool_count = 2 };

	study_sum(&study);
	ck_assert_uint_eq(study.inside.queue, 3);
	ck_assert_uint_eq(study.inside.size, 6);
	ck_assert(study.inside.lag_ms == SAMPLE_UNKNOWN);
}
END_TEST

Suite *inside_suite(void);

Suite *inside_suite(void)
{
	Suite *suite = suite_create("inside");
	TCase *tcase = tcase_create("inside");

	tcase_add_test(tcase, what_is_not_known_is_null_and_comes_back_unknown);
	tcase_add_test(tcase, a_study_survives_the_wire);
	tcase_add_test(tcase, a_sum_leaves_out_what_is_not_known);
	suite_add_tcase(suite, tcase);
	return suite;
}
