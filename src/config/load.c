#include "config/load.h"

#include <ctype.h>
#include <errno.h>
#include <fnmatch.h>
#include <grp.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/text.h"
#include "model/command.h"
#include "config/consistency.h"
#include "config/emit.h"
#include "config/environment.h"
#include "config/foreign.h"
#include "config/gateway.h"
#include "config/procfile.h"
#include "config/scan.h"
#include "config/schema.h"
#include "config/take.h"
#include "config/trust.h"

enum { FILES_MOST = 16,
	MERGE_MOST = 200000 };

/* Which default restart policy a kind of file has, and how it is scanned. */
enum file_kind { FILE_THRUM,
	FILE_PROCESS_COMPOSE,
	FILE_PROCFILE,
	FILE_JSON,
	FILE_PM2,
	FILE_SUPERVISORD,
	FILE_COMPOSE,
	FILE_KIND_COUNT };

struct loading {
	struct document documents[FILES_MOST];
	size_t count;
	enum file_kind kind;      /* of the first file */
	struct node *root;        /* all files merged */
	struct layers layers;     /* of variables: the project's */
	struct strings variables; /* … and what comes of them */
	struct project_spec *project;
	struct reading reading;
	struct strings shell_words; /* what commands that need a shell are given to */
	const struct node **at;     /* owned: where each service is written */
	bool checks;                /* look at the file system, users, folders */
	unsigned merges;
};

static const struct {
	const char *name;
	enum file_kind kind;
} known_files[] = {
	{ "thrum.yaml", FILE_THRUM },
	{ "thrum.yml", FILE_THRUM },
	{ "process-compose.yaml", FILE_PROCESS_COMPOSE },
	{ "process-compose.yml", FILE_PROCESS_COMPOSE },
	{ "ecosystem.config.js", FILE_PM2 },
	{ "ecosystem.config.cjs", FILE_PM2 },
	{ "ecosystem.config.json", FILE_PM2 },
	{ "ecosystem.config.yaml", FILE_PM2 },
	{ "ecosystem.config.yml", FILE_PM2 },
	{ "Procfile", FILE_PROCFILE },
};

/* What the end of a path tells; the first that fits. */
static const struct {
	const char *glob;
	enum file_kind kind;
} file_globs[] = {
	{ "Procfile*", FILE_PROCFILE },
	{ "process-compose*", FILE_PROCESS_COMPOSE },
	{ "ecosystem*", FILE_PM2 },
	{ "dump.pm2*", FILE_PM2 },
	{ "pm2.*", FILE_PM2 },
	{ "*.js", FILE_PM2 },
	{ "*.cjs", FILE_PM2 },
	{ "*.mjs", FILE_PM2 },
	{ "supervisord*.conf", FILE_SUPERVISORD },
	{ "*.ini", FILE_SUPERVISORD },
	{ "compose*.y*ml", FILE_COMPOSE },
	{ "docker-compose*.y*ml", FILE_COMPOSE },
	{ "?*.json", FILE_JSON },
};

/* What `thrum import` calls them. */
static const char *const kind_names[FILE_KIND_COUNT] = {
	[FILE_PROCESS_COMPOSE] = "process-compose",
	[FILE_PROCFILE] = "procfile",
	[FILE_PM2] = "pm2",
	[FILE_SUPERVISORD] = "supervisord",
	[FILE_COMPOSE] = "compose",
};

bool config_find(const char *dir, char path[PATH_MAX], struct error *err)
{
	for (size_t i = 0; i < sizeof known_files / sizeof *known_files; i++) {
		snprintf(path, PATH_MAX, "%s/%s", dir, known_files[i].name);
		if (access(path, F_OK) == 0)
			return true;
	}
	return error_set(err, ENOENT,
		"no thrum.yaml, process-compose.yaml, ecosystem.config.js or Procfile is in %s; "
		"write one, name one with -f, or launch a command with `thrum run -- COMMAND`",
		dir);
}

static enum file_kind kind_of(const char *path)
{
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	for (size_t i = 0; i < sizeof file_globs / sizeof *file_globs; i++)
		if (fnmatch(file_globs[i].glob, name, 0) == 0)
			return file_globs[i].kind;
	return FILE_THRUM;
}

