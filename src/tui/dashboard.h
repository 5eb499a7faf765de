/* The dashboard: a client of the control socket with an ncurses screen. */
#ifndef TUI_DASHBOARD_H
#define TUI_DASHBOARD_H

#include <stdbool.h>
#include <stdint.h>

struct link;

struct settings;

struct dashboard_options {
	const char *project;
	bool read_only;      /* keys that act do nothing */
	bool is_plain;       /* lines and questions, no screen */
	bool ends_on_hangup; /* all is stopped then; else it goes on */
	bool started_here;   /* this very command started the engine */
	const struct settings *settings;
	const char *problem;    /* of the file of the settings, or the recording, to be told first; NULL: none */
	struct link *recording; /* who answers for a recording, taken over; NULL: an engine does */
	uint64_t newest_us;     /* … where it ends */
};

/* Runs until the user leaves; returns the exit status. */
int dashboard_run(const struct dashboard_options *options);

#endif
