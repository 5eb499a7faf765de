/* supervisord.conf: sections of key=value lines, %(…)s in them, and files that are included. */
#include <ctype.h>
#include <glob.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"
#include "config/foreign.h"
#include "config/graft.h"
#include "config/trust.h"
#include "model/strings.h"

enum { INCLUDES_MOST = 100,
	INCLUDED_MOST = SCAN_FILE_MOST };

struct pair {
	char *key, *value; /* owned */
	struct position at, value_at;
};

struct section {
	char *name; /* owned: "program:web" */
	struct position at;
	struct pair *pairs; /* owned */
	size_t count;
};

struct sources {
	struct graft *graft;
	struct section *sections; /* owned */
	size_t count;
	struct strings read; /* real paths */
	struct node *processes;
};

/* ---- sections ---- */

static void finish_sources(struct sources *sources)
{
	for (size_t i = 0; i < sources->count; i++) {
		struct section *section = &sources->sections[i];
		for (size_t k = 0; k < section->count; k++) {
			free(section->pairs[k].key);
			free(section->pairs[k].value);
		}
		free(section->pairs);
		free(section->name);
	}
	free(sources->sections);
	strings_finish(&sources->read);
}

/* "; comment" after a blank, and blanks at the end, are no part of a value. */
static char *trim_value(const char *text, size_t size)
{
	for (size_t i = 1; i < size; i++)
		if (text[i] == ';' && isspace((unsigned char)text[i - 1]))
			size = i;
	while (size && isspace((unsigned char)text[size - 1]))
		size--;
	return memory_copy_n(text, size);
}

static bool take_header(struct sources *sources, const char *line, size_t size, struct position at)
{
	const char *end = memchr(line, ']', size);

	if (!end || end == line + 1)
		return problem_error(sources->graft->problems, at, "a section is [name]");
	sources->sections =
		memory_resize(sources->sections, sources->count + 1, sizeof *sources->sections);
	sources->sections[sources->count++] =
		(struct section){ .name = memory_copy_n(line + 1, (size_t)(end - line - 1)), .at = at };
	return true;
}

/* A line that begins with a blank goes on with the value above. */
static void continue_value(struct pair *pair, const char *line, size_t size)
{
	while (size && isspace((unsigned char)*line))
		line++, size--;
	char *more = trim_value(line, size), *old = pair->value;

	pair->value = memory_format("%s%s%s", old, *old && *more ? "\n" : "", more);
	free(old);
	free(more);
}

static bool take_pair(struct sources *sources, const char *line, size_t size, struct position at)
{
	struct section *section = sources->count ? &sources->sections[sources->count - 1] : NULL;
	size_t split = 0;

	while (split < size && line[split] != '=' && line[split] != ':')
		split++;
	if (!section || split == size || !split)
		return problem_error(sources->graft->problems, at,
			section ? "a line is `key=value`" : "a line before the first [section]");
	section->pairs = memory_resize(section->pairs, section->count + 1, sizeof *section->pairs);
	struct pair *pair = &section->pairs[section->count++];
	size_t end = split;
	while (end && isspace((unsigned char)line[end - 1]))
		end--;
	for (split++; split < size && isspace((unsigned char)line[split]);)
		split++;
	*pair = (struct pair){ memory_copy_n(line, end), trim_value(line + split, size - split), at, at };
	pair->value_at.column = (unsigned)split + 1;
	return true;
}

static bool take_line(struct sources *sources, const char *line, size_t size, struct position at)
{
	struct section *section = sources->count ? &sources->sections[sources->count - 1] : NULL;
	size_t blanks = 0;

	while (blanks < size && isspace((unsigned char)line[blanks]))
		blanks++;
	if (blanks == size || line[blanks] == ';' || line[blanks] == '#')
		return true;
	if (blanks && section && section->count) {
		continue_value(&section->pairs[section->count - 1], line, size);
		return true;
	}
	at.column = (unsigned)blanks + 1;
	line += blanks;
	size -= blanks;
	return line[0] == '[' ? take_header(sources, line, size, at) : take_pair(sources, line, size, at);
}

