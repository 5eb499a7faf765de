/*
 * Lines of a service for systemd's journal (`log: {journald: true}`), by its native protocol: one datagram a line, with
 * project, service, instance and pid as fields of their own. It follows from the raw logs; how far it has come is kept
 * beside them, so that a new engine goes on there. While the journal takes nothing, the lines wait in those logs.
 * Loop thread only.
 */
#ifndef ENGINE_JOURNALD_H
#define ENGINE_JOURNALD_H

#include "engine/engine.h"

struct journald; /* defined in journald.c */

/* Its raw logs have grown, or are open: send the lines that are whole now. Nothing, for a service without log.journald. */
void journald_follow(struct member *member);
void journald_close(struct member *member);

#endif
