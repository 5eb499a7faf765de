/* `http: {listen: …}`: the gateway, as a service of the project like any other. */
#ifndef CONFIG_GATEWAY_H
#define CONFIG_GATEWAY_H

#include "config/graft.h"

#define GATEWAY_SERVICE "thrum-http"

/* The program: beside us, as in a build folder, or where it was installed. NULL: it is not there. free() it. */
char *gateway_find(void);

/* Adds the service to the `processes` of a project, if it is asked for. False: wrong, and said. */
bool gateway_graft(struct graft *graft, struct node *root);

#endif
