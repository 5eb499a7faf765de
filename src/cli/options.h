/* The table of options, for those who tell others of it. */
#ifndef CLI_OPTIONS_H
#define CLI_OPTIONS_H

#include <stdbool.h>
#include <stddef.h>

#include "cli/cli.h"

struct option_row {
	char letter;
	bool is_short;
	const char *name, *argument, *help;
};

size_t options_count(void);
const struct option_row *options_at(size_t index);
bool options_takes(const struct command *command, size_t index);

#endif
