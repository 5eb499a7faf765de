/* What is about the engines of many machines is done by the gateway for Redis, which has the library for it. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "config/gateway.h"

#define VARIABLE "THRUM_REDIS"

/* The gateway's variables, as the engine of the project has them. False, said: there are none. */
static bool take_variables(const struct invocation *invocation, int *status)
{
	json_t *result = cli_ask(invocation, "env", json_pack("{s:s}", "name", GATEWAY_REDIS "/0"), status), *variable;
	size_t i;

	json_array_foreach(json_object_get(result, "variables"), i, variable)
	{
		const char *name = json_string_value(json_object_get(variable, "name"));
		const char *value = json_string_value(json_object_get(variable, "value"));
		if (name && value && strncmp(name, VARIABLE, strlen(VARIABLE)) == 0)
			setenv(name, value, 1);
	}
	json_decref(result);
	if (!result)
		cli_fail(*status, "--fleet: where Redis is, " VARIABLE " tells, or `redis: {server: HOST:PORT}` of a running project");
	return result;
}

int cli_fleet_is_missing(void)
{
	return cli_fail(EXIT_FAILED, "--fleet: this thrum was built without its gateway for Redis; hiredis is what it needs");
}

static int run(char **words)
{
	char *program = gateway_find(GATEWAY_REDIS);

	if (!program)
		return cli_fleet_is_missing();
	words[0] = program;
	execv(program, words);
	int status = cli_fail(EXIT_FAILED, "%s: %s", program, strerror(errno));
	free(program);
	return status;
}

/* Where Redis is, is known from now on. */
static bool find_server(const struct invocation *invocation, int *status)
{
	const char *server = getenv(VARIABLE);

	return (server && *server) || take_variables(invocation, status);
}

int cli_attach_fleet(const struct invocation *invocation)
{
	int status = EXIT_OK;

	return find_server(invocation, &status) ? cli_fleet_screen(invocation) : status;
}

int cli_fleet(const struct invocation *invocation, const char *command)
{
	int status = EXIT_OK, count = 1;

	if (!find_server(invocation, &status))
		return status;
	char **words = memory_zeroed((size_t)invocation->name_count + 8, sizeof *words);
	words[count++] = (char *)command;
	if (invocation->json)
		words[count++] = (char *)"--json";
	if (invocation->watch)
		words[count++] = (char *)"--watch";
	if (invocation->wait)
		words[count++] = (char *)"--wait";
	if (invocation->from) {
		words[count++] = (char *)"--from";
		words[count++] = (char *)invocation->from;
	}
	words[count++] = (char *)"--";
	for (int i = 0; i < invocation->name_count; i++)
		words[count++] = invocation->names[i];
	status = run(words);
	free(words);
	return status;
}
