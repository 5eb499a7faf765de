#include "model/inside.h"

#include <assert.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>

#include "base/memory.h"
#include "model/sample.h"

enum { FINDING_SIZE = 512 };

static const char *const pool_kinds[] = { [POOL_LIBUV] = "libuv", [POOL_THRUM] = "thrum" };
static_assert(sizeof pool_kinds / sizeof *pool_kinds == POOL_KIND_COUNT, "name every kind");

static const char *const work_kinds[] = {
	[WORK_FS] = "fs", [WORK_DNS] = "dns", [WORK_RANDOM] = "random", [WORK_OTHER] = "work"
};
static_assert(sizeof work_kinds / sizeof *work_kinds == WORK_KIND_COUNT, "name every kind");

static const char *const transports[] = { [PEER_UNIX] = "unix", [PEER_TCP] = "tcp", [PEER_PIPE] = "pipe" };
static_assert(sizeof transports / sizeof *transports == PEER_TRANSPORT_COUNT, "name every one");

const char *pool_kind_name(enum pool_kind kind)
{
	return pool_kinds[kind];
}

const char *work_kind_name(enum work_kind kind)
{
	return work_kinds[kind];
}

const char *peer_transport_name(enum peer_transport transport)
{
	return transports[transport];
}

void study_finish(struct study *study)
{
	free(study->loops);
	free(study->pools);
	free(study->threads);
	free(study->peers);
	free(study->files);
	for (size_t i = 0; i < study->finding_count; i++)
		free(study->findings[i]);
	*study = (struct study){ 0 };
}

void study_find(struct study *study, const char *fmt, ...)
{
	char sentence[FINDING_SIZE];
	va_list args;

	if (study->finding_count == INSIDE_FINDINGS_MOST)
		return;
	va_start(args, fmt);
	vsnprintf(sentence, sizeof sentence, fmt, args);
	va_end(args);
	study->findings[study->finding_count++] = memory_copy(sentence);
}

void study_trace(struct study *study, const struct trace *trace, const struct ceiling *ceilings)
{
	char sentence[FINDING_SIZE];

	if (study->is_traced)
		return;
	study->is_traced = true;
	study->growth_count = growth_find(study->growths, trace, ceilings);
	for (size_t i = 0; i < study->growth_count; i++) {
		growth_describe(sentence, sizeof sentence, &study->growths[i]);
		study_find(study, "%s", sentence);
	}
}

/* A sum of which one part is not known is at least the sum of the others. */
static void add(uint64_t *sum, uint64_t value)
{
	if (value != SAMPLE_UNKNOWN)
		*sum = value + (*sum == SAMPLE_UNKNOWN ? 0 : *sum);
}

static void raise(uint64_t *most, uint64_t value)
{
	if (value != SAMPLE_UNKNOWN && (*most == SAMPLE_UNKNOWN || value > *most))
		*most = value;
}

/* The main loop of a tree is the one that works most. */
void inside_add(struct inside *sum, const struct inside *one)
{
	add(&sum->queue, one->queue);
	add(&sum->busy, one->busy);
	add(&sum->size, one->size);
	raise(&sum->lag_ms, one->lag_ms);
	raise(&sum->worst_ms, one->worst_ms);
	if (one->utilisation > sum->utilisation)
		sum->utilisation = one->utilisation;
}

void study_sum(struct study *study)
{
	struct inside *sum = &study->inside;

	*sum = (struct inside)INSIDE_UNKNOWN;
	for (size_t i = 0; i < study->pool_count; i++) {
		add(&sum->queue, study->pools[i].queued);
		add(&sum->busy, study->pools[i].busy);
		add(&sum->size, study->pools[i].threads);
	}
	for (size_t i = 0; i < study->loop_count; i++) {
		const struct loop_report *loop = &study->loops[i];
		raise(&sum->lag_ms, loop->lag_ms);
		raise(&sum->worst_ms, loop->worst_ms);
		if (loop->is_main)
			sum->utilisation = loop->utilisation;
	}
}
