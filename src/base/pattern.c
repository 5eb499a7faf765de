#define PCRE2_CODE_UNIT_WIDTH 8
#include "base/pattern.h"

#include <pcre2.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"

enum { MATCH_STEPS = 100000, /* an evil pattern costs a millisecond a line, not a day */
	MESSAGE_SIZE = 120 };

struct pattern {
	pcre2_code *code;             /* owned */
	pcre2_match_data *match;      /* owned */
	pcre2_match_context *context; /* owned */
};

static struct pattern *compile(PCRE2_SPTR text, size_t size, uint32_t options, struct error *err)
{
	PCRE2_UCHAR why[MESSAGE_SIZE];
	PCRE2_SIZE offset;
	int code;
	pcre2_code *compiled = pcre2_compile(text, size, options, &code, &offset, NULL);

	if (!compiled) {
		pcre2_get_error_message(code, why, sizeof why);
		error_set(err, (int)offset, "%s", (const char *)why);
		return NULL;
	}
	struct pattern *pattern = memory_zeroed(1, sizeof *pattern);
	pattern->code = compiled;
	pcre2_jit_compile(compiled, PCRE2_JIT_COMPLETE);
	pattern->match = pcre2_match_data_create_from_pattern(compiled, NULL);
	pattern->context = pcre2_match_context_create(NULL);
	pcre2_set_match_limit(pattern->context, MATCH_STEPS);
	return pattern;
}

struct pattern *pattern_create(const char *text, struct error *err)
{
	return compile((PCRE2_SPTR)text, PCRE2_ZERO_TERMINATED,
		PCRE2_UTF | PCRE2_MATCH_INVALID_UTF | PCRE2_NEVER_BACKSLASH_C, err);
}

struct pattern *pattern_create_glob(const char *glob, struct error *err)
{
	PCRE2_UCHAR *converted = NULL, why[MESSAGE_SIZE];
	PCRE2_SIZE size = 0;
	int code = pcre2_pattern_convert((PCRE2_SPTR)glob, strlen(glob), PCRE2_CONVERT_GLOB,
		&converted, &size, NULL);

	if (code != 0) {
		pcre2_get_error_message(code, why, sizeof why);
		error_set(err, (int)size, "%s", (const char *)why);
		return NULL;
	}
	struct pattern *pattern = compile(converted, size, 0, err);
	pcre2_converted_pattern_free(converted);
	return pattern;
}

bool pattern_matches(const struct pattern *pattern, const char *text, size_t size)
{
	return pcre2_match(pattern->code, (PCRE2_SPTR)text, size, 0, 0, pattern->match,
		       pattern->context) >= 0;
}

bool pattern_find(const struct pattern *pattern, const char *text, size_t size, size_t from, size_t *begin, size_t *end)
{
	if (pcre2_match(pattern->code, (PCRE2_SPTR)text, size, from, PCRE2_NOTEMPTY, pattern->match, pattern->context) < 0)
		return false;
	const PCRE2_SIZE *found = pcre2_get_ovector_pointer(pattern->match);
	*begin = found[0];
	*end = found[1];
	return *begin >= from && *end > *begin;
}

void pattern_destroy(struct pattern *pattern)
{
	if (!pattern)
		return;
	pcre2_match_context_free(pattern->context);
	pcre2_match_data_free(pattern->match);
	pcre2_code_free(pattern->code);
	free(pattern);
}
