/*
 * Whether a figure grows without end, and how fast: a line through its floor, by the median of the slopes between all
 * pairs of points (Theil and Sen), which a few wild ones cannot bend. Pure.
 */
#ifndef MODEL_SLOPE_H
#define MODEL_SLOPE_H

#include <stdbool.h>
#include <stddef.h>

enum { SLOPE_SPAN_LEAST_S = 60 }; /* nothing is said of less */

struct slope_point {
	double at_s, value;
};

struct slope {
	double per_s;
	double low_per_s, high_per_s; /* it is between them in 99 of 100 cases */
	double span_s;
};

/*
 * points in order of time. True: it grows. That is said only when the whole interval is above 0, and when it grew
 * in the first, the middle and the last third: what was allocated once, or comes to rest, is no leak.
 */
bool slope_find(struct slope *slope, const struct slope_point *points, size_t count);

#endif