char *config_make_name(const char *text)
{
	struct text name;

	text_init(&name, SERVICE_NAME_MOST);
	for (; *text; text++) {
		bool is_fine = isalnum((unsigned char)*text) || (name.size && strchr("._-", *text));
		if (is_fine)
			text_putc(&name, *text);
		else if (name.size && name.data[name.size - 1] != '-')
			text_putc(&name, '-');
	}
	while (name.size && name.data[name.size - 1] == '-')
		name.data[--name.size] = '\0';
	if (!name.size)
		text_puts(&name, "project");
	return text_take(&name);
}

/* ---- reading and merging ---- */

static bool scan_file(
	struct loading *loading, const char *path, enum file_kind kind, struct problems *problems)
{
	static bool (*const scanners[])(
		struct document *, const char *, const char *, size_t, struct problems *) = {
		[FILE_THRUM] = document_scan_yaml,
		[FILE_PROCESS_COMPOSE] = document_scan_yaml,
		[FILE_PROCFILE] = document_scan_procfile,
		[FILE_JSON] = document_scan_json,
		[FILE_PM2] = document_scan_pm2,
		[FILE_SUPERVISORD] = document_scan_supervisord,
		[FILE_COMPOSE] = document_scan_compose,
	};
	struct error err;
	struct text text;

	if (loading->count == FILES_MOST)
		return problem_error(
			problems, (struct position){ 0 }, "at most %d files", FILES_MOST);
	text_init(&text, SCAN_FILE_MOST);
	bool ok = trust_read_file(&text, path, &err) ||
		  problem_error(problems, (struct position){ 0 }, "%s", err.text);
	if (ok)
		ok = scanners[kind](&loading->documents[loading->count++], path,
			text_string(&text), text.size, problems);
	text_finish(&text);
	return ok;
}

static bool merge_maps(struct loading *loading, struct node *into, const struct node *from);

/* A map that others share by an alias must not change with this one. */
static struct node *copy_map(struct loading *loading, const struct node *map)
{
	struct node *copy = document_add(&loading->documents[0], NODE_MAP, map->at);

	for (size_t i = 0; i < map->count; i++)
		node_append(copy, map->items[i]);
	loading->merges += (unsigned)map->count;
	return copy;
}

static bool merge_pair(
	struct loading *loading, struct node *into, struct node *key, struct node *value)
{
	for (size_t i = 0; i < into->count; i += 2) {
		struct node **place = &into->items[i + 1];
		if (strcmp(into->items[i]->text, key->text) != 0)
			continue;
		if ((*place)->kind != NODE_MAP || value->kind != NODE_MAP) {
			*place = value;
			return true;
		}
		*place = copy_map(loading, *place);
		return merge_maps(loading, *place, value);
	}
	node_append(into, key);
	node_append(into, value);
	return true;
}

/* Maps are merged key by key; anything else is replaced by what comes later. */
static bool merge_maps(struct loading *loading, struct node *into, const struct node *from)
{
	if (++loading->merges > MERGE_MOST)
		return problem_error(loading->reading.problems, from->at, "this grows too large");
	for (size_t i = 0; i < from->count; i += 2)
		if (!merge_pair(loading, into, from->items[i], from->items[i + 1]))
			return false;
	return true;
}

static bool merge_documents(struct loading *loading)
{
	struct problems *problems = loading->reading.problems;

	for (size_t i = 0; i < loading->count; i++) {
		struct document *document = &loading->documents[i];
		if (!document->root || node_is_null(document->root))
			return problem_error(problems, (struct position){ .file = document->name },
				"is empty; a project begins with `processes:`");
		if (document->root->kind != NODE_MAP)
			return problem_error(
				problems, document->root->at, "a project is a map of keys");
		if (i == 0)
			loading->root = document->root;
		else if (!merge_maps(loading, loading->root, document->root))
			return false;
	}
	return true;
}

/* ---- profiles ---- */

static bool say_no_profile(struct loading *loading, const struct node *profiles, const char *name)
{
	struct position at = { .file = loading->documents[0].name };
	struct text known;

	text_init(&known, 400);
	for (size_t i = 0; profiles && i < profiles->count; i += 2)
		text_format(&known, "%s%s", i ? ", " : "", profiles->items[i]->text);
	problem_error(loading->reading.problems, profiles ? profiles->at : at,
		"no profile '%.60s'; %s%s", name, known.size ? "there are: " : "there is none",
		text_string(&known));
	text_finish(&known);
	return false;
}

