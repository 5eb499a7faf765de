#include "tui/screen.h"

#include <curses.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/memory.h"
#include "tui/keymap.h"

static struct {
	SCREEN *terminal;
	struct termios before;
	struct cell *shown; /* owned; what is on the terminal */
	int width, height;
	bool is_unicode, has_colour;
	char restore[256]; /* written when we crash */
	size_t restore_size;
} screen;

static const struct {
	short foreground;
	attr_t attributes;
} looks[LOOK_COUNT] = {
	[LOOK_NORMAL] = { -1, A_NORMAL },
	[LOOK_TITLE] = { COLOR_CYAN, A_BOLD },
	[LOOK_HEADING] = { -1, A_BOLD | A_UNDERLINE },
	[LOOK_DIM] = { -1, A_DIM },
	[LOOK_GOOD] = { COLOR_GREEN, A_NORMAL },
	[LOOK_WARN] = { COLOR_YELLOW, A_NORMAL },
	[LOOK_BAD] = { COLOR_RED, A_BOLD },
	[LOOK_KEY] = { COLOR_CYAN, A_NORMAL },
	[LOOK_DIALOG] = { -1, A_NORMAL },
};

/* Only what is safe in a signal handler. */
static void on_crash(int number)
{
	if (write(STDOUT_FILENO, screen.restore, screen.restore_size) >= 0)
		tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	signal(number, SIG_DFL);
	raise(number);
}

static void add_restore(const char *capability)
{
	const char *string = tigetstr(capability);
	size_t length = string && string != (char *)-1 ? strlen(string) : 0;

	if (screen.restore_size + length < sizeof screen.restore) {
		memcpy(screen.restore + screen.restore_size, string ? string : "", length);
		screen.restore_size += length;
	}
}

static void prepare_for_crash(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char stack[64 * 1024];
	struct sigaction action = { .sa_handler = on_crash,
		.sa_flags = (int)(SA_ONSTACK | SA_RESETHAND) };

	screen.restore_size = 0;
	add_restore("sgr0");
	add_restore("cnorm");
	add_restore("rmkx");
	add_restore("rmcup");
	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
}

static void prepare_colours(void)
{
	const char *no_colour = getenv("NO_COLOR");

	screen.has_colour = has_colors() && !(no_colour && no_colour[0]);
	if (!screen.has_colour)
		return;
	start_color();
	use_default_colors();
	for (short i = 1; i < LOOK_COUNT; i++)
		init_pair(i, looks[i].foreground, -1);
}

static bool can_draw(struct error *err)
{
	int status;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, 0,
			"the dashboard needs a terminal; without one use `thrum up --headless`");
	const char *term = getenv("TERM");
	if (setupterm(NULL, STDOUT_FILENO, &status) != OK)
		return error_set(err, 0,
			"the terminal '%s' (TERM) is not known here; use `thrum up --headless`, or set TERM",
			term ? term : "");
	const char *move = tigetstr("cup");
	if (!move || move == (char *)-1)
		return error_set(err, 0,
			"the terminal '%s' (TERM) cannot place its cursor; use `thrum up --headless`",
			term ? term : "");
	return true;
}

bool screen_open(struct error *err)
{
	if (!can_draw(err))
		return false;
	setlocale(LC_ALL, "");
	screen.is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	/* stale values would fix the size for good */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	tcgetattr(STDIN_FILENO, &screen.before);
	screen.terminal = newterm(NULL, stdout, stdin);
	if (!screen.terminal)
		return error_set(
			err, 0, "the terminal cannot be set up; use `thrum up --headless`");
	prepare_for_crash();
	prepare_colours();
	raw();
	noecho();
	nonl();
	keypad(stdscr, TRUE);
	nodelay(stdscr, TRUE);
	set_escdelay(25);
	curs_set(0);
	screen_resize();
	return true;
}

void screen_close(bool is_gone)
{
	if (!screen.terminal)
		return;
	if (!is_gone)
		endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	if (!is_gone)
		delscreen(screen.terminal);
	screen.terminal = NULL;
	free(screen.shown);
	screen.shown = NULL;
}

