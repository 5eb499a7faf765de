/* What a changed configuration would do to the running project, and doing it. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/text.h"
#include "cli/cli.h"
#include "protocol/secret.h"
#include "config/print.h"

enum {
	SPEC_MOST = 16 * 1024 * 1024,
	PIECE = 128 * 1024,   /* of the configuration, in one request */
	APPLY_MS = 60 * 1000, /* it may start a thousand processes */
};

/* ---- asking the engine ---- */

/* A piece ends between two characters. */
static size_t piece_size(const char *text, size_t size)
{
	size_t cut = size < PIECE ? size : PIECE;

	while (cut && cut < size && ((unsigned char)text[cut] & 0xc0) == 0x80)
		cut--;
	return cut;
}

static bool stage(struct link *link, const char *text, size_t size, struct error *err)
{
	bool is_first = true, ok = true;

	for (size_t piece; size && ok; text += piece, size -= piece) {
		piece = piece_size(text, size);
		json_t *result = link_call(link, "stage",
			json_pack("{s:s%,s:b}", "text", text, piece, "first", is_first), CALL_MS, err);
		ok = result;
		is_first = false;
		json_decref(result);
	}
	return ok;
}

/* Another engine is asked again, should one die meanwhile: to apply twice is to apply once. */
static json_t *ask(struct link *link, const char *method, const struct text *text, int *status)
{
	struct error err = { 0 };
	json_t *result;

	do
		result = stage(link, text_string(text), text->size, &err)
				 ? link_call(link, method, NULL, APPLY_MS, &err)
				 : NULL;
	while (!result && cli_reconnect(link, &err));
	if (!result)
		*status = cli_fail(cli_status(&err), "%s", err.text);
	return result;
}

/* ---- showing ---- */

static bool is_secret(const char *key)
{
	return strncmp(key, "environment.", 12) == 0 && secret_is_name(key + 12);
}

static void mask_changes(json_t *changes)
{
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		if (!is_secret(json_string_value(json_object_get(change, "key"))))
			continue;
		if (!json_is_null(json_object_get(change, "old")))
			json_object_set_new(change, "old", json_string(SECRET_SHOWN));
		if (!json_is_null(json_object_get(change, "new")))
			json_object_set_new(change, "new", json_string(SECRET_SHOWN));
	}
}

static void mask(json_t *services)
{
	json_t *entry;
	size_t i;

	json_array_foreach(services, i, entry)
		mask_changes(json_object_get(entry, "changes"));
}

static void print_value(const json_t *value)
{
	char *text = json_is_null(value) ? NULL : json_dumps(value, JSON_COMPACT | JSON_ENCODE_ANY);

	cli_print_safe(json_is_string(value) ? json_string_value(value) : text ? text
									       : "(none)");
	free(text);
}

static void print_changes(const json_t *changes)
{
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change)
	{
		fputs("    ", stdout);
		cli_print_safe(json_string_value(json_object_get(change, "key")));
		fputs(": ", stdout);
		print_value(json_object_get(change, "old"));
		fputs(" -> ", stdout);
		print_value(json_object_get(change, "new"));
		putchar('\n');
	}
}

/* Something that a process is started with, and none is to be restarted: all are down. */
static bool waits_for_start(const json_t *changes)
{
	json_t *change;
	size_t i;

	json_array_foreach(changes, i, change) if (!json_is_true(json_object_get(change, "live"))) return true;
	return false;
}

struct entry {
	const char *service, *action;
	int from, to, restarts;
	json_t *changes;
};

static const char *plural(int count)
{
	return count == 1 ? "" : "s";
}

static void print_change(const struct entry *entry)
{
	printf("~ %s ", entry->service);
	if (entry->restarts)
		printf("(restart %d instance%s)", entry->restarts, plural(entry->restarts));
	else
		printf("(%s)", waits_for_start(entry->changes) ? "at its next start" : "no restart");
	if (entry->from != entry->to)
		printf(", scale %d -> %d", entry->from, entry->to);
	putchar('\n');
	print_changes(entry->changes);
}

static void print_entry(const struct entry *entry)
{
	if (strcmp(entry->action, "add") == 0)
		printf("+ %s: %d instance%s\n", entry->service, entry->to, plural(entry->to));
	else if (strcmp(entry->action, "remove") == 0)
		printf("- %s: %d instance%s\n", entry->service, entry->from, plural(entry->from));
	else if (strcmp(entry->action, "scale") == 0)
		printf("= %s scale %d -> %d\n", entry->service, entry->from, entry->to);
	else
		print_change(entry);
}

static bool is_empty(const json_t *plan)
{
	return !json_array_size(json_object_get(plan, "services")) &&
	       !json_array_size(json_object_get(plan, "changes"));
}

static void print_plan(const struct invocation *invocation, const json_t *plan)
{
	json_t *services = json_object_get(plan, "services"), *item;
	size_t i;

	if (!invocation->reveal)
		mask(services);
	if (invocation->json) {
		cli_print_json(plan);
		return;
	}
	json_t *changes = json_object_get(plan, "changes");
	if (is_empty(plan))
		puts("nothing to do: the engine has this configuration");
	json_array_foreach(services, i, item)
	{
		struct entry entry;
		if (json_unpack(item, "{s:s,s:s,s:i,s:i,s:i,s:o}", "service", &entry.service,
			    "action", &entry.action, "from", &entry.from, "to", &entry.to,
			    "restarts", &entry.restarts, "changes", &entry.changes) == 0)
			print_entry(&entry);
	}
	if (json_array_size(changes))
		puts("~ the project (no restart)");
	print_changes(changes);
}

/* ---- the commands ---- */

/* The file is read before anything is asked: what is broken changes nothing. */
static struct link *prepare(struct invocation *invocation, struct text *text, int *status)
{
	struct project_spec *spec = cli_load(invocation, status);

	text_init(text, SPEC_MOST);
	if (!spec)
		return NULL;
	config_print(text, spec);
	struct invocation of_file = *invocation;
	of_file.project = spec->name;
	struct link *link = cli_connect(&of_file, status);
	project_spec_destroy(spec);
	return link;
}

int cli_plan(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct text text;
	struct link *link = prepare(invocation, &text, &status);
	json_t *plan = link ? ask(link, "plan", &text, &status) : NULL;

	if (plan)
		print_plan(invocation, plan);
	json_decref(plan);
	text_finish(&text);
	link_close(link);
	return status;
}

static bool is_confirmed(const struct invocation *invocation, const json_t *plan, int *status)
{
	char answer[16] = "";

	if (invocation->yes || is_empty(plan))
		return true;
	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO)) {
		*status = cli_fail(EXIT_USAGE, "nobody is there to be asked: --yes applies this plan");
		return false;
	}
	print_plan(invocation, plan);
	fputs("Apply this? [y/N] ", stdout);
	fflush(stdout);
	if (fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y'))
		return true;
	*status = cli_fail(EXIT_FAILED, "nothing was changed");
	return false;
}

int cli_apply(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct text text;
	struct link *link = prepare(invocation, &text, &status);
	json_t *plan = link ? ask(link, "plan", &text, &status) : NULL;
	bool is_asked = plan && !invocation->yes && !is_empty(plan);
	json_t *done = plan && is_confirmed(invocation, plan, &status) ? ask(link, "apply", &text, &status)
								       : NULL;

	if (done && (!is_asked || invocation->json))
		print_plan(invocation, done);
	json_decref(done);
	json_decref(plan);
	text_finish(&text);
	link_close(link);
	return status;
}
