#include "model/spec.h"

#include <assert.h>
#include <ctype.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/resource.h>

#include "base/memory.h"

enum { FIRST_ROOM = 4,
	STOP_MS = 5000,
	LOG_FILES = 5,
	LOG_SIZE = 10 * 1024 * 1024 };

void strings_add(struct strings *list, const char *text)
{
	/* room for this one and the NULL behind it */
	if (list->count == 0 ||
		(list->count >= FIRST_ROOM - 1 && ((list->count + 1) & list->count) == 0)) {
		size_t room = list->count ? (list->count + 1) * 2 : FIRST_ROOM;
		list->items = memory_resize(list->items, room, sizeof *list->items);
	}
	list->items[list->count++] = memory_copy(text);
	list->items[list->count] = NULL;
}

void strings_finish(struct strings *list)
{
	for (size_t i = 0; i < list->count; i++)
		free(list->items[i]);
	free(list->items);
	*list = (struct strings){ 0 };
}

static char **find_variable(const struct strings *list, const char *name)
{
	size_t length = strlen(name);

	for (size_t i = 0; i < list->count; i++)
		if (strncmp(list->items[i], name, length) == 0 && list->items[i][length] == '=')
			return &list->items[i];
	return NULL;
}

void strings_set_variable(struct strings *list, const char *name, const char *value)
{
	char **place = find_variable(list, name);
	char *entry = memory_format("%s=%s", name, value);

	if (place) {
		free(*place);
		*place = entry;
		return;
	}
	strings_add(list, entry);
	free(entry);
}

const char *strings_get_variable(const struct strings *list, const char *name)
{
	char **place = find_variable(list, name);

	return place ? *place + strlen(name) + 1 : NULL;
}

static const char *const conditions[] = {
	[CONDITION_STARTED] = "process_started",
	[CONDITION_COMPLETED] = "process_completed",
	[CONDITION_COMPLETED_SUCCESSFULLY] = "process_completed_successfully",
	[CONDITION_HEALTHY] = "process_healthy",
	[CONDITION_LOG_READY] = "process_log_ready",
};
static_assert(sizeof conditions / sizeof *conditions == CONDITION_COUNT, "name every condition");

const char *condition_name(enum condition condition)
{
	return conditions[condition];
}

void service_spec_init(struct service_spec *spec)
{
	*spec = (struct service_spec){
		.instances = 1,
		.umask = -1,
		.shutdown = { SIGTERM, STOP_MS, false },
		.log = { .max_size = LOG_SIZE, .max_files = LOG_FILES },
	};
	restart_policy_init(&spec->restart);
}

void service_spec_finish(struct service_spec *spec)
{
	free(spec->name);
	free(spec->command);
	strings_finish(&spec->argv);
	free(spec->working_dir);
	strings_finish(&spec->environment);
	strings_finish(&spec->namespaces);
	free(spec->user);
	free(spec->group);
	for (size_t i = 0; i < spec->depends_count; i++)
		free(spec->depends_on[i].service);
	free(spec->depends_on);
	free(spec->log.dir);
	free(spec->origin);
	*spec = (struct service_spec){ 0 };
}

struct project_spec *project_spec_create(void)
{
	struct project_spec *project = memory_zeroed(1, sizeof *project);

	project->log = (struct log_spec){ .max_size = LOG_SIZE, .max_files = LOG_FILES };
	return project;
}

void project_spec_destroy(struct project_spec *project)
{
	if (!project)
		return;
	for (size_t i = 0; i < project->service_count; i++)
		service_spec_finish(&project->services[i]);
	free(project->services);
	free(project->name);
	free(project->dir);
	strings_finish(&project->files);
	free(project->log.dir);
	free(project);
}

struct service_spec *project_spec_add(struct project_spec *project, const char *name)
{
	project->services = memory_resize(project->services, project->service_count + 1,
		sizeof *project->services);
	struct service_spec *spec = &project->services[project->service_count++];
	service_spec_init(spec);
	spec->name = memory_copy(name);
	return spec;
}

struct service_spec *project_spec_find(const struct project_spec *project, const char *name)
{
	for (size_t i = 0; i < project->service_count; i++)
		if (strcmp(project->services[i].name, name) == 0)
			return &project->services[i];
	return NULL;
}

bool service_name_is_valid(const char *name)
{
	size_t length = strlen(name);

	if (length == 0 || length > SERVICE_NAME_MOST || !isalnum((unsigned char)name[0]))
		return false;
	for (size_t i = 0; i < length; i++)
		if (!isalnum((unsigned char)name[i]) && !strchr("._-", name[i]))
			return false;
	return strcmp(name, "all") != 0;
}

const char *signal_name(int number)
{
	const char *name = number > 0 && number < NSIG ? sigabbrev_np(number) : NULL;

	return name ? name : "?";
}

int signal_number(const char *name)
{
	char *end;
	long number = strtol(name, &end, 10);

	if (end != name && !*end)
		return number > 0 && number < NSIG ? (int)number : 0;
	if (strncasecmp(name, "SIG", 3) == 0)
		name += 3;
	for (int i = 1; i < NSIG; i++)
		if (sigabbrev_np(i) && strcasecmp(sigabbrev_np(i), name) == 0)
			return i;
	return 0;
}

static const char *const rlimits[SPEC_RLIMITS] = {
	[RLIMIT_AS] = "as",
	[RLIMIT_CORE] = "core",
	[RLIMIT_CPU] = "cpu",
	[RLIMIT_DATA] = "data",
	[RLIMIT_FSIZE] = "fsize",
	[RLIMIT_LOCKS] = "locks",
	[RLIMIT_MEMLOCK] = "memlock",
	[RLIMIT_MSGQUEUE] = "msgqueue",
	[RLIMIT_NICE] = "nice",
	[RLIMIT_NOFILE] = "nofile",
	[RLIMIT_NPROC] = "nproc",
	[RLIMIT_RSS] = "rss",
	[RLIMIT_RTPRIO] = "rtprio",
	[RLIMIT_RTTIME] = "rttime",
	[RLIMIT_SIGPENDING] = "sigpending",
	[RLIMIT_STACK] = "stack",
};

int rlimit_number(const char *name)
{
	for (int i = 0; i < SPEC_RLIMITS; i++)
		if (rlimits[i] && strcmp(rlimits[i], name) == 0)
			return i;
	return -1;
}

const char *rlimit_name(int number)
{
	return number >= 0 && number < SPEC_RLIMITS ? rlimits[number] : NULL;
}
