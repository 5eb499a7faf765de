#include "base/spark.h"

#include "base/utf8.h"

enum { LEVELS = 8,
	DOTS = 4 };

unsigned spark_span(enum spark_style style)
{
	return style == SPARK_BRAILLE ? 2 : 1;
}

/* From 1 on; 0: not known. */
static int level_of(double value, double most, int levels)
{
	int level = value < 0 ? 0 : 1 + (most > 0 ? (int)(value / most * (levels - 1) + 0.5) : 0);

	return level > levels ? levels : level;
}

/* Each column of a character is filled from below; dots have the bits that Unicode gives them. */
static uint32_t braille(const double *values, double most)
{
	static const uint8_t dots[2][DOTS] = { { 0x40, 0x04, 0x02, 0x01 }, { 0x80, 0x20, 0x10, 0x08 } };
	uint32_t character = 0x2800;

	for (int column = 0; column < 2; column++)
		for (int i = 0; i < level_of(values[column], most, DOTS); i++)
			character |= dots[column][i];
	return character == 0x2800 ? ' ' : character;
}

uint32_t spark_character(const double *values, double most, enum spark_style style)
{
	static const char ascii[] = " _.,-=*#@";
	static const uint32_t lowest = 0x2581;

	if (style == SPARK_BRAILLE)
		return braille(values, most);
	int level = level_of(values[0], most, LEVELS);
	return style == SPARK_ASCII || !level ? (uint32_t)ascii[level] : lowest + (uint32_t)level - 1;
}

void spark_append(struct text *out, const double *values, size_t count, double most, enum spark_style style)
{
	unsigned span = spark_span(style);
	double alone[] = { -1, count ? values[0] : -1 };
	char encoded[4];
	size_t i = 0;

	if (count % span) {
		text_append(out, encoded, utf8_encode(encoded, spark_character(alone, most, style)));
		i = 1;
	}
	for (; i < count; i += span)
		text_append(out, encoded, utf8_encode(encoded, spark_character(values + i, most, style)));
}
