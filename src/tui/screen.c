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
	COLOURS_MANY = 256,
	GREYS = 232, /* the first of them */
	GREYS_LIGHT = 244,
	KEY_CLICK = KEY_MAX + 1,
	CLICK_MOST = 32, /* characters that tell of one */
	CANCEL = 0x18 }; /* ends an escape sequence that was cut in the middle */

/* Nobody tears what comes between the two: it is shown at once. Who knows nothing of it ignores it. */
static const char frame_begin[] = "\033[?2026h", frame_end[] = "\033[?2026l";
/* Presses only, with places as decimal numbers. Some terminals take one mode at a time. */
static const char mouse_on[] = "\033[?1000h\033[?1006h", mouse_off[] = "\033[?1006l\033[?1000l";

/*
 * ncurses writes into a file in memory, so that it never waits; what is in there goes to the terminal
 * as it takes it. There is one frame in it at the most: the next is not made before all is sent.
 */
static struct {
	SCREEN *ncurses;
	WINDOW *keyboard; /* a pad: reading from one draws nothing */
	FILE *output;     /* the file in memory */
	off_t sent;       /* of what is in there */
	uint64_t written; /* by now, to the terminal */
	int fd;           /* the terminal; writing to it never waits */
	int shared_flags; /* of the open file, before we came, when it is not our own; else -1 */
	struct termios before, raw;
	struct cell *shown; /* owned; what is on the terminal */
	int width, height;
	bool is_unicode, is_one; /* a frame is shown as one */
	struct style style;
	int colours;                    /* 0: none */
	struct paint pairs[PAIRS_MOST]; /* by number; the first is that of the terminal itself */
	short pair_count;
	int click_x, click_y;
	char restore[256]; /* written when we crash */
	size_t restore_size;
} screen;

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
	if (screen.shared_flags >= 0)
		fcntl(screen.fd, F_SETFL, screen.shared_flags);
	signal(number, SIG_DFL);
	raise(number);
}

static const char *capability(const char *name)
{
	const char *string = tigetstr(name);

	return string && string != (char *)-1 ? string : "";
}

static void add_restore(const char *string)
{
	size_t length = strlen(string);

	if (screen.restore_size + length < sizeof screen.restore) {
		memcpy(screen.restore + screen.restore_size, string, length);
		screen.restore_size += length;
	}
}

static void prepare_restore(void)
{
	screen.restore[0] = CANCEL;
	screen.restore_size = 1;
	if (screen.is_one)
		add_restore(frame_end);
	if (screen.style.has_mouse)
		add_restore(mouse_off);
	add_restore(capability("sgr0"));
	add_restore(capability("cnorm"));
	add_restore(capability("rmkx"));
	add_restore(capability("rmcup"));
}

static void prepare_for_crash(void)
{
	static const int signals[] = { SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGABRT };
	static char stack[64 * 1024];
	struct sigaction action = { .sa_handler = on_crash,
		.sa_flags = (int)(SA_ONSTACK | SA_RESETHAND) };

	sigaltstack(&(stack_t){ .ss_sp = stack, .ss_size = sizeof stack }, NULL);
	for (size_t i = 0; i < sizeof signals / sizeof *signals; i++)
		sigaction(signals[i], &action, NULL);
}

static bool wants_colours(void)
{
	const char *no_colour = getenv("NO_COLOR");

	if (screen.style.colours == COLOURS_AUTO)
		return !(no_colour && no_colour[0]);
	return screen.style.colours != COLOURS_NEVER;
}

static void choose_colours(void)
{
	bool has_any = has_colors() && wants_colours() && screen.style.theme != THEME_MONO;

	screen.colours = !has_any ? 0 : screen.style.colours == COLOURS_8 && COLORS > COLOURS_FEW ? COLOURS_FEW
												  : COLORS;
	screen.pairs[0] = (struct paint){ 0 };
	screen.pair_count = 1;
}