/* text lives as long as the document. */
static bool take_lines(struct sources *sources, const char *name, const char *text)
{
	struct position at = { name, text, 0, 1 };
	bool ok = true;

	if (!utf8_is_valid(text, strlen(text)))
		return problem_error(sources->graft->problems, (struct position){ .file = name }, "is not UTF-8 text");
	for (const char *line = text; *line;) {
		size_t length = strcspn(line, "\n");
		at.line++;
		ok = take_line(sources, line, length - (length && line[length - 1] == '\r'), at) && ok;
		line += length + (line[length] == '\n');
	}
	return ok;
}

/* ---- included files ---- */

/* Names and texts of included files live in nodes of the document, since places point at them. */
static const char *keep_text(struct sources *sources, char *text)
{
	struct node *node =
		document_add(sources->graft->document, NODE_SCALAR, (struct position){ 0 });

	node->text = text;
	return text;
}

static bool include_file(struct sources *sources, const char *path, struct position at)
{
	char real[PATH_MAX];
	struct error err;
	struct text text;

	if (!realpath(path, real))
		return problem_error(sources->graft->problems, at, "%s cannot be read", path);
	for (size_t i = 0; i < sources->read.count; i++)
		if (strcmp(sources->read.items[i], real) == 0)
			return problem_error(sources->graft->problems, at, "%s is included twice, or by itself", path);
	if (sources->read.count > INCLUDES_MOST)
		return problem_error(sources->graft->problems, at, "more than %d files are included", INCLUDES_MOST);
	strings_add(&sources->read, real);
	text_init(&text, INCLUDED_MOST);
	bool ok = trust_read_file(&text, path, &err) ||
		  problem_error(sources->graft->problems, at, "%s", err.text);
	if (ok) {
		const char *name = keep_text(sources, memory_copy(path));
		ok = take_lines(sources, name, keep_text(sources, memory_copy(text_string(&text))));
	}
	text_finish(&text);
	return ok;
}

static bool include_glob(struct sources *sources, const char *pattern, struct position at)
{
	const char *file = sources->graft->document->name, *slash = strrchr(file, '/');
	char *path = pattern[0] == '/' || !slash
			     ? memory_copy(pattern)
			     : memory_format("%.*s/%s", (int)(slash - file), file, pattern);
	glob_t found = { 0 };
	bool ok = true;

	if (glob(path, 0, NULL, &found) == GLOB_NOMATCH)
		problem_warning(sources->graft->problems, at, "no file is %s", path);
	for (size_t i = 0; i < found.gl_pathc; i++)
		ok = include_file(sources, found.gl_pathv[i], at) && ok;
	globfree(&found);
	free(path);
	return ok;
}

static bool include_globs(struct sources *sources, const char *files, struct position at)
{
	bool ok = true;

	for (const char *word = files; *(word += strspn(word, " \t\n"));) {
		size_t length = strcspn(word, " \t\n");
		char *glob = memory_copy_n(word, length);
		bool is_here = strncmp(glob, "%(here)s/", 9) == 0;
		ok = include_glob(sources, is_here ? glob + 9 : glob, at) && ok;
		free(glob);
		word += length;
	}
	return ok;
}

/* Those that are included do not include others. */
static bool include_all(struct sources *sources)
{
	size_t own = sources->count;
	bool ok = true;

	for (size_t i = 0; i < own; i++)
		for (size_t k = 0; strcmp(sources->sections[i].name, "include") == 0 && k < sources->sections[i].count; k++) {
			struct pair pair = sources->sections[i].pairs[k];
			if (strcmp(pair.key, "files") == 0)
				ok = include_globs(sources, pair.value, pair.value_at) && ok;
		}
	for (size_t i = own; i < sources->count; i++)
		if (strcmp(sources->sections[i].name, "include") == 0)
			problem_warning(sources->graft->problems, sources->sections[i].at,
				"an included file includes no others");
	return ok;
}

/* ---- programs ---- */

struct program {
	struct sources *sources;
	struct graft *graft;
	const struct section *section;
	const char *name; /* borrowed */
	struct node *to;
	unsigned count, first; /* numprocs, numprocs_start */
	bool ok;
};