static bool check_profile(struct loading *loading, const struct node *profile)
{
	const struct node *inner = profile->kind == NODE_MAP ? node_get(profile, "profiles") : NULL;

	if (profile->kind != NODE_MAP)
		return problem_error(loading->reading.problems, profile->at,
			"a profile is a map of keys, as a project is");
	return !inner || problem_error(loading->reading.problems, inner->at,
				 "a profile has no profiles of its own");
}

/* Like further files, in the order in which they were chosen. */
static bool merge_profiles(struct loading *loading, const struct config_options *options)
{
	const struct node *profiles = node_get(loading->root, "profiles");
	bool ok = true;

	if (profiles && node_is_null(profiles))
		profiles = NULL;
	if (profiles && profiles->kind != NODE_MAP)
		return problem_error(loading->reading.problems, profiles->at,
			"profiles is a map: a name, and under it keys");
	for (size_t i = 0; profiles && i < profiles->count; i += 2)
		ok = check_profile(loading, profiles->items[i + 1]) && ok;
	for (size_t i = 0; ok && i < options->profile_count; i++) {
		const struct node *profile =
			profiles ? node_get(profiles, options->profiles[i]) : NULL;
		ok = profile ? merge_maps(loading, loading->root, profile)
			     : say_no_profile(loading, profiles, options->profiles[i]);
	}
	return ok;
}

/* ---- one service ---- */

static bool take_words(
	struct loading *loading, struct service_spec *spec, const struct node *command)
{
	struct text shown;
	bool ok = command->count > 0 ||
		  problem_error(loading->reading.problems, command->at, "command is empty");

	text_init(&shown, SCAN_FILE_MOST);
	bool has_templates = loading->reading.has_templates;
	loading->reading.has_templates &= !loading->reading.is_command_literal;
	for (size_t i = 0; i < command->count && ok; i++) {
		char *word =
			schema_text(&loading->reading, command->items[i], "a word of a command");
		ok = word != NULL;
		if (ok)
			strings_add(&spec->argv, word);
		if (ok)
			text_format(&shown, "%s%s", i ? " " : "", word);
		free(word);
	}
	loading->reading.has_templates = has_templates;
	free(spec->command);
	spec->command = memory_copy(text_string(&shown)); /* no larger than it is: there may be thousands */
	text_finish(&shown);
	if (ok && !spec->argv.items[0][0])
		ok = problem_error(loading->reading.problems, command->at,
			"the first word of command is empty");
	return ok;
}

/* Process-compose replaces variables in commands too, and has $$ for one that is the shell's. */
static void unescape_dollars(char *command)
{
	char *to = command;

	for (const char *from = command; *from; from++) {
		from += from[0] == '$' && from[1] == '$';
		*to++ = *from;
	}
	*to = '\0';
}

/* Variables in it are the shell's to replace; those in a word of a template are not. */
static char *read_line(struct reading *reading, const struct node *command)
{
	bool is_plain = !reading->has_templates || reading->is_command_literal || !strstr(command->text, "{{");
	char *line = is_plain ? memory_copy(command->text)
			      : template_render(command->text, &reading->vars, reading->variables, command->at, reading->problems);

	if (line && reading->is_loose)
		unescape_dollars(line);
	return line;
}

static bool take_line(struct loading *loading, struct service_spec *spec,
	const struct node *command, const struct node *shell)
{
	struct problems *problems = loading->reading.problems;
	bool is_forbidden = shell && strcmp(shell->text, "false") == 0;
	bool is_forced = (shell && strcmp(shell->text, "true") == 0) || (loading->reading.is_always_shell && !is_forbidden);

	free(spec->command);
	spec->command = read_line(&loading->reading, command);
	if (!spec->command)
		return false;
	enum command_kind kind = command_split(spec->command, &spec->argv);
	if (kind == COMMAND_EMPTY)
		return problem_error(problems, command->at, "command is empty");
	if (kind == COMMAND_UNENDED && !is_forced)
		return problem_error(problems, command->at, "a quote in this command has no end");
	if (kind == COMMAND_SHELL && is_forbidden)
		return problem_error(problems, command->at,
			"this command needs a shell, and `shell: false` forbids it; as a list it needs none");
	spec->shell = kind == COMMAND_SHELL || is_forced;
	if (spec->shell)
		take_by_shell(&loading->reading, &spec->argv, spec->command);
	return true;
}

