/* Threads against processes, measured here: by the program that has the workloads. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "config/gateway.h"

#define WORKLOADS "thrum-workload"

static int execute(char **words)
{
	char *program = gateway_find(WORKLOADS);

	if (!program)
		return cli_fail(EXIT_FAILED, WORKLOADS " is not there: it belongs beside thrum, or where thrum was installed");
	words[0] = program;
	execv(program, words);
	int status = cli_fail(EXIT_FAILED, "%s: %s", program, strerror(errno));
	free(program);
	return status;
}

int cli_bench(struct invocation *invocation)
{
	char **words = memory_zeroed((size_t)invocation->name_count + 8, sizeof *words);
	int count = 1;

	words[count++] = (char *)"bench";
	if (invocation->json)
		words[count++] = (char *)"--json";
	if (invocation->rounds) {
		words[count++] = (char *)"--rounds";
		words[count++] = (char *)invocation->rounds;
	}
	for (int i = 0; i < invocation->name_count; i++)
		words[count++] = invocation->names[i];
	int status = execute(words);
	free(words);
	return status;
}
