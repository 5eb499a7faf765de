/* Stacks of the threads of a process: of the project, by its engine; of any other, by our own hand. */
#ifndef CLI_STACK_H
#define CLI_STACK_H

#include "cli/cli.h"

int cli_stack(struct invocation *invocation);

#endif
