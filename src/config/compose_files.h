/* The services of a compose.yaml with those of the files that it includes, and with what they extend. */
#ifndef CONFIG_COMPOSE_FILES_H
#define CONFIG_COMPOSE_FILES_H

#include "config/graft.h"

/*
 * A map of services, each whole: `include` and `extends` are done with. Paths of other files' env_file are those that
 * are meant there. NULL: something was wrong, and said. root is that of the graft's document.
 */
struct node *compose_gather(struct graft *graft, const struct node *root);

/* A list of NAME=value as the map that it stands for; all else is left. */
struct node *compose_environment(struct graft *graft, struct node *value);

#endif
