#include <check.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "model/project.h"

static void depend(struct service_spec *spec, const char *on)
{
	spec->depends_on = memory_zeroed(1, sizeof *spec->depends_on);
	spec->depends_on[0].service = memory_copy(on);
	spec->depends_count = 1;
}

static struct project_spec *make(const char *const *names, size_t count)
{
	struct project_spec *spec = project_spec_create();

	for (size_t i = 0; i < count; i++)
		project_spec_add(spec, names[i]);
	return spec;
}

START_TEST(instances_stay_with_the_names_of_their_services)
{
	struct project project;
	struct instance a0 = { .index = 0 }, b0 = { .index = 0 }, b1 = { .index = 1 };

	project_init(&project, make((const char *const[]){ "a", "b" }, 2));
	service_add(project_find(&project, "a"), &a0);
	service_add(project_find(&project, "b"), &b0);
	service_add(project_find(&project, "b"), &b1);
	struct project_spec *former = project_replace(&project, make((const char *const[]){ "b", "c", "a" }, 3));
	ck_assert_uint_eq(former->service_count, 2);
	project_spec_destroy(former);
	ck_assert_uint_eq(project.count, 3);
	ck_assert_ptr_eq(project.services[0].spec, &project.spec->services[0]);
	ck_assert_ptr_eq(service_find(project_find(&project, "b"), 1), &b1);
	ck_assert_ptr_eq(service_find(project_find(&project, "a"), 0), &a0);
	ck_assert_uint_eq(project_find(&project, "c")->count, 0);
	project_finish(&project);
}
END_TEST

START_TEST(dependents_are_found_anew)
{
	struct project project;
	struct instance b0 = { .state = STATE_RUNNING };

	project_init(&project, make((const char *const[]){ "a", "b" }, 2));
	service_add(project_find(&project, "b"), &b0);
	ck_assert(project_may_stop(&project, project_find(&project, "a")));
	struct project_spec *spec = make((const char *const[]){ "a", "b" }, 2);
	depend(project_spec_find(spec, "b"), "a");
	project_spec_destroy(project_replace(&project, spec));
	ck_assert(!project_may_stop(&project, project_find(&project, "a")));
	project_finish(&project);
}
END_TEST

START_TEST(a_service_without_instances_can_be_forgotten)
{
	struct project project;
	struct instance c0 = { .index = 0 };

	project_init(&project, make((const char *const[]){ "a", "b", "c" }, 3));
	service_add(project_find(&project, "c"), &c0);
	project_forget(&project, project_find(&project, "b"));
	ck_assert_uint_eq(project.count, 2);
	ck_assert_uint_eq(project.spec->service_count, 2);
	ck_assert_ptr_null(project_find(&project, "b"));
	ck_assert_str_eq(project_find(&project, "c")->spec->name, "c");
	ck_assert_ptr_eq(service_find(project_find(&project, "c"), 0), &c0);
	project_finish(&project);
}
END_TEST

Suite *project_suite(void)
{
	Suite *suite = suite_create("project");
	TCase *changes = tcase_create("changes");

	tcase_add_test(changes, instances_stay_with_the_names_of_their_services);
	tcase_add_test(changes, dependents_are_found_anew);
	tcase_add_test(changes, a_service_without_instances_can_be_forgotten);
	suite_add_tcase(suite, changes);
	return suite;
}
