#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "inspect/finding.h"
#include "inspect/stream.h"
#include "model/sample.h"

#define SECOND 1000000000ull

static struct peer_report peer;
static struct study study;
static struct streams streams;

static void setup(void)
{
	peer = (struct peer_report){ .transport = PEER_TCP, .fd = 9, .remote = "10.0.0.7:5432", .inode = 77 };
	peer.in_rate = peer.resent_rate = -1;
	study = (struct study){ .peers = &peer, .peer_count = 1 };
}

static bool is_found(const char *words)
{
	bool found = false;

	study.finding_count = 0;
	findings_add(&study, "");
	for (size_t i = 0; i < study.finding_count; i++) {
		found = found || strstr(study.findings[i], words);
		free(study.findings[i]);
	}
	study.finding_count = 0;
	return found;
}

START_TEST(a_peer_that_does_not_answer_is_named)
{
	ck_assert(!is_found("does not answer"));
	peer.unanswered = 2; /* that happens */
	ck_assert(!is_found("does not answer"));
	peer.unanswered = 5;
	ck_assert(is_found("10.0.0.7:5432 (nobody that can be seen, descriptor 9) does not answer: the same was sent 5 times again"));
	peer.unanswered = SAMPLE_UNKNOWN;
	ck_assert(!is_found("does not answer"));
}
END_TEST

START_TEST(lost_packets_are_told_while_they_are_lost)
{
	peer.resent_rate = 40;
	ck_assert(is_found("loses packets: 40 are sent again a second"));
	peer.resent_rate = 0;
	ck_assert(!is_found("loses packets"));
}
END_TEST

static void look(uint64_t at_ns, uint64_t in, uint64_t resent)
{
	peer.in_rate = peer.out_rate = peer.resent_rate = -1;
	peer.in_bytes = in;
	peer.out_bytes = SAMPLE_UNKNOWN;
	peer.resent = resent;
	streams_take(&streams, &study, at_ns);
}

START_TEST(rates_are_differences_of_two_looks)
{
	look(100 * SECOND, 5000, 1);
	ck_assert(peer.in_rate < 0);
	look(102 * SECOND, 9000, 21);
	ck_assert_double_eq(peer.in_rate, 2000);
	ck_assert_double_eq(peer.resent_rate, 10);
	ck_assert(peer.out_rate < 0);
	streams_finish(&streams);
}
END_TEST

START_TEST(a_look_just_after_another_is_compared_with_the_one_before)
{
	look(100 * SECOND, 0, 0);
	look(101 * SECOND, 1000, 0);
	look(101 * SECOND + SECOND / 100, 1000, 0);
	look(102 * SECOND, 3000, 0);
	ck_assert_double_eq(peer.in_rate, 2000);
	streams_finish(&streams);
}
END_TEST

START_TEST(a_connection_that_comes_just_after_a_look_has_a_rate_at_the_next)
{
	study.peer_count = 0;
	look(100 * SECOND, 0, 0);
	study.peer_count = 1;
	look(100 * SECOND + SECOND / 100, 0, 0);
	look(100 * SECOND + SECOND / 100 + SECOND / 4, 1000, 0);
	ck_assert_double_eq(peer.in_rate, 4000);
	streams_finish(&streams);
}
END_TEST

START_TEST(a_number_that_another_socket_has_now_gives_no_rate)
{
	look(100 * SECOND, 5000, 0);
	look(101 * SECOND, 100, 0);
	ck_assert(peer.in_rate < 0);
	peer.inode = 78;
	look(102 * SECOND, 200, 0);
	ck_assert(peer.in_rate < 0);
	streams_finish(&streams);
}
END_TEST

Suite *finding_suite(void)
{
	Suite *suite = suite_create("finding");
	TCase *tcase = tcase_create("peers");

	tcase_add_checked_fixture(tcase, setup, NULL);
	tcase_add_test(tcase, a_peer_that_does_not_answer_is_named);
	tcase_add_test(tcase, lost_packets_are_told_while_they_are_lost);
	tcase_add_test(tcase, rates_are_differences_of_two_looks);
	tcase_add_test(tcase, a_look_just_after_another_is_compared_with_the_one_before);
	tcase_add_test(tcase, a_connection_that_comes_just_after_a_look_has_a_rate_at_the_next);
	tcase_add_test(tcase, a_number_that_another_socket_has_now_gives_no_rate);
	suite_add_tcase(suite, tcase);
	return suite;
}
