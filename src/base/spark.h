/* A row of bars, one character a value: a graph in a line of text. */
#ifndef BASE_SPARK_H
#define BASE_SPARK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

/* The bar of a value where `most` is full; a blank for a negative one: not known. */
uint32_t spark_bar(double value, double most, bool is_unicode);

/* One bar each. */
void spark_append(
	struct text *out, const double *values, size_t count, double most, bool is_unicode);

#endif
