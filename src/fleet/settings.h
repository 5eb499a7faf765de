/* Where Redis is and what is meant there, told by variables of the environment: all begin with THRUM_REDIS. */
#ifndef FLEET_SETTINGS_H
#define FLEET_SETTINGS_H

#include <stdbool.h>
#include <stdint.h>

#include "base/error.h"

enum { SETTINGS_NAME_SIZE = 160,
	SETTINGS_HOST_SIZE = 256 };

struct settings {
	const char *server;            /* as it was told */
	char host[SETTINGS_HOST_SIZE]; /* "": a socket, at path */
	unsigned port;
	const char *path;              /* NULL: by TCP */
	const char *user, *password;   /* or NULL */
	const char *prefix;            /* of all keys */
	const char *project;           /* or "" */
	char name[SETTINGS_NAME_SIZE]; /* HOST/PROJECT, or NAME/PROJECT: who we are among the engines */
	char machine[SETTINGS_NAME_SIZE / 2];
	uint64_t database, claim_ms, deliveries;
};

/* False with err set: something is no number, or there is no server. All strings are the environment's. */
bool settings_read(struct settings *settings, struct error *err);

#endif