struct program_key {
	const char *name;
	void (*put)(struct program *program, const struct pair *pair, const struct program_key *key);
	const char *to; /* its place, or what is to be said of it */
};

#define PUTS(name) \
	static void name(struct program *program, const struct pair *pair, const struct program_key *key)

static const char *value_of(const struct section *section, const char *key)
{
	for (size_t i = 0; i < section->count; i++)
		if (strcmp(section->pairs[i].key, key) == 0)
			return section->pairs[i].value;
	return NULL;
}

/* What stands for the number of an instance: a shell knows it. False: nothing can stand there. */
static bool put_number(struct program *program, struct text *out, const char *conversion, bool in_shell)
{
	bool is_shifted = program->first > 0, is_padded = strcmp(conversion, "d") != 0 && strcmp(conversion, "s") != 0;

	if (program->count <= 1)
		return text_format(out, is_padded ? "%02u" : "%u", program->first);
	if (!in_shell)
		return false;
	if (is_padded)
		text_format(out, "$(printf '%%%s' ", conversion);
	if (is_shifted)
		text_format(out, "$((THRUM_INSTANCE + %u))", program->first);
	else
		text_puts(out, "$THRUM_INSTANCE");
	return text_puts(out, is_padded ? ")" : "");
}

static bool put_named(struct program *program, struct text *out, const char *name, const char *conversion,
	bool in_shell, struct position at)
{
	char host[256] = "";

	if (strcmp(name, "program_name") == 0 || strcmp(name, "group_name") == 0)
		return text_puts(out, program->name);
	if (strcmp(name, "process_num") == 0 && put_number(program, out, conversion, in_shell))
		return true;
	if (strcmp(name, "numprocs") == 0)
		return text_format(out, "%u", program->count);
	if (strcmp(name, "here") == 0)
		return text_puts(out, "."); /* paths start at the file, and so does the working directory */
	if (strcmp(name, "host_node_name") == 0 && gethostname(host, sizeof host - 1) == 0)
		return text_puts(out, host);
	if (strncmp(name, "ENV_", 4) == 0)
		return in_shell ? text_format(out, "$%s", name + 4) : text_format(out, "${%s}", name + 4);
	return problem_error(program->graft->problems, at, "%%(%s)%s cannot stand here", name, conversion);
}

static bool is_conversion(const char *at)
{
	return *at && strspn(at, "0123456789") < 4 && strchr("dsx", at[strspn(at, "0123456789")]);
}

/* %(name)s and %% replaced; a dollar stays one. free() it; NULL: it was wrong, and said. */
static char *expand(struct program *program, const struct pair *pair, bool in_shell)
{
	struct text out;
	bool ok = true;

	text_init(&out, SCAN_FILE_MOST);
	for (const char *at = pair->value; *at && ok; at++) {
		const char *end = at[0] == '%' && at[1] == '(' ? strstr(at, ")") : NULL;
		if (end && is_conversion(end + 1)) {
			char *name = memory_copy_n(at + 2, (size_t)(end - at - 2));
			char *conversion = memory_copy_n(end + 1, strspn(end + 1, "0123456789") + 1);
			ok = put_named(program, &out, name, conversion, in_shell, pair->value_at);
			at = end + strlen(conversion);
			free(name);
			free(conversion);
		} else if (at[0] == '%') {
			ok = at[1] == '%' || problem_error(program->graft->problems, pair->value_at,
						     "a %% stands before another, or before (name)s");
			text_putc(&out, '%');
			at += ok; /* over the second one; there may be nothing behind this one */
		} else {
			text_putc(&out, at[0] == '\n' ? ' ' : at[0]);
			if (!in_shell && at[0] == '$' && strchr("{$", at[1]) && at[1])
				text_putc(&out, '$');
		}
	}
	char *text = ok ? memory_copy(text_string(&out)) : NULL;
	text_finish(&out);
	program->ok = program->ok && ok;
	return text;
}

PUTS(put)
{
	char *text = expand(program, pair, false);

	if (text)
		graft_put(program->graft, program->to, key->to,
			graft_plain(program->graft, pair->value_at, text));
	free(text);
}

