/* How a project is, for those who only want to know that. */
#ifndef GATEWAY_HEALTH_H
#define GATEWAY_HEALTH_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "client/replica.h"

/* {"service","status":"healthy|degraded|unhealthy","uptime",…}. is_well: not unhealthy. */
json_t *health_describe(const struct replica *replica, unsigned connections, uint64_t now_us, bool *is_well);

/* {"ready","reasons":["api/0 is starting"]} */
json_t *health_readiness(const struct replica *replica, bool *is_ready);

#endif