static bool take_command(struct loading *loading, struct service_spec *spec, struct position at)
{
	const struct node *command = loading->reading.command, *shell = loading->reading.shell;
	struct problems *problems = loading->reading.problems;

	if (!command)
		return problem_error(
			problems, at, "'%s' has no command", spec->name ? spec->name : "it");
	if (shell && (shell->kind != NODE_SCALAR || (strcmp(shell->text, "true") != 0 &&
							    strcmp(shell->text, "false") != 0)))
		return problem_error(problems, shell->at, "shell takes true or false");
	if (command->kind == NODE_SCALAR)
		return take_line(loading, spec, command, shell);
	if (command->kind == NODE_MAP)
		return problem_error(
			problems, command->at, "command takes a string or a list of words");
	bool is_printed_shell = !loading->checks && shell && strcmp(shell->text, "true") == 0;
	if (shell && strcmp(shell->text, "true") == 0 && !is_printed_shell)
		return problem_error(problems, shell->at,
			"a command given as a list needs no shell; write it as one string");
	if (!take_words(loading, spec, command))
		return false;
	spec->shell = is_printed_shell;
	if (is_printed_shell) {
		free(spec->command);
		spec->command = memory_copy(spec->argv.items[spec->argv.count - 1]);
	}
	return true;
}

static bool check_folder(
	struct loading *loading, const struct service_spec *spec, struct position at)
{
	char *path = loading->checks ? spec_for_instance(spec->working_dir, 0) : NULL;
	struct stat st;
	bool ok = true;

	if (!path)
		return true;
	if (stat(path, &st) < 0 || (!spec->user && access(path, X_OK) < 0))
		ok = problem_error(loading->reading.problems, at, "working_dir %s: %s", path, strerror(errno));
	else if (!S_ISDIR(st.st_mode))
		ok = problem_error(loading->reading.problems, at, "working_dir %s is no folder", path);
	free(path);
	return ok;
}

static bool check_rights(
	struct loading *loading, const struct service_spec *spec, struct position at)
{
	struct problems *problems = loading->reading.problems;

	if (!loading->checks || (!spec->user && !spec->group))
		return true;
	if (spec->user && !getpwnam(spec->user))
		return problem_error(problems, at, "no such user: '%s'", spec->user);
	if (spec->group && !getgrnam(spec->group))
		return problem_error(problems, at, "no such group: '%s'", spec->group);
	if (geteuid() != 0)
		return problem_error(problems, at,
			"only root may start a service as another user; leave out `user`, or start thrum as root");
	return true;
}

static void set_origin(struct service_spec *spec, struct position at)
{
	const char *name = at.file ? strrchr(at.file, '/') : NULL;

	if (spec->origin)
		return;
	spec->origin = at.line ? memory_format("%s:%u", name ? name + 1 : at.file, at.line)
			       : memory_copy(at.file ? at.file : "run");
}

static char *dotenv_of(const struct loading *loading)
{
	return memory_format("%s/.env", loading->project->dir);
}

/* The nearest first. Files of process-compose may have templates without any, for the number of an instance. */
static void find_vars(struct loading *loading, const struct node *map, const struct node *defaults)
{
	const struct node *places[TEMPLATE_VARS_MOST] = { map, defaults, loading->root };
	struct reading *reading = &loading->reading;

	reading->vars.count = 0;
	for (size_t i = 0; i < TEMPLATE_VARS_MOST; i++) {
		const struct node *vars = places[i] && places[i]->kind == NODE_MAP ? node_get(places[i], "vars") : NULL;
		if (vars && vars->kind == NODE_MAP)
			reading->vars.maps[reading->vars.count++] = vars;
	}
	reading->has_templates = reading->vars.count || loading->kind == FILE_PROCESS_COMPOSE;
}

static void begin_service(struct loading *loading, const struct node *map, const struct node *defaults)
{
	struct reading *reading = &loading->reading;

	reading->command = reading->shell = NULL;
	reading->has_instances = reading->is_daemon = reading->is_command_literal = reading->has_no_dotenv = false;
	reading->instances = 1;
	find_vars(loading, map, defaults);
}

