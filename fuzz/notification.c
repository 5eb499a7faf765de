/* Any datagram on the notification socket: its status has an end, its extension a limit. */
#include <stdint.h>
#include <string.h>

#include "model/cron.h"
#include "wire/notification.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	struct notification said;
	struct cron cron;
	struct error err;
	char text[128];

	notification_parse(&said, (const char *)bytes, size);
	if (!memchr(said.status, '\0', sizeof said.status) || said.extend_us > 3600ull * 1000000)
		__builtin_trap();
	/* the same bytes as a schedule: found or refused, in bounded time */
	size = size < sizeof text ? size : sizeof text - 1;
	memcpy(text, bytes, size);
	text[size] = '\0';
	if (cron_parse(&cron, text, &err) && cron_next(&cron, "UTC", 0) == 0 && cron.days == 0)
		__builtin_trap();
	return 0;
}
