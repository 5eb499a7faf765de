/*
 * The thread pools that a process which links libthrum publishes on its stats page (lib/stats.h). Nothing that is
 * read there is believed: sizes and counts are checked against our own.
 */
#ifndef INSPECT_PAGE_H
#define INSPECT_PAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "base/error.h"
#include "model/inside.h"

struct stats_header;

/* The pools on the page in this file; how many, at most `most`; 0 if it is no page that we know. */
size_t page_read_file(int fd, struct pool_report *pools, size_t most);

/* The same for a process, whose page is found among its open files. */
size_t page_read(int32_t pid, struct pool_report *pools, size_t most);

/* The same with all figures. */
size_t page_study_file(int fd, struct thread_pool *pools, size_t most);
size_t page_study(int32_t pid, struct thread_pool *pools, size_t most);

/* Is it a header that we know? */
bool page_is_known(const struct stats_header *header);
/* The page of a process, opened so; -1: it has none that we may open. */
int page_open(int32_t pid, int flags);

/* Leave a wish on the page and ring. How many threads are wanted now (0: it drains); -1 and why not. */
int page_wish(int32_t pid, const struct thread_wish *wish, struct error *err);

#endif