/* What was drawn is drawn again as the style now is. */
static void apply_style(void)
{
	screen.is_one = !screen.style.is_torn && capability("smcup")[0];
	choose_colours();
	prepare_restore();
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
 * An open file of our own, by either name: one that we share with the shell would be non-blocking for it too. After
 * `su USER -c` the terminal belongs to another user and is not ours to open: there what we were given has to do, and
 * is as it was when we leave or rest.
 */
static bool open_terminal(void)
{
	static const char *const names[] = { "/proc/self/fd/1", "/dev/tty" };

	screen.fd = screen.shared_flags = -1;
	for (size_t i = 0; screen.fd < 0 && i < sizeof names / sizeof *names; i++)
		screen.fd = open(names[i], O_WRONLY | O_NONBLOCK | O_NOCTTY | O_CLOEXEC);
	if (screen.fd >= 0)
		return true;
	screen.fd = fcntl(STDOUT_FILENO, F_DUPFD_CLOEXEC, 0);
	screen.shared_flags = fcntl(screen.fd, F_GETFL);
	return screen.shared_flags >= 0;
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

/* "xterm" has eight colours, and most that call themselves so have more: who asks for them has them by another name. */
static const char *colourful_name(char name[64])
{
	const char *term = getenv("TERM");
	int status;

	snprintf(name, 64, "%s-256color", term ? term : "");
	if (screen.style.colours != COLOURS_256 || setupterm(name, STDOUT_FILENO, &status) != OK)
		return NULL;
	del_curterm(cur_term);
	return name;
}

static bool open_ncurses(void)
{
	char name[64];

	/* stale values would fix the size for good */
	unsetenv("LINES");
	unsetenv("COLUMNS");
	if (!open_output())
		return false;
	screen.ncurses = newterm(colourful_name(name), screen.output, stdin);
	screen.keyboard = screen.ncurses ? newpad(1, 1) : NULL;
	if (screen.keyboard)
		idlok(stdscr, TRUE); /* rows of a table move up and down */
	return screen.keyboard;
}

/* ncurses does not know the terminal, only the file in memory: its modes are ours to set. */
static void take_terminal(void)
{
	if (screen.shared_flags >= 0)
		fcntl(screen.fd, F_SETFL, screen.shared_flags | O_NONBLOCK);
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.raw);
}

static void give_terminal_back(void)
{
	if (screen.shared_flags >= 0)
		fcntl(screen.fd, F_SETFL, screen.shared_flags);
	tcsetattr(STDIN_FILENO, TCSANOW, &screen.before);
}

static void write_now(const char *string)
{
	text_write_all(fileno(screen.output), string, strlen(string));
}

/* ncurses has a way of its own, which knows only some terminals and fewer columns. */
static void prepare_mouse(void)
{
	define_key("\033[<", KEY_CLICK);
	if (screen.style.has_mouse)
		write_now(mouse_on);
}

bool screen_open(const struct style *style, const char *otherwise, struct error *err)
{
	if (!can_draw(otherwise, err))
		return false;
	setlocale(LC_ALL, "");
	screen.is_unicode = strcmp(nl_langinfo(CODESET), "UTF-8") == 0;
	tcgetattr(STDIN_FILENO, &screen.before);
	screen.raw = screen.before;
	cfmakeraw(&screen.raw);
	screen.style = *style;
	if (!open_terminal())
		return error_set(err, errno, "the terminal cannot be opened (%s); use `%s`", strerror(errno), otherwise);
	if (!open_ncurses())
		return error_set(
			err, 0, "the terminal cannot be set up; use `%s`", otherwise);
	if (has_colors()) {
		start_color();
		use_default_colors();
	}
	apply_style();
	prepare_for_crash();
	take_terminal();
	noecho();
	nonl();
	typeahead(-1);
	keypad(screen.keyboard, TRUE);
	nodelay(screen.keyboard, TRUE);
	set_escdelay(25);
	curs_set(0);
	prepare_mouse();
	screen_resize();
	return true;
}

void screen_set_style(const struct style *style)
{
	if (!screen.ncurses)
		return;
	if (style->has_mouse != screen.style.has_mouse)
		write_now(style->has_mouse ? mouse_on : mouse_off);
	screen.style = *style;
	apply_style();
	screen_resize();
}

bool screen_has_mouse(void)
{
	return screen.style.has_mouse;
}

static void forget_output(void)
{
	int memory = fileno(screen.output);

	if (ftruncate(memory, 0) == 0 && lseek(memory, 0, SEEK_SET) == 0)
		screen.sent = 0;
}

/* All was taken, but may not be read yet: what would be put behind it is shown too late to be true. */
static bool takes_more(void)
{
	struct pollfd terminal = { .fd = screen.fd, .events = POLLOUT };

	return poll(&terminal, 1, 0) != 0;
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
		screen.written += done < 0 ? 0 : (uint64_t)done;
	}
	forget_output();
	return takes_more();
}