PUTS(skip)
{
	(void)program;
	(void)pair;
	(void)key;
}

PUTS(lost)
{
	problem_warning(program->graft->problems, pair->at, "%s has no equivalent%s%s", key->name,
		key->to ? ": " : "", key->to ? key->to : "");
}

PUTS(put_command)
{
	char *text = expand(program, pair, true);

	if (text && *text)
		graft_set(program->graft, program->to, key->to,
			graft_plain(program->graft, pair->value_at, text));
	else if (text)
		program->ok = problem_error(program->graft->problems, pair->at, "command is empty");
	free(text);
}

PUTS(put_seconds)
{
	char *text = memory_format("%ss", pair->value);

	graft_put(program->graft, program->to, key->to, graft_plain(program->graft, pair->value_at, text));
	free(text);
}

static struct node *truth(struct program *program, const struct pair *pair, bool is_negated)
{
	struct node node = { .kind = NODE_SCALAR, .text = pair->value };

	return graft_plain(program->graft, pair->value_at, graft_is_true(&node) != is_negated ? "true" : "false");
}

PUTS(put_true)
{
	graft_put(program->graft, program->to, key->to, truth(program, pair, false));
}

PUTS(put_untrue)
{
	graft_put(program->graft, program->to, key->to, truth(program, pair, true));
}

/* Our signals and kills reach every process of it already. */
PUTS(put_killasgroup)
{
	struct node node = { .kind = NODE_SCALAR, .text = pair->value };

	(void)key;
	if (graft_is_true(&node))
		graft_put(program->graft, program->to, "shutdown.parent_only",
			graft_plain(program->graft, pair->value_at, "false"));
}

PUTS(put_autorestart)
{
	struct node node = { .kind = NODE_SCALAR, .text = pair->value };
	const char *mode = strcasecmp(pair->value, "unexpected") == 0 ? "on_failure" : graft_is_true(&node) ? "always"
													    : "no";

	graft_put(program->graft, program->to, key->to, graft_plain(program->graft, pair->value_at, mode));
}

PUTS(put_codes)
{
	struct node *list = graft_list(program->graft, pair->value_at);

	for (const char *code = pair->value; *(code += strspn(code, ", "));) {
		size_t length = strcspn(code, ", ");
		char *text = memory_copy_n(code, length);
		node_append(list, graft_plain(program->graft, pair->value_at, text));
		free(text);
		code += length;
	}
	graft_put(program->graft, program->to, key->to, list);
}

/* One of KEY="a, b",OTHER=c; returns what is behind it. */
static const char *take_variable(
	struct program *program, const struct pair *pair, const char *at, struct node *map)
{
	const char *equals = strchr(at, '=');
	size_t size = equals ? (size_t)(equals - at) : 0;

	if (!equals) {
		program->ok = problem_error(program->graft->problems, pair->value_at,
			"environment is a list such as KEY=\"value\",OTHER=\"value\"");
		return at + strlen(at);
	}
	while (size && isspace((unsigned char)at[size - 1]))
		size--;
	const char *value = equals + 1 + strspn(equals + 1, " ");
	bool is_quoted = (*value == '"' || *value == '\'') && strchr(value + 1, *value);
	size_t length = is_quoted ? (size_t)(strchr(value + 1, *value) - value - 1) : strcspn(value, ",\n");
	char *name = memory_copy_n(at, size), *text = memory_copy_n(value + is_quoted, length);
	graft_set(program->graft, map, name, document_add(program->graft->document, NODE_SCALAR, pair->value_at));
	map->items[map->count - 1]->text = text;
	free(name);
	value += length + (is_quoted ? 2 : 0);
	return value + strspn(value, " ");
}

PUTS(put_environment)
{
	char *text = expand(program, pair, false);
	struct node *map = graft_map(program->graft, pair->value_at);

	for (const char *at = text; at && *(at += strspn(at, ", \n"));)
		at = take_variable(program, pair, at, map);
	graft_set(program->graft, program->to, key->to, map);
	free(text);
}

