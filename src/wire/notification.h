/*
 * What a process tells its supervisor by sd_notify(3): lines of NAME=value in one datagram.
 * Unknown names and lines that are none are passed over, as systemd does.
 */
#ifndef WIRE_NOTIFICATION_H
#define WIRE_NOTIFICATION_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { NOTIFICATION_MOST = 4096, /* bytes */
	NOTIFICATION_STATUS_SIZE = 120 };

struct notification {
	bool is_ready;     /* READY=1 */
	bool is_reloading; /* RELOADING=1 */
	bool is_stopping;  /* STOPPING=1 */
	bool is_alive;     /* WATCHDOG=1 */
	bool is_failing;   /* WATCHDOG=trigger */
	bool has_status;
	uint64_t extend_us;                    /* EXTEND_TIMEOUT_USEC, or 0 */
	char status[NOTIFICATION_STATUS_SIZE]; /* STATUS, cut to fit; not yet fit for a terminal */
};

void notification_parse(struct notification *out, const char *bytes, size_t size);

#endif
