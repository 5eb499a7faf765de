/*
 * Files of other tools, read as the tree that thrum.yaml would be: their keys are renamed, and what
 * they mean without saying so is said. What has no equivalent is a warning.
 * False when it cannot be read; problems say why. document is always to be finished.
 */
#ifndef CONFIG_FOREIGN_H
#define CONFIG_FOREIGN_H

#include <stdbool.h>
#include <stddef.h>

#include "config/problem.h"
#include "config/scan.h"

/* ecosystem.config.js, .json or .yaml, and dump.pm2; name is the path, JavaScript is run by node. */
bool document_scan_pm2(struct document *document, const char *name, const char *text, size_t size,
	struct problems *problems);

/* supervisord.conf, with what it includes. */
bool document_scan_supervisord(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems);

/* The services of a compose.yaml that say which command they run. */
bool document_scan_compose(struct document *document, const char *name, const char *text,
	size_t size, struct problems *problems);

#endif
