/* Any file as a thrum.yaml, and as one of another tool: it is refused with a message, or it loads. */
#include <stdint.h>

#include "config/foreign.h"
#include "config/print.h"
#include "config/procfile.h"
#include "config/scan.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void try(bool (*scan)(struct document *, const char *, const char *, size_t, struct problems *),
	const uint8_t *bytes, size_t size)
{
	struct document document;
	struct problems problems;
	struct text said;

	problems_init(&problems);
	text_init(&said, 1024 * 1024);
	bool ok = scan(&document, "fuzz", (const char *)bytes, size, &problems);
	problems_print(&problems, &said);
	if (!ok && !problems.errors)
		__builtin_trap(); /* refused without a word */
	document_finish(&document);
	problems_finish(&problems);
	text_finish(&said);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	try(document_scan_yaml, bytes, size);
	try(document_scan_json, bytes, size);
	try(document_scan_procfile, bytes, size);
	try(document_scan_pm2, bytes, size);
	try(document_scan_supervisord, bytes, size);
	try(document_scan_compose, bytes, size);
	return 0;
}
