/* Tells a service manager above us how we are, as sd_notify does. Without one it says nothing. */
#ifndef CLI_HERALD_H
#define CLI_HERALD_H

#include <stdbool.h>
#include <stdint.h>

#include "client/replica.h"

struct herald {
	int fd;               /* -1: nobody listens */
	uint64_t interval_ms; /* of the watchdog's beats; 0: none is wanted */
	uint64_t beaten_ms;   /* the last one */
	bool is_ready, is_stopping;
};

/* Who listens is in NOTIFY_SOCKET, WATCHDOG_USEC and WATCHDOG_PID. */
void herald_init(struct herald *herald);
void herald_finish(struct herald *herald);

/* To be called again and again: READY=1 once every instance has started or will not, and beats when they are due. */
void herald_tell(struct herald *herald, const struct replica *replica);
void herald_stopping(struct herald *herald);

/* At the most this long until the next call; -1: as long as one likes. */
int herald_wait_ms(const struct herald *herald);

#endif
