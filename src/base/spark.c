#include "base/spark.h"

#include "base/utf8.h"

enum { LEVELS = 8 };

uint32_t spark_bar(double value, double most, bool is_unicode)
{
	static const char ascii[] = " _.,-=*#@";
	static const uint32_t lowest = 0x2581;
	int level = value < 0 ? 0 : 1 + (most > 0 ? (int)(value / most * (LEVELS - 1) + 0.5) : 0);

	if (level > LEVELS)
		level = LEVELS;
	if (!is_unicode || !level)
		return (uint32_t)ascii[level];
	return lowest + (uint32_t)level - 1;
}

void spark_append(
	struct text *out, const double *values, size_t count, double most, bool is_unicode)
{
	char encoded[4];

	for (size_t i = 0; i < count; i++)
		text_append(out, encoded,
			utf8_encode(encoded, spark_bar(values[i], most, is_unicode)));
}
