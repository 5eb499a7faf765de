#include "client/signals.h"

#include <stddef.h>
#include <sys/signalfd.h>

const int signals_of_terminal[] = { SIGWINCH, SIGTSTP, SIGCONT, SIGHUP, SIGTERM, SIGINT, SIGQUIT, 0 };
const int signals_of_service[] = { SIGTERM, SIGINT, 0 };

int signals_open(const int *numbers, sigset_t *former)
{
	sigset_t set;

	sigemptyset(&set);
	for (; *numbers; numbers++)
		sigaddset(&set, *numbers);
	sigprocmask(SIG_BLOCK, &set, former);
	signal(SIGPIPE, SIG_IGN);
	return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}
