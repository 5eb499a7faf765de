/* What the figures mean, in sentences: what a process is doing, and why it is slow. */
#ifndef INSPECT_FINDING_H
#define INSPECT_FINDING_H

#include "model/inside.h"

/* Adds to the study's findings, from the rest of it. reason: why its memory could not be read; or "". */
void findings_add(struct study *study, const char *reason);

#endif
