/* The words of process-compose for what thrum.yaml says otherwise. */
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/program.h"
#include "config/take.h"

#define TAKES(name) static TAKES_OF(name)
#define END                               \
	{                                 \
		NULL, NULL, 0, NULL, NULL \
	}

TAKES_OF(take_foreground)
{
	struct service_spec *spec = place;
	bool is_foreground = false;

	if (!take_bool(reading, value, &is_foreground, key))
		return false;
	spec->pty |= is_foreground;
	spec->disabled |= is_foreground;
	return true;
}

TAKES_OF(take_daemon)
{
	(void)place;
	return take_bool(reading, value, &reading->is_daemon, key);
}

TAKES_OF(take_dotenv_disabled)
{
	(void)place;
	return take_bool(reading, value, &reading->has_no_dotenv, key);
}

TAKES_OF(take_entrypoint)
{
	(void)place;
	if (value->kind != NODE_LIST)
		return problem_error(reading->problems, value->at, "%s takes a list of words; command may be a string", key->name);
	if (!reading->command)
		reading->command = value;
	return true;
}

TAKES_OF(take_vars)
{
	(void)place;
	return value->kind == NODE_MAP ||
	       problem_error(reading->problems, value->at, "%s takes a map of names and values", key->name);
}

/* ---- the shell ---- */

TAKES(take_shell_command)
{
	struct strings *words = place;
	char *text = schema_text(reading, value, key->name);
	char path[PATH_MAX];
	bool ok = text && (strchr(text, '/') ? program_is(text) : program_find(path, text));

	if (text && !ok)
		problem_error(reading->problems, value->at, "%s: '%.60s' is no program that can be found; name its path",
			key->name, text);
	if (ok)
		strings_add(words, text);
	free(text);
	return ok;
}

TAKES(take_shell_argument)
{
	char *text = schema_text(reading, value, key->name);

	if (text)
		strings_add(place, text);
	free(text);
	return text;
}

// clang-format off
const struct key schema_shell[] = {
	{ "shell_command", take_shell_command, 0, NULL, "the program" },
	{ "shell_argument", take_shell_argument, 0, NULL, "what stands before the command, such as -c" },
	{ "elevated_shell_command", take_nothing, 0, NULL, "process-compose: see is_elevated" },
	{ "elevated_shell_argument", take_nothing, 0, NULL, "process-compose: see is_elevated" },
	END
};
// clang-format on

TAKES_OF(take_shell_words)
{
	struct strings words = { 0 };

	(void)place;
	if (value->kind != NODE_MAP || !node_get(value, "shell_command"))
		return problem_error(reading->problems, value->at,
			"%s of a project is {shell_command: bash, shell_argument: -c}; of a service it is true or false", key->name);
	if (!schema_take(reading, value, schema_shell, &words)) {
		strings_finish(&words);
		return false;
	}
	strings_finish(reading->shell_words);
	*reading->shell_words = words;
	reading->is_always_shell = true;
	return true;
}

/* ---- logs ---- */

TAKES(take_megabytes)
{
	unsigned count = 0;

	if (!take_count(reading, value, &count, key))
		return false;
	*(uint64_t *)place = count * 1024ull * 1024;
	return true;
}

TAKES(take_plain_text)
{
	struct log_spec *log = place;
	bool is_plain = false;

	if (!take_bool(reading, value, &is_plain, key))
		return false;
	log->json = !is_plain;
	return true;
}

#define IN_LOG(field) offsetof(struct log_spec, field)

// clang-format off
static const struct key rotation_keys[] = {
	{ "max_size_mb", take_megabytes, IN_LOG(max_size), NULL, "megabytes; log.rotate.max_size" },
	{ "max_backups", take_count, IN_LOG(max_files), NULL, "log.rotate.max_files" },
	{ "max_age_days", take_nothing, 0, NULL, "what is old is bounded by number and by log.disk_cap" },
	{ "compress", take_nothing, 0, NULL, "closed segments stay as they are, to be read" },
	{ "directory", take_nothing, 0, NULL, "log_location names the file" },
	{ "filename", take_nothing, 0, NULL, "log_location names the file" },
	END
};

const struct key schema_log_configuration[] = {
	{ "rotation", take_inner, 0, rotation_keys, "when a new file is begun" },
	{ "disable_json", take_plain_text, 0, NULL, "lines as they are written; log.json: false" },
	{ "add_timestamp", take_bool, IN_LOG(timestamps), NULL, "log.timestamps" },
	{ "timestamp_format", take_nothing, 0, NULL, "times are ISO 8601, in UTC" },
	{ "fields_order", take_nothing, 0, NULL, "a JSON object has no order" },
	{ "no_metadata", take_nothing, 0, NULL, "lines as JSON tell service and instance, others do not" },
	{ "no_color", take_nothing, 0, NULL, "there are none" },
	{ "flush_each_line", take_nothing, 0, NULL, "each is written when it comes" },
	END
};
// clang-format on

static bool take_configuration(struct reading *reading, const struct node *value, struct log_spec *log, const struct key *key)
{
	return (value->kind == NODE_MAP || problem_error(reading->problems, value->at, "%s takes a map of keys", key->name)) &&
	       schema_take(reading, value, schema_log_configuration, log);
}

TAKES_OF(take_log_configuration)
{
	struct service_spec *spec = place;

	return take_configuration(reading, value, &spec->log, key);
}

TAKES_OF(take_project_log_configuration)
{
	struct project_spec *project = place;

	return take_configuration(reading, value, &project->log, key);
}

TAKES_OF(take_log_location)
{
	struct service_spec *spec = place;

	spec->log.json = true;
	return take_path(reading, value, &spec->log.file, key);
}

TAKES_OF(take_project_log_location)
{
	struct project_spec *project = place;

	project->log.json = true;
	return take_path(reading, value, &project->log.file, key);
}