/* A program that stays in front for one that does not. */
static void hold_daemon(struct service_spec *spec)
{
	struct strings argv = { 0 };

	strings_add(&argv, "thrum-hold");
	for (size_t i = 0; i < spec->argv.count; i++)
		strings_add(&argv, spec->argv.items[i]);
	strings_finish(&spec->argv);
	spec->argv = argv;
}

static void drop_dotenv(const struct loading *loading, struct service_spec *spec)
{
	char *path = dotenv_of(loading);

	for (size_t i = spec->variables.count; i-- > 0;)
		if (spec->variables.items[i].path && strcmp(spec->variables.items[i].path, path) == 0)
			layers_drop(&spec->variables, i);
	free(path);
}

static bool take_service(struct loading *loading, struct service_spec *spec, const struct node *map)
{
	struct position at = map->at;
	const struct node *defaults = loading->root ? node_get(loading->root, "defaults") : NULL;

	begin_service(loading, map, defaults);
	bool ok = !defaults || defaults->kind != NODE_MAP ||
		  schema_take(&loading->reading, defaults, schema_service, spec);
	ok = schema_take(&loading->reading, map, schema_service, spec) && ok;
	if (loading->reading.has_no_dotenv)
		drop_dotenv(loading, spec);
	layers_merge(&spec->variables, &spec->environment);
	ok = take_command(loading, spec, at) && ok;
	if (ok && loading->reading.is_daemon)
		hold_daemon(spec);
	if (spec->schedule.concurrent > 1 && !loading->reading.has_instances)
		spec->instances = spec->schedule.concurrent;
	if (loading->checks)
		ok = consistency_of_service(loading->reading.problems, spec, map) && ok;
	if (!spec->working_dir)
		spec->working_dir = memory_copy(loading->reading.dir ? loading->reading.dir : "/");
	spec->log.merge_stderr |= spec->pty; /* a terminal has one output */
	set_origin(spec, at);
	return ok && check_folder(loading, spec, consistency_place(map, "working_dir")) &&
	       check_rights(loading, spec, consistency_place(map, spec->user ? "user" : "group"));
}

/* "all-api.log" of "all.log" */
static char *file_of_service(const char *file, const char *name)
{
	const char *slash = file ? strrchr(file, '/') : NULL, *dot = slash ? strrchr(slash, '.') : NULL;
	size_t stem = dot ? (size_t)(dot - file) : strlen(file ? file : "");

	return file ? memory_format("%.*s-%s%s", (int)stem, file, name, dot ? dot : "") : NULL;
}

/* Those files have their own default, and their processes two variables of their own. */
static void be_as_process_compose(struct service_spec *spec)
{
	struct layer *layer = layers_add(&spec->variables, VARIABLE_OF_PROJECT, NULL);

	strings_set_variable(&layer->values, "PC_PROC_NAME", spec->name);
	strings_set_variable(&layer->values, "PC_REPLICA_NUM", INSTANCE_MARK);
	spec->restart.mode = RESTART_NO;
}

/* What a service has from the project, before its own keys. */
static void inherit(struct loading *loading, struct service_spec *spec)
{
	const struct log_spec *log = &loading->project->log;

	spec->log = *log;
	spec->log.dir = memory_copy(log->dir);
	spec->log.file = file_of_service(log->file, spec->name);
	layers_append(&spec->variables, &loading->layers);
	if (loading->kind == FILE_PROCESS_COMPOSE)
		be_as_process_compose(spec);
}

static bool take_named_service(
	struct loading *loading, const struct node *name, const struct node *map)
{
	struct problems *problems = loading->reading.problems;

	if (!service_name_is_valid(name->text))
		return problem_error(problems, name->at,
			"'%.80s' cannot be the name of a service: letters, digits, '.', '_' and '-', at most %d",
			name->text, SERVICE_NAME_MOST);
	if (map->kind != NODE_MAP)
		return problem_error(problems, map->at,
			"'%s' is a map of keys, with `command` at least", name->text);
	struct service_spec *spec = project_spec_add(loading->project, name->text);
	loading->at[loading->project->service_count - 1] = name;
	inherit(loading, spec);
	if (loading->checks)
		set_origin(spec, name->at);
	return take_service(loading, spec, map);
}

