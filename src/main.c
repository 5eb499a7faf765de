/* thrum: commands and dashboard, or, as the keeper starts it, the engine. */
#include <locale.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "cli/cli.h"
#include "server/server.h"

/* It runs what its environment, files and arguments name. */
static bool has_rights_of_others(void)
{
	return geteuid() != getuid() || getegid() != getgid();
}

int main(int argc, char **argv)
{
	if (has_rights_of_others()) {
		fprintf(stderr, "thrum: it must not be setuid or setgid: it runs whatever its caller says\n");
		return EXIT_USAGE;
	}
	if (argc == 3 && strcmp(argv[1], "engine") == 0 && strcmp(argv[2], "--abi") == 0)
		return server_print_abi();
	if (argc == 3 && strcmp(argv[1], "engine") == 0)
		return server_run(argv[2]);
	setlocale(LC_CTYPE, "");
	return cli_main(argc, argv);
}
