/* Engines of other machines. */
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "client/remote.h"

/* Joins standard input and output to the engine, for a client of another machine. */
int cli_dial(struct invocation *invocation)
{
	char *project = cli_project(invocation);
	struct error err = { 0 };
	int status = EXIT_OK;

	unsetenv(REMOTE_VARIABLE); /* it is this machine that is meant */
	signal(SIGPIPE, SIG_IGN);
	struct link *link = service_name_is_valid(project) ? link_open(project, &err) : NULL;
	if (link)
		remote_join(link_fd(link));
	else
		status = cli_fail(EXIT_NO_ENGINE, "no engine runs here for project '%.80s'", project);
	link_close(link);
	free(project);
	return status;
}

/* `attach ssh://HOST/PROJECT` is `-H HOST -p PROJECT attach`. */
void cli_take_host(struct invocation *invocation)
{
	const char *url = invocation->name_count ? invocation->names[0] : "";
	const char *slash = strncmp(url, "ssh://", 6) == 0 ? strchr(url + 6, '/') : NULL;

	if (strcmp(invocation->command->name, "attach") != 0 || strncmp(url, "ssh://", 6) != 0)
		return;
	setenv(REMOTE_VARIABLE, url, 1);
	if (slash && slash[1])
		invocation->project = slash + 1;
	invocation->names++;
	invocation->name_count--;
}

/* What starts an engine, or reads files for one, does that on its own machine. */
bool cli_is_possible_remotely(const struct invocation *invocation)
{
	static const char *const local[] = { "up", "run", "plan", "apply" };

	for (size_t i = 0; remote_host() && i < sizeof local / sizeof *local; i++)
		if (strcmp(local[i], invocation->command->name) == 0)
			return false;
	return true;
}
