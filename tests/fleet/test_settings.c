#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "fleet/settings.h"

static const struct {
	const char *server, *host; /* host NULL: a socket */
	unsigned port;
} places[] = {
	{ "7000", "127.0.0.1", 7000 },
	{ "redis.local", "redis.local", 6379 },
	{ "redis.local:7001", "redis.local", 7001 },
	{ ":7002", "127.0.0.1", 7002 },
	{ "[::1]:7003", "::1", 7003 },
	{ "[fe80::2]", "fe80::2", 6379 },
	{ "fe80::2", "fe80::2", 6379 },
	{ "unix:///run/redis", NULL, 0 },
};

static const char *const wrong_places[] = { "unix://run/redis", "host:", "host:port", "host:0", "host:65536", "0", "1:2x", "[::1]:99999" };

START_TEST(a_server_is_named_in_many_ways)
{
	struct error err;

	for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
		struct settings settings;
		setenv("THRUM_REDIS", places[i].server, 1);
		ck_assert_msg(settings_read(&settings, &err), "%s: %s", places[i].server, err.text);
		if (places[i].host) {
			ck_assert_str_eq(settings.host, places[i].host);
			ck_assert_uint_eq(settings.port, places[i].port);
			ck_assert_ptr_null(settings.path);
		} else {
			ck_assert_str_eq(settings.path, "/run/redis");
		}
	}
}
END_TEST

START_TEST(what_is_no_server_is_said)
{
	struct settings settings;
	struct error err;

	for (size_t i = 0; i < sizeof wrong_places / sizeof *wrong_places; i++) {
		setenv("THRUM_REDIS", wrong_places[i], 1);
		ck_assert_msg(!settings_read(&settings, &err), "%s", wrong_places[i]);
		ck_assert_msg(strstr(err.text, "unix:///PATH"), "%s", err.text);
	}
	unsetenv("THRUM_REDIS");
	ck_assert(!settings_read(&settings, &err));
	ck_assert(strstr(err.text, "THRUM_REDIS is not set"));
}
END_TEST

static bool read_with(const char *name, const char *value, struct settings *settings, struct error *err)
{
	setenv("THRUM_REDIS", "6379", 1);
	setenv(name, value, 1);
	bool ok = settings_read(settings, err);
	unsetenv(name);
	return ok;
}

START_TEST(numbers_have_a_least_and_names_a_default)
{
	struct settings settings;
	struct error err;

	ck_assert(read_with("THRUM_PROJECT", "shop", &settings, &err));
	ck_assert_str_eq(settings.project, "shop");
	ck_assert_str_eq(settings.prefix, "thrum");
	ck_assert_uint_eq(settings.claim_ms, 60000);
	ck_assert_uint_eq(settings.deliveries, 3);
	ck_assert(read_with("THRUM_REDIS_NAME", "left", &settings, &err));
	ck_assert_str_eq(settings.name, "left/");
	ck_assert(read_with("THRUM_REDIS_CLAIM_MS", "100", &settings, &err) && settings.claim_ms == 100);
	ck_assert(!read_with("THRUM_REDIS_CLAIM_MS", "99", &settings, &err) && strstr(err.text, "from 100 on"));
	for (const char *const *wrong = (const char *[]){ "-1", "x", "1x", "99999999999999999999", NULL }; *wrong; wrong++)
		ck_assert_msg(!read_with("THRUM_REDIS_DATABASE", *wrong, &settings, &err), "%s", *wrong);
	ck_assert(!read_with("THRUM_REDIS_DELIVERIES", "0", &settings, &err));
}
END_TEST

Suite *settings_suite(void)
{
	Suite *suite = suite_create("settings");
	TCase *tcase = tcase_create("settings");

	tcase_add_test(tcase, a_server_is_named_in_many_ways);
	tcase_add_test(tcase, what_is_no_server_is_said);
	tcase_add_test(tcase, numbers_have_a_least_and_names_a_default);
	suite_add_tcase(suite, tcase);
	return suite;
}
