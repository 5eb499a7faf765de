/* The options of overmind, from .overmind.env beside a Procfile, put into the services that it makes. */
#ifndef CONFIG_OVERMIND_H
#define CONFIG_OVERMIND_H

#include "config/graft.h"

/* False: one of them is wrong, and that was said. processes are those of the Procfile called name. */
bool overmind_apply(struct graft *graft, struct node *processes, const char *name);

#endif
