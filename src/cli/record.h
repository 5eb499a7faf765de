/* One record of headless output, as a line of text or of JSON. */
#ifndef CLI_RECORD_H
#define CLI_RECORD_H

#include <jansson.h>
#include <stdbool.h>

#include "base/text.h"
#include "client/tail.h"

struct record_style {
	bool json;
	bool colour; /* names, on a terminal */
	bool safe;   /* neutralise what a terminal would obey */
};

void record_line(struct text *out, const struct record_style *style, const struct tail_line *line);
/* params of an `event` notification */
void record_event(struct text *out, const struct record_style *style, const json_t *event);
/* params of a `message` notification */
void record_message(struct text *out, const struct record_style *style, const json_t *message);
/* The same as something that a process said to everybody: its type, and its data. */
void record_bus(struct text *out, const struct record_style *style, const json_t *message);
/* params of a `sample` notification: one record an instance */
void record_samples(struct text *out, const struct record_style *style, const json_t *samples);

#endif
