/* The variables of an instance, and where each is from. */
#include <stdio.h>
#include <string.h>

#include "cli/cli.h"
#include "protocol/secret.h"

static void mask(json_t *variable)
{
	static const char *const keys[] = { "value", "running" };

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (json_object_get(variable, keys[i]))
			json_object_set_new(variable, keys[i], json_string(SECRET_SHOWN));
	json_object_set_new(variable, "masked", json_true());
}

static void mask_all(json_t *variables)
{
	json_t *variable;
	size_t i;

	json_array_foreach(variables, i, variable) if (secret_is_name(json_string_value(json_object_get(variable, "name"))))
		mask(variable);
}

static void print_one(const json_t *variable)
{
	const char *path = json_string_value(json_object_get(variable, "path"));
	const char *running = json_string_value(json_object_get(variable, "running"));

	cli_print_safe(json_string_value(json_object_get(variable, "name")));
	putchar('=');
	cli_print_safe(json_string_value(json_object_get(variable, "value")));
	printf("\t(%s%s", json_string_value(json_object_get(variable, "source")), path ? " " : "");
	cli_print_safe(path ? path : "");
	if (running) {
		fputs("; the running process has ", stdout);
		cli_print_safe(running);
	}
	puts(")");
}

static void print_all(const json_t *result)
{
	json_t *item;
	size_t i;

	json_array_foreach(json_object_get(result, "variables"), i, item)
		print_one(item);
	json_array_foreach(json_object_get(result, "stale"), i, item)
		cli_fail(EXIT_OK, "%s: these are the values of the last time", json_string_value(item));
}

int cli_env(struct invocation *invocation)
{
	int status = EXIT_OK;
	json_t *result = cli_ask(invocation, "env", json_pack("{s:s}", "name", invocation->names[0]), &status);

	if (result && !invocation->reveal)
		mask_all(json_object_get(result, "variables"));
	if (result && invocation->json)
		cli_print_json(result);
	else if (result)
		print_all(result);
	json_decref(result);
	return status;
}