/* ---- the project ---- */

/* What was read as a service's is the project's. */
static void own_layers(struct loading *loading)
{
	for (size_t i = 0; i < loading->layers.count; i++) {
		struct layer *layer = &loading->layers.items[i];
		layer->source = layer->path ? VARIABLE_OF_PROJECT_FILE : VARIABLE_OF_PROJECT;
	}
	layers_merge(&loading->layers, &loading->variables);
}

/* Each may use what those before it have set. */
static bool take_variables(struct loading *loading)
{
	static const struct key keys[] = {
		{ "env_file", take_env_files, 0, NULL, NULL },
		{ "environment", take_environment, 0, NULL, NULL },
	};
	bool ok = true;

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		const struct node *value = node_get(loading->root, keys[i].name);
		if (value && !node_is_null(value))
			ok = keys[i].take(&loading->reading, value, &loading->layers, &keys[i]) && ok;
		own_layers(loading);
	}
	return ok;
}

static bool take_services(struct loading *loading)
{
	const struct node *processes = node_get(loading->root, "processes");
	bool ok = true;

	if (node_is_null(processes))
		return true;
	if (processes->kind != NODE_MAP)
		return problem_error(loading->reading.problems, processes->at,
			"processes is a map: a name, and under it its keys");
	loading->at = memory_zeroed(processes->count / 2, sizeof *loading->at);
	for (size_t i = 0; i < processes->count; i += 2)
		ok = take_named_service(loading, processes->items[i], processes->items[i + 1]) &&
		     ok;
	free(loading->project->log.file); /* each service has its own now */
	loading->project->log.file = NULL;
	loading->reading.has_templates = false;
	return ok;
}

/* ---- extends ---- */

static struct node *find_parent(struct loading *loading, struct node *processes, const struct node *name)
{
	struct node *parent = name->kind == NODE_SCALAR ? node_get(processes, name->text) : NULL;

	if (!parent || parent->kind != NODE_MAP)
		problem_error(loading->reading.problems, name->at, "extends: '%.60s' is no service of this file",
			name->kind == NODE_SCALAR ? name->text : "");
	return parent && parent->kind == NODE_MAP ? parent : NULL;
}

static void drop_key(struct node *map, const char *key)
{
	for (size_t i = 0; i < map->count; i += 2)
		if (strcmp(map->items[i]->text, key) == 0) {
			map->count -= 2;
			memmove(&map->items[i], &map->items[i + 2], (map->count - i) * sizeof *map->items);
			return;
		}
}

/* The keys of the other with its own over them; the other one's own first. */
static bool extend_service(struct loading *loading, struct node *processes, struct node **place, unsigned depth)
{
	const struct node *name = (*place)->kind == NODE_MAP ? node_get(*place, "extends") : NULL;
	struct node *parent = name && !node_is_null(name) ? find_parent(loading, processes, name) : NULL;

	if (!name || node_is_null(name))
		return true;
	if (!parent)
		return false;
	if (depth > processes->count / 2)
		return problem_error(loading->reading.problems, name->at, "extends: '%.60s' leads back to itself", name->text);
	for (size_t i = 0; i < processes->count; i += 2)
		if (processes->items[i + 1] == parent && !extend_service(loading, processes, &processes->items[i + 1], depth + 1))
			return false;
	parent = node_get(processes, name->text);
	struct node *whole = copy_map(loading, parent);
	whole->at = (*place)->at;
	bool ok = merge_maps(loading, whole, *place);
	drop_key(whole, "extends");
	*place = whole;
	return ok;
}

static bool extend_services(struct loading *loading)
{
	struct node *processes = node_get(loading->root, "processes");
	bool ok = true;

	for (size_t i = 1; processes && processes->kind == NODE_MAP && i < processes->count; i += 2)
		ok = extend_service(loading, processes, &processes->items[i], 1) && ok;
	return ok;
}

/* ---- all of it ---- */

static bool check_defaults(struct loading *loading)
{
	const struct node *defaults = node_get(loading->root, "defaults");

	return node_is_null(defaults) || defaults->kind == NODE_MAP ||
	       problem_error(loading->reading.problems, defaults->at, "defaults is a map of keys, as a service is");
}

