/*
 * What a process says of itself in PM2's words: figures of its own (axm:monitor) and actions that can be
 * triggered (axm:action). Plain data, so that it may lie where it outlives the engine. Loop thread only.
 */
#ifndef ENGINE_REPORT_H
#define ENGINE_REPORT_H

#include <jansson.h>
#include <stdbool.h>
#include <stdint.h>

#include "model/metric.h"

enum {
	REPORT_METRICS = 24,
	REPORT_ACTIONS = 24,
};

struct report {
	uint32_t metric_count, action_count;
	struct metric metrics[REPORT_METRICS];
	char actions[REPORT_ACTIONS][48];
};

struct member;
struct message;

/* A taker of mail. */
bool report_take(struct member *member, const struct message *message);

/* {"metrics":{NAME:{"value","unit"}},"actions":[NAME]}; NULL: it said nothing. */
json_t *report_to_json(const struct member *member);
/* Those that are told wherever it is listed. */
void report_metrics(const struct member *member, struct metrics *out);
bool report_has_action(const struct member *member, const char *name);

#endif
