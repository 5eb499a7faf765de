/* `http: {listen: …}` and `redis: {server: …}`: gateways, as services of the project like any other. */
#ifndef CONFIG_GATEWAY_H
#define CONFIG_GATEWAY_H

#include "config/graft.h"

#define GATEWAY_HTTP "thrum-http"
#define GATEWAY_REDIS "thrum-redis"

/* Is it the service of a gateway? Those are there for the others. */
bool gateway_is(const char *service);

/* The program of that name: beside us, as in a build folder, or where it was installed. NULL: it is not there. free() it. */
char *gateway_find(const char *name);

/* Adds the services to the `processes` of a project, if they are asked for. False: wrong, and said. */
bool gateway_graft(struct graft *graft, struct node *root);

#endif