bool screen_is_unicode(void)
{
	return screen.is_unicode;
}

void screen_size(int *width, int *height)
{
	*width = screen.width;
	*height = screen.height;
}

void screen_resize(void)
{
	struct winsize size = { 0 };

	ioctl(STDOUT_FILENO, TIOCGWINSZ, &size);
	screen.width = size.ws_col ? size.ws_col : 80;
	screen.height = size.ws_row ? size.ws_row : 24;
	resizeterm(screen.height, screen.width);
	clearok(curscr, TRUE);
	size_t cells = (size_t)screen.width * (size_t)screen.height;
	screen.shown = memory_resize(screen.shown, cells, sizeof *screen.shown);
	memset(screen.shown, 0xff, cells * sizeof *screen.shown);
}

void screen_suspend(void)
{
	endwin();
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
	raise(SIGSTOP);
	refresh();
	screen_resize();
}

static attr_t attributes_of(uint8_t look, short *pair)
{
	unsigned kind = look & ~(unsigned)LOOK_SELECTED;
	attr_t attributes = kind < LOOK_COUNT ? looks[kind].attributes : A_NORMAL;

	*pair = screen.has_colour && kind < LOOK_COUNT ? (short)kind : 0;
	return look & LOOK_SELECTED ? attributes | A_REVERSE : attributes;
}

static void draw_cell(int x, int y, const struct cell *cell)
{
	wchar_t text[2] = { (wchar_t)cell->character, 0 };
	cchar_t out;
	short pair;
	attr_t attributes = attributes_of(cell->look, &pair);

	if (!screen.is_unicode && cell->character > 0x7e)
		text[0] = '?';
	setcchar(&out, text, attributes, pair, NULL);
	mvadd_wch(y, x, &out);
}

bool screen_show(const struct grid *grid)
{
	struct pollfd terminal = { .fd = STDOUT_FILENO, .events = POLLOUT };
	bool is_changed = false;

	if (grid->width != screen.width || grid->height != screen.height)
		return true; /* a frame of another size: the next one fits */
	if (poll(&terminal, 1, 0) <= 0)
		return false;
	for (int y = 0; y < grid->height; y++) {
		for (int x = 0; x < grid->width; x++) {
			const struct cell *cell = grid_at(grid, x, y);
			struct cell *shown = &screen.shown[y * screen.width + x];
			if (shown->character == cell->character && shown->look == cell->look)
				continue;
			*shown = *cell;
			is_changed = true;
			if (cell->character)
				draw_cell(x, y, cell);
		}
	}
	if (is_changed)
		refresh();
	return true;
}

static uint32_t translate(wint_t key)
{
	static const struct {
		wint_t theirs;
		uint32_t ours;
	} keys[] = {
		{ KEY_UP, INPUT_ARROW_UP },
		{ KEY_DOWN, INPUT_ARROW_DOWN },
		{ KEY_LEFT, INPUT_ARROW_LEFT },
		{ KEY_RIGHT, INPUT_ARROW_RIGHT },
		{ KEY_HOME, INPUT_TOP },
		{ KEY_END, INPUT_BOTTOM },
		{ KEY_PPAGE, INPUT_PAGE_UP },
		{ KEY_NPAGE, INPUT_PAGE_DOWN },
		{ KEY_BACKSPACE, INPUT_ERASE },
		{ KEY_BTAB, INPUT_BACK_TAB },
		{ KEY_ENTER, INPUT_RETURN },
	};

	for (size_t i = 0; i < sizeof keys / sizeof *keys; i++)
		if (keys[i].theirs == key)
			return keys[i].ours;
	return key >= KEY_F(1) && key <= KEY_F(12) ? INPUT_FUNCTION + (key - KEY_F(0)) : UINT32_MAX;
}

uint32_t screen_read(void)
{
	wint_t key;
	int kind = get_wch(&key);

	if (kind == ERR)
		return 0;
	if (kind == KEY_CODE_YES)
		return translate(key);
	if (key == 0x7f || key == 8)
		return INPUT_ERASE;
	return key == '\n' ? INPUT_RETURN : (uint32_t)key;
}
