#include <check.h>

#include "engine/adoption.h"
#include "keeper/protocol.h"
#include "model/spec.h"

enum { NOTHING = 0,
	OUTPUT = 1 << KEEPER_OUT,
	CHANNEL = OUTPUT | 1 << KEEPER_CHANNEL | 1 << KEEPER_INBOX,
	TERMINAL = OUTPUT | 1 << KEEPER_TERMINAL | 1 << KEEPER_HOP,
	READY = OUTPUT | 1 << KEEPER_READY };

static char word[] = "ready";

/* What may be taken over, by what is wanted of it and what the keeper still has; is_ready: it has said so. */
static const struct {
	struct service_spec spec;
	unsigned kinds;
	bool is_ready, may;
} cases[] = {
	{ { 0 }, NOTHING, false, true },
	{ { .pty = true }, NOTHING, false, false },
	{ { .pty = true }, OUTPUT, false, false },
	{ { .pty = true }, TERMINAL, false, true },
	{ { .ipc = true }, NOTHING, true, false },
	{ { .ipc = true }, CHANNEL, true, true },
	{ { .ipc = true, .exec_mode = EXEC_CLUSTER }, CHANNEL, true, false },
	{ { .listen_count = 1 }, OUTPUT, true, false },
	{ { .watchdog_ms = 1 }, NOTHING, true, false },
	{ { .watchdog_ms = 1 }, OUTPUT, true, true },
	{ { .ready = { .log = word } }, NOTHING, false, true },
	{ { .ready = { .notifies = true } }, NOTHING, false, false },
	{ { .ready = { .notifies = true } }, NOTHING, true, true },
	{ { .ready = { .notifies = true } }, OUTPUT, false, true },
	{ { .ready = { .fd = 3 } }, OUTPUT, false, false },
	{ { .ready = { .fd = 3 } }, OUTPUT, true, true },
	{ { .ready = { .fd = 3 } }, READY, false, true },
};

START_TEST(who_needs_what_is_gone_is_not_taken_over)
{
	const char *missing = adoption_missing(&cases[_i].spec, cases[_i].is_ready, cases[_i].kinds);

	ck_assert_msg(!missing == cases[_i].may, "case %d: %s", _i, missing ? missing : "nothing is missing");
}
END_TEST

Suite *adoption_suite(void)
{
	Suite *suite = suite_create("adoption");
	TCase *tcase = tcase_create("adoption");

	tcase_add_loop_test(tcase, who_needs_what_is_gone_is_not_taken_over, 0, sizeof cases / sizeof *cases);
	suite_add_tcase(suite, tcase);
	return suite;
}
