#include "tui/screen.h"

#include <curses.h>
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <poll.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <term.h>
#include <termios.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"
#include "base/text.h"
#include "tui/keymap.h"

enum { LEAVE_MS = 300, /* how long a terminal that does not read is waited for */
	PIECE = 16 * 1024,
	PAIRS_MOST = 240, /* of colours; when there are more on the screen, the last ones look alike */
	COLOURS_FEW = 8,
	CANCEL = 0x18 }; /* ends an escape sequence that was cut in the middle */

/*
 * ncurses writes into a file in memory, so that it never waits; what is in there goes to the terminal
 * as it takes it. There is one frame in it at the most: the next is not made before all is sent.
 */
static struct {
	SCREEN *ncurses;
	WINDOW *keyboard; /* a pad: reading from one draws nothing */
	FILE *output;     /* the file in memory */
	off_t sent;       /* of what is in there */
	int fd;           /* the terminal; writing to it never waits */
	struct termios before, raw;
	struct cell *shown; /* owned; what is on the terminal */
	int width, height;
	bool is_unicode, has_colour;
	struct paint pairs[PAIRS_MOST]; /* of the looks are first */
	short pair_count;
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

/* What is on its way to a terminal that does not read makes room for it: nobody waits here. */
static bool write_restore(void)
{
	ssize_t size = (ssize_t)screen.restore_size;

	if (write(screen.fd, screen.restore, screen.restore_size) == size)
		return true;
	tcflush(screen.fd, TCOFLUSH);
	return write(screen.fd, screen.restore, screen.restore_size) >= 0;
}

/* Only what is safe in a signal handler. */
static void on_crash(int number)
{
	if (write_restore())
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

	screen.restore[0] = CANCEL;
	screen.restore_size = 1;
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
	screen.pair_count = LOOK_COUNT;
}

static bool can_draw(const char *otherwise, struct error *err)
{
	int status;

	if (!isatty(STDIN_FILENO) || !isatty(STDOUT_FILENO))
		return error_set(err, 0,
			"this needs a terminal; without one use `%s`", otherwise);
	const char *term = getenv("TERM");
	if (setupterm(NULL, STDOUT_FILENO, &status) != OK)
		return error_set(err, 0,
			"the terminal '%s' (TERM) is not known here; use `%s`, or set TERM",
			term ? term : "", otherwise);
	const char *move = tigetstr("cup");
	bool can_move = move && move != (char *)-1;
	del_curterm(cur_term);
	if (!can_move)
		return error_set(err, 0,
			"the terminal '%s' (TERM) cannot place its cursor; use `%s`",
			term ? term : "", otherwise);
	return true;
}

/*
 * An open file of our own: one that we share with the shell must not be made non-blocking. The second
 * name is for a terminal that belongs to another user (after su).
 */
static bool open_terminal(void)
{
	static const char *const names[] = { "/proc/self/fd/1", "/dev/tty" };

	screen.fd = -1;
	for (size_t i = 0; screen.fd < 0 && i < sizeof names / sizeof *names; i++)
		screen.fd = open(names[i], O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	return screen.fd >= 0;
}

static bool open_output(void)
{
	int fd = memfd_create("thrum-screen", MFD_CLOEXEC);

	screen.output = fd < 0 ? NULL : fdopen(fd, "w");
	if (!screen.output && fd >= 0)
		close(fd);
	screen.sent = 0;
	return screen.output;
}

static bool open_ncurses(void)
{
	/* stale values would fix the size for good */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	if (!open_terminal() || !open_output())
		return false;
	screen.ncurses = newterm(NULL, screen.output, stdin);
	screen.keyboard = screen.ncurses ? newpad(1, 1) : NULL;
	return screen.keyboard;
}

/* ncurses does not know the terminal, only the file in memory: its modes are ours to set. */
static void take_terminal(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.raw);
}

static void give_terminal_back(void)
{
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

bool screen_open(const char *otherwise, struct error *err)
{
	if (!can_draw(otherwise, err))
		return false;
	setlocale(LC_ALL, "");
	screen.is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	tcgetattr(STDIN_FILENO, &screen.before);
	screen.raw = screen.before;
	cfmakeraw(&screen.raw);
	if (!open_ncurses())
		return error_set(
			err, 0, "the terminal cannot be set up; use `%s`", otherwise);
	prepare_for_crash();
	prepare_colours();
	take_terminal();
	noecho();
	nonl();
	typeahead(-1);
	keypad(screen.keyboard, TRUE);
	nodelay(screen.keyboard, TRUE);
	set_escdelay(25);
	curs_set(0);
	screen_resize();
	return true;
}

static void forget_output(void)
{
	int memory = fileno(screen.output);

	if (ftruncate(memory, 0) == 0 && lseek(memory, 0, SEEK_SET) == 0)
		screen.sent = 0;
}

/* What the terminal refuses for another reason than being full is lost: it has hung up. */
bool screen_send(void)
{
	int memory = fileno(screen.output);
	char piece[PIECE];
	ssize_t got, done;

	while ((got = pread(memory, piece, sizeof piece, screen.sent)) > 0) {
		while ((done = write(screen.fd, piece, (size_t)got)) < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return false;
		screen.sent += done < 0 ? got : done;
	}
	forget_output();
	return true;
}

/* OSC 52: it goes between two frames, and is taken as they are. */
void screen_copy(const char *encoded, size_t size)
{
	int memory = fileno(screen.output);

	if (text_write_all(memory, "\033]52;c;", 7) && text_write_all(memory, encoded, size))
		text_write_all(memory, "\a", 1);
}

int screen_fd(void)
{
	return screen.fd;
}

static bool send_soon(void)
{
	uint64_t now_ms = clock_monotonic_ms(), until_ms = now_ms + LEAVE_MS;
	struct pollfd terminal = { .fd = screen.fd, .events = POLLOUT };

	while (!screen_send()) {
		if (now_ms >= until_ms)
			return false;
		poll(&terminal, 1, (int)(until_ms - now_ms));
		now_ms = clock_monotonic_ms();
	}
	return true;
}

/* What it has not read is thrown away, so that it gets out of our screen when it reads again. */
static void restore_unread(void)
{
	forget_output();
	tcflush(screen.fd, TCOFLUSH);
	if (write(screen.fd, screen.restore, screen.restore_size) < 0)
		return; /* it is stopped for good: nothing can be done for it */
}

static bool leave_screen(void)
{
	endwin();
	bool is_sent = send_soon();
	if (!is_sent)
		restore_unread();
	return is_sent;
}

bool screen_close(bool is_gone)
{
	bool is_clean = !is_gone && leave_screen();

	give_terminal_back();
	if (!is_gone)
		delscreen(screen.ncurses);
	fclose(screen.output);
	close(screen.fd);
	screen.fd = -1;
	free(screen.shown);
	screen.shown = NULL;
	return is_clean;
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

	ioctl(screen.fd, TIOCGWINSZ, &size);
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
	leave_screen();
	give_terminal_back();
	raise(SIGSTOP);
	take_terminal();
	screen_resize();
}

static attr_t attributes_of(uint8_t look, short *pair)
{
	unsigned kind = look & ~(unsigned)LOOK_SELECTED;
	attr_t attributes = kind < LOOK_COUNT ? looks[kind].attributes : A_NORMAL;

	*pair = screen.has_colour && kind < LOOK_COUNT ? (short)kind : 0;
	return look & LOOK_SELECTED ? attributes | A_REVERSE : attributes;
}

/* The nearest of eight, where there are no more. */
static short colour_of(uint16_t paint, short otherwise)
{
	int colour = paint - 1;

	if (!paint)
		return otherwise;
	if (colour < COLORS)
		return (short)colour;
	if (colour < 2 * COLOURS_FEW)
		return (short)(colour % COLOURS_FEW);
	if (colour >= 232)
		return colour >= 244 ? COLOR_WHITE : COLOR_BLACK;
	colour -= 16;
	return (short)((colour / 36 > 2) | (colour / 6 % 6 > 2) << 1 | (colour % 6 > 2) << 2);
}

static bool is_painted_alike(const struct paint *a, const struct paint *b)
{
	return a->fore == b->fore && a->back == b->back && a->attributes == b->attributes;
}

/* Of these two colours: the pair that has them, or a new one. */
static short pair_of(const struct paint *paint, short look)
{
	struct paint wanted = { .fore = paint->fore, .back = paint->back, .attributes = (uint8_t)look };
	short i = LOOK_COUNT;

	if (!wanted.fore && !wanted.back)
		return look;
	for (; i < screen.pair_count; i++)
		if (is_painted_alike(&screen.pairs[i], &wanted))
			return i;
	if (i >= PAIRS_MOST || i >= COLOR_PAIRS)
		return look;
	screen.pairs[screen.pair_count++] = wanted;
	init_pair(i, colour_of(wanted.fore, looks[look].foreground), colour_of(wanted.back, -1));
	return i;
}

static attr_t painted(attr_t attributes, uint8_t paint)
{
	static const struct {
		uint8_t paint;
		attr_t attribute;
	} all[] = { { PAINT_BOLD, A_BOLD }, { PAINT_DIM, A_DIM }, { PAINT_ITALIC, A_ITALIC },
		{ PAINT_UNDERLINE, A_UNDERLINE }, { PAINT_REVERSE, A_REVERSE } };

	for (size_t i = 0; i < sizeof all / sizeof *all; i++)
		if (paint & all[i].paint)
			attributes ^= all[i].attribute;
	return attributes;
}

static void draw_cell(int x, int y, const struct cell *cell)
{
	wchar_t text[2] = { (wchar_t)cell->character, 0 };
	cchar_t out;
	short pair;
	attr_t attributes = painted(attributes_of(cell->look, &pair), cell->paint.attributes);

	if (screen.has_colour)
		pair = pair_of(&cell->paint, pair);
	if (!screen.is_unicode && cell->character > 0x7e)
		text[0] = '?';
	setcchar(&out, text, attributes, pair, NULL);
	mvadd_wch(y, x, &out);
}

static bool is_same(const struct cell *a, const struct cell *b)
{
	return a->character == b->character && a->look == b->look && is_painted_alike(&a->paint, &b->paint);
}

bool screen_show(const struct grid *grid)
{
	bool is_changed = false;

	if (grid->width != screen.width || grid->height != screen.height)
		return true; /* a frame of another size: the next one fits */
	if (!screen_send())
		return false;
	for (int y = 0; y < grid->height; y++) {
		for (int x = 0; x < grid->width; x++) {
			const struct cell *cell = grid_at(grid, x, y);
			struct cell *shown = &screen.shown[y * screen.width + x];
			if (is_same(shown, cell))
				continue;
			*shown = *cell;
			is_changed = true;
			if (cell->character)
				draw_cell(x, y, cell);
		}
	}
	if (is_changed)
		refresh();
	screen_send();
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
	int kind = wget_wch(screen.keyboard, &key);

	if (kind == ERR)
		return 0;
	if (kind == KEY_CODE_YES)
		return translate(key);
	if (key == 0x7f || key == 8)
		return INPUT_ERASE;
	return key == '\n' ? INPUT_RETURN : (uint32_t)key;
}
