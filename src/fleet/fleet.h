/* The commands of thrum-redis. Each gives its exit status. */
#ifndef FLEET_FLEET_H
#define FLEET_FLEET_H

#include "fleet/settings.h"

enum { FLEET_OK,
	FLEET_FAILED,
	FLEET_USAGE };

/* "thrum-redis: …" on standard error; status. */
int fleet_fail(int status, const char *fmt, ...) __attribute__((format(printf, 2, 3)));

int fleet_serve(const struct settings *settings, int argc, char **argv);
int fleet_submit(const struct settings *settings, int argc, char **argv);
int fleet_ps(const struct settings *settings, int argc, char **argv);

#endif
