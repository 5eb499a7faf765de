/* Starting a project, or joining the one that runs. */
#include <errno.h>
#include <poll.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "cli/cli.h"
#include "client/launch.h"
#include "config/describe.h"
#include "config/diff.h"
#include "config/load.h"
#include "config/print.h"
#include "tui/dashboard.h"
#include "tui/settings.h"

enum { SPEC_MOST = 16 * 1024 * 1024,
	ENDING_MS = 10000,
	RETRY_MS = 10 };

void cli_print_problems(const struct problems *problems)
{
	struct text text;

	text_init(&text, 1024 * 1024);
	problems_print(problems, &text);
	fputs(text_string(&text), stderr);
	text_finish(&text);
}

/* Of --profile, else of THRUM_PROFILE: names with commas between. free() the room, which they point into. */
static char *choose_profiles(const struct invocation *invocation,
	const char *chosen[CLI_PROFILES_MOST], size_t *count)
{
	const char *variable = getenv("THRUM_PROFILE");
	char *room = memory_copy(variable && !invocation->profile_count ? variable : ""), *rest = room;

	for (*count = 0; *count < invocation->profile_count; ++*count)
		chosen[*count] = invocation->profiles[*count];
	for (char *name; *count < CLI_PROFILES_MOST && (name = strsep(&rest, ","));)
		if (*name)
			chosen[(*count)++] = name;
	return room;
}

struct project_spec *cli_load(const struct invocation *invocation, int *status)
{
	const char *variable = getenv("THRUM_PROJECT"), *found;
	struct config_options options = { .project = invocation->project       ? invocation->project
						     : variable && variable[0] ? variable
									       : NULL };
	const char *profiles[CLI_PROFILES_MOST];
	char path[PATH_MAX];
	struct problems problems;
	struct error err;

	if (!invocation->file_count && !config_find(".", path, &err)) {
		*status = cli_fail(EXIT_USAGE, "%s", err.text);
		return NULL;
	}
	found = path + 2; /* without "./" */
	char *room = choose_profiles(invocation, profiles, &options.profile_count);
	options.profiles = profiles;
	problems_init(&problems);
	struct project_spec *spec = invocation->file_count
					    ? config_load_files(invocation->files,
						      invocation->file_count, &options, &problems)
					    : config_load_files(&found, 1, &options, &problems);
	cli_print_problems(&problems);
	problems_finish(&problems);
	free(room);
	if (!spec)
		*status = EXIT_USAGE;
	return spec;
}

static int print_schema(const char *format)
{
	struct text manual;

	if (strcmp(format, "json") == 0) {
		json_t *schema = config_schema();
		json_dumpf(schema, stdout, JSON_INDENT(2));
		putchar('\n');
		json_decref(schema);
		return EXIT_OK;
	}
	if (strcmp(format, "man") != 0)
		return cli_fail(EXIT_USAGE, "--schema takes json or man, not '%s'", format);
	text_init(&manual, SPEC_MOST);
	config_manual(&manual);
	fputs(text_string(&manual), stdout);
	text_finish(&manual);
	return EXIT_OK;
}

int cli_check(struct invocation *invocation)
{
	int status = EXIT_OK;

	if (invocation->schema)
		return print_schema(invocation->schema);
	struct project_spec *spec = cli_load(invocation, &status);
	struct text text;

	if (!spec)
		return status;
	text_init(&text, SPEC_MOST);
	config_print(&text, spec);
	fputs(text_string(&text), stdout);
	text_finish(&text);
	project_spec_destroy(spec);
	return EXIT_OK;
}

/* A project without a file: what is launched by hand goes into it. */
static struct project_spec *empty_project(const struct invocation *invocation)
{
	struct project_spec *spec = project_spec_create();
	char dir[PATH_MAX];

	spec->name = cli_project(invocation);
	spec->dir = memory_copy(getcwd(dir, sizeof dir) ? dir : "/");
	return spec;
}

/* An engine runs already, and this is what it says of itself: is it this project, of this folder, from this file? */
static bool is_the_same(const json_t *hello, const struct project_spec *spec, const char *digest, int *status)
{
	const char *dir = json_string_value(json_object_get(hello, "dir"));
	const char *theirs = json_string_value(json_object_get(hello, "digest"));

	if (dir && strcmp(dir, spec->dir) != 0) {
		*status = cli_fail(EXIT_USAGE,
			"project '%s' runs already, from %s; give this one another name with `name:` or -p",
			spec->name, dir);
		return false;
	}
	if (digest && theirs && strcmp(digest, theirs) != 0) {
		*status = cli_fail(EXIT_USAGE,
			"the running engine of '%s' has a different configuration; "
			"`thrum plan` shows what differs, `thrum apply` takes this one",
			spec->name);
		return false;
	}
	return true;
}

static struct link *first_link(const struct launch *launch, int *status)
{
	struct error err = { 0 };
	struct link *link = link_open(launch->project, &err);
	json_t *hello =
		link ? link_call(link, "hello", json_pack("{s:s}", "client", "cli"), CALL_MS, &err)
		     : NULL;

