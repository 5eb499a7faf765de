/* thrum: commands and dashboard, or, as the keeper starts it, the engine. */
#include <locale.h>
#include <string.h>

#include "cli/cli.h"
#include "server/server.h"

int main(int argc, char **argv)
{
	if (argc == 3 && strcmp(argv[1], "engine") == 0 && strcmp(argv[2], "--abi") == 0)
		return server_print_abi();
	if (argc == 3 && strcmp(argv[1], "engine") == 0)
		return server_run(argv[2]);
	setlocale(LC_CTYPE, "");
	return cli_main(argc, argv);
}
