/* What a replica knows, as Prometheus reads it: its own text format, or OpenMetrics. */
#ifndef GATEWAY_METRICS_H
#define GATEWAY_METRICS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/text.h"
#include "client/replica.h"

void metrics_write(struct text *out, const struct replica *replica, uint64_t now_us, bool is_open_metrics);

#endif