	if (hello) {
		json_decref(hello);
		return link;
	}
	link_close(link);
	launch_explain(launch, &err);
	*status = cli_fail(EXIT_NO_ENGINE, "the engine does not answer: %s", err.text);
	return NULL;
}

/* One that is over answers still, to who reads what is left of its output. */
static json_t *ask_who_runs(struct link *link, const char *project, struct error *err)
{
	json_t *hello = link_call(link, "hello", json_pack("{s:s}", "client", "cli"), CALL_MS, err);

	if (json_is_true(json_object_get(hello, "over"))) {
		error_set(err, ECONNREFUSED, "the engine of '%s' is about to end", project);
		json_decref(hello);
		hello = NULL;
	}
	return hello;
}

/* An engine that holds the lock and is over, or answers no more, is about to end: its place is free in a moment. */
static struct link *join_or_wait(struct launch *launch, bool *is_launched, json_t **hello, struct error *err)
{
	uint64_t until_ms = clock_monotonic_ms() + ENDING_MS;

	for (;;) {
		struct link *link = link_open(launch->project, err);
		*hello = link ? ask_who_runs(link, launch->project, err) : NULL;
		if (*hello)
			return link;
		link_close(link);
		if (cli_status(err) != EXIT_NO_ENGINE || clock_monotonic_ms() > until_ms)
			return NULL;
		poll(NULL, 0, RETRY_MS);
		*is_launched = launch_project(launch, err);
		if (*is_launched || err->code != EBUSY)
			return NULL;
	}
}

json_t *cli_start_params(const struct invocation *invocation, bool resumes)
{
	json_t *params = invocation->name_count ? cli_names(invocation) : json_pack("{s:[s]}", "names", "all");

	if (invocation->no_deps)
		json_object_set_new(params, "no_deps", json_true());
	if (resumes)
		json_object_set_new(params, "resume", json_true());
	return params;
}

/* was_running: there was one. digest NULL: whatever it was started from. */
static struct link *launch_or_join(
	const struct project_spec *spec, bool compares, bool *was_running, int *status)
{
	struct launch launch = { .project = spec->name, .dir = spec->dir };
	char digest[DIGEST_SIZE];
	struct error err = { 0 };
	struct link *link = NULL;
	json_t *hello = NULL;
	struct text text;

	text_init(&text, SPEC_MOST);
	config_print(&text, spec);
	launch.spec = text_string(&text);
	launch.spec_size = text.size;
	config_digest(digest, spec);
	bool is_launched = launch_project(&launch, &err);
	if (!is_launched && err.code == EBUSY)
		link = join_or_wait(&launch, &is_launched, &hello, &err);
	*was_running = link;
	if (is_launched) {
		link = first_link(&launch, status);
	} else if (!link) {
		*status = cli_fail(err.code == EBUSY ? EXIT_NO_ENGINE : EXIT_FAILED, "%s", err.text);
	} else if (!is_the_same(hello, spec, compares ? digest : NULL, status)) {
		link_close(link);
		link = NULL;
	}
	json_decref(hello);
	text_finish(&text);
	return link;
}

static bool start(struct link *link, const struct invocation *invocation, bool resumes, int *status)
{
	json_t *params = cli_start_params(invocation, resumes);
	json_t *result = cli_call(link, "start", params, status), *instance;
	size_t i;

	if (invocation->detach && invocation->json && result)
		cli_print_json(json_object_get(result, "instances"));
	else if (invocation->detach)
		json_array_foreach(json_object_get(result, "instances"), i, instance) printf(
			"%s/%lld started\n",
			json_string_value(json_object_get(instance, "service")),
			(long long)json_integer_value(json_object_get(instance, "instance")));
	json_decref(result);
	return result;
}

bool cli_settings(const struct invocation *invocation, struct settings *settings, struct error *problem)
{
	char line[64];
	struct error err;

	problem->text[0] = '\0';
	settings_load(settings, problem);
	if (invocation->mouse)
		settings->style.has_mouse = true;
	if (!invocation->colours)
		return true;
	snprintf(line, sizeof line, "color %.32s", invocation->colours);
	return settings_take(settings, line, NULL, &err) || cli_fail(EXIT_USAGE, "--%s", err.text) == 0;
}

bool cli_is_plain(const struct invocation *invocation)
{
	const char *accessible = getenv("ACCESSIBLE");

	return invocation->plain || (accessible && accessible[0] && strcmp(accessible, "0") != 0);
}

static int open_dashboard(const struct invocation *invocation, const char *project, bool started_here)
{
	struct settings settings = { 0 };
	struct error problem;

	if (!cli_settings(invocation, &settings, &problem))
		return EXIT_USAGE;
	return dashboard_run(&(struct dashboard_options){ .project = project,
		.read_only = invocation->read_only,
		.started_here = started_here,
		.is_plain = cli_is_plain(invocation),
		.ends_on_hangup = invocation->ends_on_hangup,
		.settings = &settings,
		.problem = problem.text[0] ? problem.text : NULL });
}

static bool is_terminal(void)
{
	return isatty(STDIN_FILENO) && isatty(STDOUT_FILENO);
}

