#include "cli/raw.h"

#include <signal.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

static struct termios before;

/* Only what is safe in a signal handler. */
static void on_crash(int number)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
	signal(number, SIG_DFL);
	raise(number);
}

static void prepare_for_crash(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	struct sigaction action = { .sa_handler = on_crash, .sa_flags = (int)SA_RESETHAND };

	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
}

static bool set_raw(void)
{
	struct termios raw = before;

	cfmakeraw(&raw);
	return tcsetattr(STDIN_FILENO, TCSADRAIN, &raw) == 0;
}

bool raw_begin(struct error *err)
{
	if (tcgetattr(STDIN_FILENO, &before) < 0)
		return error_errno(err, "the terminal");
	prepare_for_crash();
	return set_raw() || error_errno(err, "the terminal");
}

void raw_end(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &before);
}

void raw_suspend(void)
{
	raw_end();
	raise(SIGSTOP);
	set_raw();
}

void raw_size(unsigned *columns, unsigned *rows)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	*columns = size.ws_col ? size.ws_col : 80;
	*rows = size.ws_row ? size.ws_row : 24;
}
