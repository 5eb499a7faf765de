/* A row of bars, one character a value or two: a graph in a line of text. */
#ifndef BASE_SPARK_H
#define BASE_SPARK_H

#include <stddef.h>
#include <stdint.h>

#include "base/text.h"

enum spark_style { SPARK_ASCII,
	SPARK_BLOCKS,
	SPARK_BRAILLE }; /* two values a character, half as high */

/* How many values one character shows. */
unsigned spark_span(enum spark_style style);

/* The character for so many values, the newest last, where `most` is full; below 0: not known. */
uint32_t spark_character(const double *values, double most, enum spark_style style);

/* All of them; the newest has the right place of its character. */
void spark_append(struct text *out, const double *values, size_t count, double most, enum spark_style style);

#endif