static int go_on(struct link *link, struct invocation *invocation, const struct project_spec *spec,
	bool was_running)
{
	int status = EXIT_OK;
	bool in_front = invocation->headless || (!invocation->detach && !is_terminal());

	if (in_front && was_running) {
		link_close(link);
		return cli_fail(EXIT_USAGE,
			"the engine of '%s' runs already: `thrum logs -f` and `thrum events -f` follow it, "
			"`thrum down` ends it",
			spec->name);
	}
	if (in_front)
		return cli_headless(link, invocation, spec);
	bool ok = start(link, invocation, !was_running, &status);
	link_close(link);
	if (!ok || invocation->detach)
		return status;
	return open_dashboard(invocation, spec->name, !was_running);
}

static bool check_format(const struct invocation *invocation)
{
	const char *format = invocation->format;

	if (!format || strcmp(format, "text") == 0 || strcmp(format, "json") == 0)
		return true;
	cli_fail(EXIT_USAGE, "--format takes text or json, not '%s'", format);
	return false;
}

int cli_up(struct invocation *invocation)
{
	int status = EXIT_USAGE;
	bool was_running;

	if (!check_format(invocation))
		return EXIT_USAGE;
	struct project_spec *spec = cli_load(invocation, &status);
	if (!spec)
		return status;
	struct link *link = launch_or_join(spec, true, &was_running, &status);
	if (link)
		status = go_on(link, invocation, spec, was_running);
	project_spec_destroy(spec);
	return status;
}

/* `thrum` alone: join what runs here, else start the folder's project, or an empty one. */
int cli_dashboard(struct invocation *invocation)
{
	char path[PATH_MAX];
	struct error err;
	int status = EXIT_OK;
	bool was_running;

	char *project = cli_project(invocation);
	struct link *link = link_open(project, &err);
	if (link) {
		bool is_ours = cli_is_of_here(link, invocation, &status);
		link_close(link);
		if (is_ours)
			status = open_dashboard(invocation, project, false);
		free(project);
		return status;
	}
	free(project);
	if (config_find(".", path, &err))
		return cli_up(invocation);
	if (!is_terminal())
		return cli_fail(EXIT_USAGE, "%s", err.text);
	struct project_spec *spec = empty_project(invocation);
	link = launch_or_join(spec, false, &was_running, &status);
	link_close(link);
	if (link)
		status = open_dashboard(invocation, spec->name, true);
	project_spec_destroy(spec);
	return status;
}

int cli_attach(struct invocation *invocation)
{
	int status = EXIT_OK;

	if (invocation->fleet)
		return invocation->name_count ? cli_fail(EXIT_USAGE, "attach --fleet takes no name") : cli_attach_fleet(invocation);
	if (invocation->name_count)
		return cli_attach_terminal(invocation);
	struct link *link = cli_connect(invocation, &status);
	if (!link)
		return status;
	link_close(link);
	char *project = cli_project(invocation);
	status = open_dashboard(invocation, project, false);
	free(project);
	return status;
}

static json_t *describe_run(const struct invocation *invocation, int *status)
{
	char dir[PATH_MAX] = "/";
	json_t *words = json_array();
	const char *program = strrchr(invocation->names[0], '/');
	char *name = config_make_name(invocation->name ? invocation->name
				      : program        ? program + 1
						       : invocation->names[0]);

	for (int i = 0; i < invocation->name_count; i++)
		if (json_array_append_new(words, json_string(invocation->names[i])) < 0)
			*status = EXIT_USAGE;
	const char *folder = invocation->directory ? invocation->directory : ".";
	if (!realpath(folder, dir))
		*status = cli_fail(EXIT_USAGE, "%s: %s", folder, strerror(errno));
	json_t *service = json_pack("{s:s,s:o,s:s,s:s,s:{s:s},s:s*}", "name", name, "command",
		words, "working_dir", dir, "origin", "run", "availability", "restart",
		invocation->restart ? invocation->restart : "no", "instances",
		invocation->instances);
	if (invocation->pty)
		json_object_set_new(service, "pty", json_true());
	free(name);
	if (*status == EXIT_OK)
		return json_pack("{s:o}", "service", service);
	json_decref(service);
	return NULL;
}

/* Into the running engine, or into a new one. */
int cli_run(struct invocation *invocation)
{
	int status = EXIT_OK;
	bool was_running;
	json_t *params = describe_run(invocation, &status);

	if (!params)
		return status ? status : cli_fail(EXIT_USAGE, "the command is not UTF-8");
	char *project = cli_project(invocation);
	struct error err;
	struct link *link = link_open(project, &err);
	free(project);
	if (!link) {
		struct project_spec *spec = empty_project(invocation);
		link = launch_or_join(spec, false, &was_running, &status);
		project_spec_destroy(spec);
	} else if (!cli_is_of_here(link, invocation, &status)) {
		link_close(link);
		link = NULL;
	}
	json_t *result = link ? cli_call(link, "run", json_incref(params), &status) : NULL;
	json_decref(params);
	if (result && invocation->json)
		cli_print_json(result);
	else if (result)
		printf("%s\n", json_string_value(json_object_get(result, "service")));
	json_decref(result);
	link_close(link);
	return status;
}