PUTS(put_log)
{
	const char *value = pair->value;

	if (strcasecmp(value, "AUTO") == 0 || strcasecmp(value, "NONE") == 0 || strncmp(value, "/dev/", 5) == 0)
		return;
	if (strcasecmp(value, "syslog") == 0) {
		lost(program, pair, &(struct program_key){ .name = "syslog" });
		return;
	}
	char *text = expand(program, pair, false);
	if (text && graft_get(program->to, key->to))
		problem_warning(program->graft->problems, pair->at,
			"%s: one file takes the lines of both streams, that of stdout_logfile", key->name);
	else if (text)
		graft_put(program->graft, program->to, key->to, graft_plain(program->graft, pair->value_at, text));
	free(text);
}

// clang-format off
static const struct program_key keys[] = {
	{ "command", put_command, "command" },
	{ "process_name", skip, NULL },
	{ "numprocs", put, "instances" },
	{ "numprocs_start", skip, NULL },
	{ "priority", lost, "say what it waits for with depends_on" },
	{ "autostart", put_untrue, "disabled" },
	{ "autorestart", put_autorestart, "availability.restart" },
	{ "startsecs", put_seconds, "availability.min_uptime" },
	{ "startretries", put, "availability.max_restarts" },
	{ "exitcodes", put_codes, "availability.success_exit_codes" },
	{ "stopsignal", put, "shutdown.signal" },
	{ "stopwaitsecs", put_seconds, "shutdown.timeout" },
	{ "stopasgroup", put_untrue, "shutdown.parent_only" },
	{ "killasgroup", put_killasgroup, NULL },
	{ "user", put, "user" },
	{ "directory", put, "working_dir" },
	{ "umask", put, "umask" },
	{ "environment", put_environment, "environment" },
	{ "redirect_stderr", put_true, "log.merge_stderr" },
	{ "stdout_logfile", put_log, "log.file" },
	{ "stderr_logfile", put_log, "log.file" },
	{ "stdout_logfile_maxbytes", put, "log.rotate.max_size" },
	{ "stdout_logfile_backups", put, "log.rotate.max_files" },
	{ "stderr_logfile_maxbytes", skip, NULL },
	{ "stderr_logfile_backups", skip, NULL },
	{ "stdout_capture_maxbytes", lost, NULL },
	{ "stderr_capture_maxbytes", lost, NULL },
	{ "stdout_events_enabled", lost, NULL },
	{ "stderr_events_enabled", lost, NULL },
	{ "stdout_syslog", lost, NULL },
	{ "stderr_syslog", lost, NULL },
	{ "serverurl", lost, NULL },
};
// clang-format on

/* What supervisord does when nothing is said. */
static void put_defaults(struct program *program)
{
	static const struct {
		const char *path, *value;
	} defaults[] = {
		{ "availability.restart", "on_failure" },
		{ "availability.min_uptime", "1s" },
		{ "availability.max_restarts", "3" },
		{ "availability.backoff.initial", "1s" },
		{ "availability.backoff.max", "30s" },
		{ "shutdown.timeout", "10s" },
		{ "shutdown.parent_only", "true" },
	};

	for (size_t i = 0; i < sizeof defaults / sizeof *defaults; i++)
		graft_put(program->graft, program->to, defaults[i].path,
			graft_plain(program->graft, program->section->at, defaults[i].value));
}

static void put_pair(struct program *program, const struct pair *pair)
{
	const char *known[sizeof keys / sizeof *keys + 1] = { NULL };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++) {
		known[i] = keys[i].name;
		if (strcmp(keys[i].name, pair->key) != 0)
			continue;
		keys[i].put(program, pair, &keys[i]);
		return;
	}
	const char *nearest = problem_nearest(pair->key, known);
	program->ok = problem_error(program->graft->problems, pair->at, "unknown key of supervisord's: '%.60s'%s%s%s",
		pair->key, nearest ? " (did you mean '" : "", nearest ? nearest : "", nearest ? "'?)" : "");
}

static unsigned number_of(const struct section *section, const char *key, unsigned otherwise)
{
	const char *value = value_of(section, key);

	return value ? (unsigned)strtoul(value, NULL, 10) : otherwise;
}

