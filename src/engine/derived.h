/*
 * The file that log.file names: lines of both streams, in the order in which they came, each with its time if
 * that is wanted. It follows from the raw logs and says nothing that they do not. How far it has come is kept
 * in a small file beside it (.pos), so that a new engine goes on at the very line: what was written and not yet
 * noted is cut off and written again. Loop thread only.
 */
#ifndef ENGINE_DERIVED_H
#define ENGINE_DERIVED_H

#include "engine/engine.h"

struct derived; /* defined in derived.c */

/* The raw log has grown, or is at its end: write the lines that are whole now. Nothing, for a service without log.file. */
void derived_follow(struct member *member, enum stream stream);
/* It may have been moved away: look before the next line. */
void derived_look(struct member *member);
void derived_close(struct member *member);

#endif
