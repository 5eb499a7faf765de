/*
 * The thread pools that a process which links libthrum publishes on its stats page (lib/stats.h). Nothing that is
 * read there is believed: sizes and counts are checked against our own.
 */
#ifndef INSPECT_PAGE_H
#define INSPECT_PAGE_H

#include <stddef.h>
#include <stdint.h>

#include "model/inside.h"

/* The pools on the page in this file; how many, at most `most`; 0 if it is no page that we know. */
size_t page_read_file(int fd, struct pool_report *pools, size_t most);

/* The same for a process, whose page is found among its open files. */
size_t page_read(int32_t pid, struct pool_report *pools, size_t most);

#endif
