/* How samples went, as a graph in one line. */
#ifndef CLIENT_GRAPH_H
#define CLIENT_GRAPH_H

#include <jansson.h>
#include <stdbool.h>

#include "base/spark.h"

/*
 * "▁▃█  12.0% at the end, 61.3% at the most", of one figure of a death's samples; percentages and sizes
 * are told apart by their names. False: there is nothing to show.
 */
bool graph_append(struct text *out, const json_t *samples, const char *key, enum spark_style style);

#endif
