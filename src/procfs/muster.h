/*
 * Everybody on the machine, with what people want to see of them. A process whose CPU clock stands still is
 * not read again, but every so many passes; a command line is read once for each program. One thread at a time.
 */
#ifndef PROCFS_MUSTER_H
#define PROCFS_MUSTER_H

#include <stdbool.h>

#include "base/error.h"
#include "model/machine.h"

struct muster; /* defined in muster.c */

struct muster *muster_create(void);
void muster_destroy(struct muster *muster); /* accepts NULL */

/*
 * Bring the machine up to date: figures are since the pass that filled it before. Its users' names are ours.
 */
bool muster_take(struct muster *muster, struct machine *machine, struct error *err);

#endif
