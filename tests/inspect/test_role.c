#include <check.h>

#include "inspect/maps.h"
#include "inspect/role.h"
#include "inspect/task.h"

START_TEST(names_tell_roles)
{
	ck_assert_str_eq(role_of_name("libuv-worker"), "pool worker");
	ck_assert_str_eq(role_of_name("GC Thread#3"), "gc");
	ck_assert_str_eq(role_of_name("tokio-runtime-w"), "tokio worker");
	ck_assert_str_eq(role_of_name("whatever"), "");
}
END_TEST

START_TEST(system_calls_have_names)
{
#ifdef __x86_64__
	ck_assert_str_eq(syscall_name(232), "epoll_wait");
	ck_assert_str_eq(syscall_name(202), "futex");
#endif
	ck_assert_ptr_null(syscall_name(-1));
	ck_assert_ptr_null(syscall_name(100000));
}
END_TEST

START_TEST(variables_go_on_into_zeroed_memory)
{
	struct maps maps = { 0 };

	maps_take_line(&maps, "400000-401000 r-xp 00000000 08:01 77 /bin/a b");
	maps_take_line(&maps, "600000-601000 rw-p 00001000 08:01 77 /bin/a b");
	maps_take_line(&maps, "601000-605000 rw-p 00000000 00:00 0 ");
	maps_take_line(&maps, "605000-606000 rw-p 00000000 00:00 0 [heap]");
	maps_take_line(&maps, "nonsense");
	maps_take_line(&maps, "700000-6fffff rw-p 00000000 08:01 78 /bin/backwards");
	ck_assert_uint_eq(maps.count, 1);
	ck_assert_str_eq(maps.files[0].path, "/bin/a b");
	ck_assert(maps.files[0].has_code && maps.files[0].start == 0x400000);
	ck_assert_uint_eq(maps.files[0].writable_count, 1);
	ck_assert_uint_eq(maps.files[0].writable[0].end, 0x605000);
	maps_finish(&maps);
}
END_TEST

Suite *role_suite(void);

Suite *role_suite(void)
{
	Suite *suite = suite_create("role");
	TCase *tcase = tcase_create("role");

	tcase_add_test(tcase, names_tell_roles);
	tcase_add_test(tcase, system_calls_have_names);
	tcase_add_test(tcase, variables_go_on_into_zeroed_memory);
	suite_add_tcase(suite, tcase);
	return suite;
}
