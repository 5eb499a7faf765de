/* From other tools, and to them. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "cli/cli.h"
#include "config/load.h"

enum { FILE_MOST = 16 * 1024 * 1024 };

int cli_import(struct invocation *invocation)
{
	const char *kind = invocation->names[0], *path = invocation->names[1];
	struct problems problems;
	struct text yaml;

	problems_init(&problems);
	text_init(&yaml, FILE_MOST);
	bool ok = config_import(kind, path, &yaml, &problems);
	cli_print_problems(&problems);
	if (ok)
		printf("# From %s, by `thrum import %s`.\n%s", path, kind, text_string(&yaml));
	text_finish(&yaml);
	problems_finish(&problems);
	return ok ? EXIT_OK : EXIT_USAGE;
}
