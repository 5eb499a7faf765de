/*
 * The stats page of this process (stats.h), and the thread that does what monitors wish. Both begin with the first pool and the
 * thread ends with the last. Without a memfd the figures are in memory of our own, and nobody sees them.
 */
#ifndef LIB_PAGE_H
#define LIB_PAGE_H

#include <stdbool.h>
#include "lib/stats.h"

struct thrum_pool;

/* A place on the page for a pool, named; false with errno set. Sets the pool's figures and index. */
bool thrum__page_enter(struct thrum_pool *pool);
/* The pool's threads have ended. Its places are free again. */
void thrum__page_leave(struct thrum_pool *pool);
/* A place for the figures of one more thread of the pool, or NULL if there is none. */
struct stats_worker *thrum__page_worker(struct thrum_pool *pool);
/* Have the thread look after the pools soon. */
void thrum__page_ring(void);

#endif
