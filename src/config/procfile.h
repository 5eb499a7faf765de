/* A Procfile, as the same tree that a thrum.yaml would give. */
#ifndef CONFIG_PROCFILE_H
#define CONFIG_PROCFILE_H

#include "config/scan.h"

/* `name: command` lines; # begins a comment. document is always to be finished. */
bool document_scan_procfile(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems);

#endif
