/* Figures as people read them: one that is not known is said to be so, and never 0. */
#ifndef MODEL_FIGURE_H
#define MODEL_FIGURE_H

#include <stdint.h>

#include "base/units.h"
#include "model/inside.h"

enum { FIGURE_SIZE = UNITS_TEXT_SIZE };

/* Each returns out, or `unknown` for SAMPLE_UNKNOWN, or a rate below 0. */
const char *figure_count(char out[FIGURE_SIZE], uint64_t value, const char *unknown);
const char *figure_size(char out[FIGURE_SIZE], uint64_t bytes, const char *unknown); /* "204M" */
const char *figure_rate(char out[FIGURE_SIZE], double value, const char *unknown);   /* "1.5" */

const char *figure_whole(char out[FIGURE_SIZE], double value, const char *unknown);   /* "2" */
const char *figure_duration(char out[FIGURE_SIZE], uint64_t ms, const char *unknown); /* "950ms" "1.2s" */
const char *figure_speed(char out[FIGURE_SIZE], double bytes, const char *unknown);   /* a second: "1.2M" */
const char *figure_ms(char out[FIGURE_SIZE], double ms, const char *unknown);         /* "0.04" */

/* Which way it goes, three columns: "<->" "<- " "-> ", and "(o)" for who listens. */
const char *figure_arrow(const struct peer_report *peer);

#endif