static bool set_expansion(struct loading *loading)
{
	const struct key key = { .name = "disable_env_expansion" };
	const struct node *value = node_get(loading->root, key.name);

	return node_is_null(value) || take_no_expansion(&loading->reading, value, NULL, &key);
}

static bool take_project(struct loading *loading)
{
	bool ok = set_expansion(loading) && extend_services(loading) && take_variables(loading);

	if (!ok || !check_defaults(loading))
		return false;
	if (loading->checks) /* what was printed has the service already */
		ok = gateway_graft(&(struct graft){ &loading->documents[0], loading->reading.problems }, loading->root) && ok;
	ok = schema_take(&loading->reading, loading->root, schema_project, loading->project) && ok;
	ok = take_services(loading) && ok;
	struct consistency whole = { loading->reading.problems, loading->project, loading->at, loading->root, loading->checks };
	return ok && consistency_of_project(&whole);
}

static bool choose_name(struct loading *loading, const char *wanted)
{
	struct project_spec *project = loading->project;

	if (wanted) {
		free(project->name);
		project->name = memory_copy(wanted);
	}
	if (!project->name) {
		const char *folder = strrchr(project->dir, '/');
		project->name = config_make_name(folder && folder[1] ? folder + 1 : "root");
	}
	const struct node *at = loading->root ? node_get(loading->root, "name") : NULL;
	return service_name_is_valid(project->name) ||
	       problem_error(loading->reading.problems,
		       at && !wanted ? at->at : (struct position){ 0 },
		       "'%.80s' cannot be the name of a project: letters, digits, '.', '_' and '-', at most %d",
		       project->name, SERVICE_NAME_MOST);
}

static struct project_spec *finish_loading(struct loading *loading, bool ok)
{
	struct project_spec *project = loading->project;

	for (size_t i = 0; i < loading->count; i++)
		document_finish(&loading->documents[i]);
	layers_finish(&loading->layers);
	strings_finish(&loading->variables);
	strings_finish(&loading->shell_words);
	free(loading->at);
	free(loading);
	if (ok)
		return project;
	project_spec_destroy(project);
	return NULL;
}

static void set_shell(struct strings *words, const char *program)
{
	strings_finish(words);
	strings_add(words, program);
	strings_add(words, "-c");
}

/* As that tool has it: its variables, and COMPOSE_SHELL, else bash. */
static void use_ways_of_process_compose(struct loading *loading)
{
	loading->reading.is_loose = true;
	const char *program = getenv("COMPOSE_SHELL");

	if (program && *program)
		set_shell(&loading->shell_words, program);
	else if (access("/bin/bash", X_OK) == 0)
		set_shell(&loading->shell_words, "/bin/bash");
}

static struct loading *begin_loading(struct problems *problems, bool checks)
{
	struct loading *loading = memory_zeroed(1, sizeof *loading);

	loading->project = project_spec_create();
	loading->checks = checks;
	loading->reading.problems = problems;
	loading->reading.shell_words = &loading->shell_words;
	set_shell(&loading->shell_words, "/bin/sh");
	if (checks)
		loading->reading.variables = &loading->variables;
	return loading;
}

/* A Procfile has its variables in the .env beside it; so may a file of process-compose. */
static bool read_dotenv(struct loading *loading)
{
	if (loading->kind != FILE_PROCFILE && loading->kind != FILE_PROCESS_COMPOSE)
		return true;
	char *path = dotenv_of(loading);
	struct layer *layer = layers_add(&loading->layers, VARIABLE_OF_PROJECT_FILE, path);
	layer->is_optional = true;
	bool ok = environment_load(
		&layer->values, path, true, (struct position){ 0 }, loading->reading.problems);
	free(path);
	return ok;
}

static bool scan_files(struct loading *loading, const char *const *paths, size_t count)
{
	struct project_spec *project = loading->project;
	struct problems *problems = loading->reading.problems;
	char real[PATH_MAX];
	bool ok = true;

	for (size_t i = 0; i < count; i++) {
		ok = scan_file(loading, paths[i], i ? kind_of(paths[i]) : loading->kind, problems) && ok;
		if (realpath(paths[i], real))
			strings_add(&project->files, real);
		if (i == 0 && project->files.count) {
			project->dir = memory_copy(real);
			char *slash = strrchr(project->dir, '/');
			slash[slash == project->dir] = '\0';
		}
	}
	return ok;
}

