/* thrum-redis: tasks over Redis, shared by the pools of many machines. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "fleet/fleet.h"

static const struct {
	const char *name;
	int (*run)(const struct settings *settings, int argc, char **argv);
} commands[] = {
	{ "serve", fleet_serve },
	{ "submit", fleet_submit },
	{ "ps", fleet_ps },
};

static int usage(void)
{
	fputs("usage: thrum-redis serve POOL...\n"
	      "       thrum-redis submit [--wait] [--from FILE] POOL [JSON...]\n"
	      "       thrum-redis ps [--json]\n"
	      "Tasks over Redis for the pools of many machines: `redis: {server: …}` in a configuration runs `serve`,\n"
	      "`thrum submit --fleet` and `thrum ps --fleet` run the others. THRUM_REDIS is HOST:PORT or unix:///PATH.\n",
		stderr);
	return FLEET_USAGE;
}

int fleet_fail(int status, const char *fmt, ...)
{
	va_list args;

	fflush(stdout);
	fputs("thrum-redis: ", stderr);
	va_start(args, fmt);
	vfprintf(stderr, fmt, args);
	va_end(args);
	fputc('\n', stderr);
	return status;
}

int main(int argc, char **argv)
{
	struct settings settings;
	struct error err = { 0 };

	for (size_t i = 0; argc > 1 && i < sizeof commands / sizeof *commands; i++) {
		if (strcmp(argv[1], commands[i].name) != 0)
			continue;
		if (!settings_read(&settings, &err))
			return fleet_fail(FLEET_USAGE, "%s", err.text);
		int status = commands[i].run(&settings, argc - 1, argv + 1);
		return status == FLEET_USAGE ? usage() : status;
	}
	return usage();
}
