#include "model/slope.h"

#include <math.h>
#include <stdlib.h>

enum { BINS_MOST = 60,
	BINS_LEAST = 12,
	PARTS = 3,
	PAIRS_MOST = BINS_MOST * (BINS_MOST - 1) / 2 };
static const double sure = 2.576;       /* standard deviations, for 99 of 100 */
static const double lingers_most = 0.8; /* of what a value has of the one before it, as far as that is believed */
static const double part_least = 0.25;  /* of the slope of the whole that each third must have */

/*
 * The least of each stretch of time: what is left when garbage is collected, and descriptors that are
 * open for a moment are closed.
 */
static size_t find_floor(struct slope_point *bins, const struct slope_point *points, size_t count)
{
	double began = points[0].at_s, width = (points[count - 1].at_s - began) / BINS_MOST;
	size_t used = 0;
	int newest = -1;

	for (size_t i = 0; i < count; i++) {
		int bin = (int)((points[i].at_s - began) / width);
		if (bin >= BINS_MOST)
			bin = BINS_MOST - 1;
		if (bin > newest)
			bins[used++] = points[i];
		else if (points[i].value < bins[used - 1].value)
			bins[used - 1] = points[i];
		newest = bin > newest ? bin : newest;
	}
	return used;
}

static int compare(const void *a, const void *b)
{
	const double *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* Sorted; how many. */
static size_t find_pairs(double *slopes, const struct slope_point *points, size_t count)
{
	size_t pairs = 0;

	for (size_t i = 0; i < count; i++)
		for (size_t j = i + 1; j < count; j++)
			if (points[j].at_s > points[i].at_s)
				slopes[pairs++] = (points[j].value - points[i].value) / (points[j].at_s - points[i].at_s);
	qsort(slopes, pairs, sizeof *slopes, compare);
	return pairs;
}

static double median(const double *sorted, size_t count)
{
	return count ? (sorted[(count - 1) / 2] + sorted[count / 2]) / 2 : 0;
}

static double distance(const struct slope_point *bins, size_t i, double per_s)
{
	return bins[i].value - bins[0].value - per_s * (bins[i].at_s - bins[0].at_s);
}

/* How much each value takes after the one before it, beside the slope: 0 … 1. */
static double find_lingering(const struct slope_point *bins, size_t count, double per_s)
{
	double mean = 0, together = 0, all = 0;

	for (size_t i = 0; i < count; i++)
		mean += distance(bins, i, per_s) / (double)count;
	for (size_t i = 0; i < count; i++) {
		double here = distance(bins, i, per_s) - mean;
		all += here * here;
		together += i ? here * (distance(bins, i - 1, per_s) - mean) : 0;
	}
	return all > 0 && together > 0 ? fmin(together / all, lingers_most) : 0;
}

/*
 * Sen's interval: how far Kendall's sum strays when there is no slope at all; further when values linger, since
 * they say less than as many that know nothing of each other.
 */
static bool judge_whole(struct slope *slope, double *slopes, const struct slope_point *bins, size_t count)
{
	size_t pairs = find_pairs(slopes, bins, count);
	double n = (double)count, strays = sure * sqrt(n * (n - 1) * (2 * n + 5) / 18);

	slope->per_s = median(slopes, pairs);
	double lingers = find_lingering(bins, count, slope->per_s);
	strays *= sqrt((1 + lingers) / (1 - lingers));
	if (pairs == 0 || strays + 2 >= (double)pairs)
		return false;
	slope->low_per_s = slopes[(size_t)(((double)pairs - strays) / 2)];
	slope->high_per_s = slopes[(size_t)(((double)pairs + strays) / 2)];
	return slope->low_per_s > 0;
}

bool slope_find(struct slope *slope, const struct slope_point *points, size_t count)
{
	struct slope_point bins[BINS_MOST];
	double slopes[PAIRS_MOST];

	*slope = (struct slope){ .span_s = count ? points[count - 1].at_s - points[0].at_s : 0 };
	if (!(slope->span_s >= SLOPE_SPAN_LEAST_S))
		return false;
	size_t used = find_floor(bins, points, count);
	if (used < BINS_LEAST || !judge_whole(slope, slopes, bins, used))
		return false;
	for (size_t part = 0; part < PARTS; part++) {
		size_t from = used * part / PARTS, until = used * (part + 1) / PARTS;
		size_t pairs = find_pairs(slopes, bins + from, until - from);
		if (median(slopes, pairs) < part_least * slope->per_s)
			return false;
	}
	return true;
}