struct project_spec *config_load_files(const char *const *paths, size_t count,
	const struct config_options *options, struct problems *problems)
{
	struct loading *loading = begin_loading(problems, true);

	loading->kind = count ? kind_of(paths[0]) : FILE_THRUM;
	if (loading->kind == FILE_PROCESS_COMPOSE)
		use_ways_of_process_compose(loading);
	bool ok = scan_files(loading, paths, count) && merge_documents(loading) &&
		  merge_profiles(loading, options);
	if (ok) {
		loading->reading.dir = loading->project->dir;
		ok = read_dotenv(loading) && take_project(loading);
		ok = choose_name(loading, options->project) && ok;
	}
	return finish_loading(loading, ok);
}

/* Those of other tools name their services and not the whole; and to read one may take a program. */
static bool is_nameless(enum file_kind kind)
{
	return kind == FILE_PM2 || kind == FILE_SUPERVISORD || kind == FILE_PROCFILE;
}

char *config_name_of_folder(const char *path)
{
	char real[PATH_MAX];

	if (!is_nameless(kind_of(path)) || !realpath(path, real))
		return NULL;
	char *slash = strrchr(real, '/');
	*slash = '\0';
	slash = strrchr(real, '/');
	return config_make_name(slash && slash[1] ? slash + 1 : "root");
}

char *config_read_name(const char *path)
{
	struct problems problems;

	problems_init(&problems);
	struct loading *loading = begin_loading(&problems, true);
	loading->kind = kind_of(path);
	const struct node *name = scan_files(loading, &path, 1) && merge_documents(loading)
					  ? node_get(loading->root, "name")
					  : NULL;
	char *text = name ? schema_text(&loading->reading, name, "name") : NULL;
	finish_loading(loading, false);
	problems_finish(&problems);
	return text;
}

struct project_spec *config_load_text(const char *text, size_t size, const char *name,
	struct problems *problems)
{
	struct loading *loading = begin_loading(problems, false);

	loading->count = 1;
	bool ok = document_scan_json(&loading->documents[0], name, text, size, problems) &&
		  merge_documents(loading);
	ok = ok && take_project(loading) && choose_name(loading, NULL);
	return finish_loading(loading, ok);
}

bool config_load_service(const char *text, size_t size, const char *name,
	struct problems *problems, struct service_spec *spec)
{
	struct loading *loading = begin_loading(problems, true);
	struct document *document = &loading->documents[0];

	loading->count = 1;
	loading->reading.variables = NULL; /* nothing is replaced: the client has done it */
	bool ok = document_scan_json(document, name, text, size, problems);
	if (ok && document->root->kind != NODE_MAP)
		ok = problem_error(problems, document->root->at, "a service is a map of keys");
	ok = ok && take_service(loading, spec, document->root);
	if (ok && (!spec->name || !service_name_is_valid(spec->name)))
		ok = problem_error(problems, (struct position){ .file = name },
			"'%.60s' cannot be the name of a service", spec->name ? spec->name : "");
	project_spec_destroy(loading->project);
	loading->project = NULL;
	finish_loading(loading, true);
	return ok;
}

static enum file_kind find_kind(const char *name)
{
	int kind = 0;

	while (kind < FILE_KIND_COUNT && (!kind_names[kind] || strcmp(kind_names[kind], name) != 0))
		kind++;
	return (enum file_kind)kind;
}

/* Users and folders may be those of another machine: only the keys are looked at. */
bool config_import(const char *kind, const char *path, struct text *out, struct problems *problems)
{
	struct loading *loading = begin_loading(problems, false);

	loading->kind = find_kind(kind);
	if (loading->kind == FILE_KIND_COUNT) {
		finish_loading(loading, false);
		return problem_error(problems, (struct position){ .file = path },
			"'%.60s' is none of pm2, procfile, supervisord, compose and process-compose", kind);
	}
	bool ok = scan_files(loading, &path, 1) && merge_documents(loading);
	if (ok)
		config_emit(out, loading->root);
	ok = ok && take_project(loading);
	finish_loading(loading, false);
	return ok;
}