/* OSC 52: it goes between two frames, and is taken as they are. */
void screen_copy(const char *encoded, size_t size)
{
	write_now("\033]52;c;");
	text_write_all(fileno(screen.output), encoded, size);
	write_now("\a");
}

uint64_t screen_written(void)
{
	return screen.written;
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

/* What is said last is sent as all else is: nobody waits for who does not read. */
static void leave_screen(const char *last)
{
	if (screen.style.has_mouse)
		write_now(mouse_off);
	endwin();
	write_now(last);
	if (!send_soon())
		restore_unread();
}

void screen_close(bool is_gone, const char *last)
{
	if (!is_gone)
		leave_screen(last);
	give_terminal_back();
	if (!is_gone)
		delscreen(screen.ncurses);
	screen.ncurses = NULL;
	fclose(screen.output);
	close(screen.fd);
	screen.fd = -1;
	free(screen.shown);
	screen.shown = NULL;
}

bool screen_is_unicode(void)
{
	return screen.is_unicode;
}

/* In a session without this terminal, which the shared one is for, no signal tells of a new size. */
static void look_at_size(void)
{
	struct winsize size;

	if (ioctl(screen.fd, TIOCGWINSZ, &size) == 0 && size.ws_col && size.ws_row &&
		(size.ws_col != screen.width || size.ws_row != screen.height))
		screen_resize();
}

void screen_size(int *width, int *height)
{
	if (screen.shared_flags >= 0)
		look_at_size();
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

/*
 * The kernel stops us, or does not: where nobody could continue us, as in a session of our own (ssh -t, tmux), the
 * signal does nothing, and the screen is drawn again.
 */
static void stop_here(void)
{
	sigset_t set, former;

	signal(SIGTSTP, SIG_DFL);
	sigemptyset(&set);
	sigaddset(&set, SIGTSTP);
	raise(SIGTSTP);
	sigprocmask(SIG_UNBLOCK, &set, &former);
	sigprocmask(SIG_SETMASK, &former, NULL);
}

void screen_suspend(void)
{
	leave_screen("");
	give_terminal_back();
	stop_here();
	take_terminal();
	if (screen.style.has_mouse)
		write_now(mouse_on);
	screen_resize();
}

/*
 * The nearest of eight, where there are no more. What would be dark grey is left as text is: there it would be black, and
 * not be seen.
 */
static short colour_of(uint16_t paint)
{
	int colour = paint - 1;

	if (!paint || colour < screen.colours)
		return (short)colour;
	if (colour == COLOURS_FEW)
		return -1;
	if (colour < 2 * COLOURS_FEW)
		return (short)(colour % COLOURS_FEW);
	if (colour >= GREYS)
		return colour >= GREYS_LIGHT ? COLOR_WHITE : -1;
	colour -= 2 * COLOURS_FEW;
	return (short)((colour / 36 > 2) | (colour / 6 % 6 > 2) << 1 | (colour % 6 > 2) << 2);
}

static bool is_painted_alike(const struct paint *a, const struct paint *b)
{
	return a->fore == b->fore && a->back == b->back && a->attributes == b->attributes;
}

/* Of these two colours: the pair that has them, or a new one. */
static short pair_of(uint16_t fore, uint16_t back)
{
	short i = 0;

	for (; i < screen.pair_count; i++)
		if (screen.pairs[i].fore == fore && screen.pairs[i].back == back)
			return i;
	if (i >= PAIRS_MOST || i >= COLOR_PAIRS)
		return 0;
	screen.pairs[screen.pair_count++] = (struct paint){ .fore = fore, .back = back };
	init_pair(i, colour_of(fore), colour_of(back));
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

/* What a cell means, and over that the colours that are somebody else's. */
static attr_t look_of(const struct cell *cell, short *pair)
{
	unsigned kind = cell->look & ~(unsigned)LOOK_SELECTED;
	const struct paint *look = style_paint(screen.colours ? screen.style.theme : THEME_MONO,
		kind < LOOK_COUNT ? (enum look)kind : LOOK_NORMAL);
	const struct paint *over = &cell->paint;
	attr_t attributes = painted(painted(A_NORMAL, look->attributes), over->attributes);

	*pair = screen.colours ? pair_of(over->fore ? over->fore : look->fore, over->back ? over->back : look->back) : 0;
	return cell->look & LOOK_SELECTED ? attributes ^ A_REVERSE : attributes;
}

static void draw_cell(int x, int y, const struct cell *cell)
{
	wchar_t text[2 + MARKS_MOST] = { (wchar_t)cell->character };
	cchar_t out;
	short pair;
	attr_t attributes = look_of(cell, &pair);

	for (int i = 0; i < MARKS_MOST; i++)
		text[1 + i] = screen.is_unicode ? (wchar_t)cell->marks[i] : 0;
	if (!screen.is_unicode && cell->character > 0x7e)
		text[0] = '?';
	setcchar(&out, text, attributes, pair, NULL);
	mvadd_wch(y, x, &out);
}

static bool is_same(const struct cell *a, const struct cell *b)
{
	return a->character == b->character && a->look == b->look && is_painted_alike(&a->paint, &b->paint) &&
	       memcmp(a->marks, b->marks, sizeof a->marks) == 0;
}

/* The cursor cannot be seen, but is followed by who magnifies the screen or has it read out. */
static void write_frame(const struct grid *grid)
{
	if (screen.is_one)
		write_now(frame_begin);
	move(grid->cursor_y, grid->cursor_x);
	refresh();
	if (screen.is_one)
		write_now(frame_end);
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
		write_frame(grid);
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
	return key >= KEY_F(1) && key <= KEY_F(24) ? INPUT_FUNCTION + (key - KEY_F(0)) : INPUT_NONE;
}

/* "0;12;3M": which button, where from 1 on, and M for down. What is cut off is dropped. */
static uint32_t read_click(void)
{
	char text[CLICK_MOST + 1] = "", last = 0;
	unsigned button, x, y;
	wint_t c;

	for (size_t i = 0; i < CLICK_MOST && last != 'M' && last != 'm'; i++) {
		if (wget_wch(screen.keyboard, &c) != OK || c > 0x7e)
			return INPUT_NONE;
		text[i] = last = (char)c;
	}
	if (last != 'M' || sscanf(text, "%u;%u;%u", &button, &x, &y) != 3)
		return INPUT_NONE;
	screen.click_x = (int)x - 1;
	screen.click_y = (int)y - 1;
	return button == 0 ? INPUT_CLICK : button == 64 ? INPUT_WHEEL_UP
				   : button == 65       ? INPUT_WHEEL_DOWN
							: INPUT_NONE;
}

void screen_click(int *x, int *y)
{
	*x = screen.click_x;
	*y = screen.click_y;
}

uint32_t screen_read(void)
{
	wint_t key;
	int kind = wget_wch(screen.keyboard, &key);

	if (kind == ERR)
		return 0;
	if (kind == KEY_CODE_YES && key == KEY_CLICK)
		return read_click();
	if (kind == KEY_CODE_YES)
		return translate(key);
	if (key == 0x7f || key == 8)
		return INPUT_ERASE;
	return key == '\n' ? INPUT_RETURN : (uint32_t)key;
}