/*
 * startretries are in a row: as many lives as that, with the pauses that supervisord makes (1 s, 2 s, 3 s …),
 * fit into the window.
 */
static void put_window(struct program *program)
{
	unsigned retries = number_of(program->section, "startretries", 3);
	unsigned life = number_of(program->section, "startsecs", 1) + 1;
	unsigned pauses = retries > 60 ? 60 * retries : retries * (retries + 1) / 2;

	graft_put(program->graft, program->to, "availability.window",
		graft_format(program->graft, program->section->at, "%us", (retries + 1) * life + pauses));
}

static bool take_program(struct sources *sources, const struct section *section)
{
	const char *name = strchr(section->name, ':') + 1;
	struct program program = { .sources = sources,
		.graft = sources->graft,
		.section = section,
		.name = name,
		.count = number_of(section, "numprocs", 1),
		.first = number_of(section, "numprocs_start", 0),
		.ok = true };

	program.to = graft_service(sources->graft, sources->processes, section->at, name);
	if (!program.to)
		return false;
	graft_set(sources->graft, program.to, "command", graft_text(sources->graft, section->at, "")); /* it comes first */
	put_defaults(&program);
	for (size_t i = 0; i < section->count; i++)
		put_pair(&program, &section->pairs[i]);
	put_window(&program);
	if (!value_of(section, "command"))
		return problem_error(sources->graft->problems, section->at, "'%s' has no command", name);
	return program.ok;
}

/* ---- groups and the rest ---- */

static bool take_group(struct sources *sources, const struct section *section)
{
	const char *members = value_of(section, "programs"), *name = strchr(section->name, ':') + 1;
	bool ok = members || problem_error(sources->graft->problems, section->at, "which programs?");

	for (const char *at = members; ok && *(at += strspn(at, ", \n"));) {
		size_t length = strcspn(at, ", \n");
		char *member = memory_copy_n(at, length);
		struct node *service = node_get(sources->processes, member);
		if (service)
			graft_set(sources->graft, service, "namespace", graft_text(sources->graft, section->at, name));
		else
			ok = problem_error(sources->graft->problems, section->at, "'%.60s' is no program", member);
		free(member);
		at += length;
	}
	return ok;
}

static bool begins_with(const char *text, const char *start)
{
	return strncmp(text, start, strlen(start)) == 0;
}

/* Groups name programs of other sections: they come last. */
static bool take_sections(struct sources *sources)
{
	static const char *const silent[] = { "supervisord", "supervisorctl", "rpcinterface:", "include",
		"unix_http_server", "group:", "program:" };
	bool ok = true;

	for (size_t i = 0; i < sources->count; i++) {
		bool is_known = false;
		for (size_t k = 0; k < sizeof silent / sizeof *silent; k++)
			is_known = is_known || begins_with(sources->sections[i].name, silent[k]);
		if (begins_with(sources->sections[i].name, "program:"))
			ok = take_program(sources, &sources->sections[i]) && ok;
		if (!is_known)
			problem_warning(sources->graft->problems, sources->sections[i].at, "[%.60s] has no equivalent",
				sources->sections[i].name);
	}
	for (size_t i = 0; i < sources->count; i++)
		if (begins_with(sources->sections[i].name, "group:"))
			ok = take_group(sources, &sources->sections[i]) && ok;
	return ok;
}

bool document_scan_supervisord(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems)
{
	struct graft graft = { document, problems };
	struct sources sources = { .graft = &graft };
	char real[PATH_MAX];

	*document = (struct document){ .name = memory_copy(name), .source = memory_copy_n(text, size) };
	if (strlen(document->source) != size)
		return problem_error(problems, (struct position){ .file = document->name }, "is not UTF-8 text");
	sources.processes = graft_begin(&graft);
	if (realpath(name, real))
		strings_add(&sources.read, real);
	bool ok = take_lines(&sources, document->name, document->source) && include_all(&sources) &&
		  take_sections(&sources);
	if (ok && !sources.processes->count)
		ok = problem_error(problems, (struct position){ .file = document->name },
			"no [program:NAME] is in it");
	finish_sources(&sources);
	return ok;
}
