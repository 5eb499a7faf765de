/*
 * A terminal for tests: a program runs in it, and libvterm knows what is to be seen. `vt COLUMNSxROWS COMMAND…` reads what
 * it is to do from standard input, a line each, and answers each with lines, of which the last is "ok" or "no …".
 *
 *   key BYTES      type them (\e, \r, \\, \xHH)
 *   frame          until the program has shown a frame that knows all that was typed (it tells by THRUM_FRAME_FD)
 *   sees TEXT      until a row has this text; lacks TEXT: until none has it
 *   screen         the rows; attributes: a row of letters for each, of what is bold (b), underlined (u), reversed (r),
 *                  coloured (c), and of what is coloured and something else (C)
 *   modes          alt, cursor, mouse, echo, icanon as they are
 *   raw            until all of the terminal's modes are as they were before the program ran
 *   size COLUMNSxROWS
 *   signal NUMBER  to the program
 *   deaf, hear     read no more from the terminal; read on
 *   full           until nothing more goes into it (while deaf)
 *   hangup         close our end
 *   state          R, S, T … of the program
 *   left           until it has ended: "exit N" or "signal N"
 *   bytes          how many it has written so far, and how many frames it has told of
 *   refresh        until something is written and then nothing for 150 ms: its bytes, and how many cells it has changed
 *   sequences      kinds of control sequences that it has written so far
 */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <signal.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <time.h>
#include <unistd.h>
#include <utmp.h>

#ifndef HAVE_VTERM
int main(void)
{
	return 77;
}
#else
#include <vterm.h>

enum { DEADLINE_MS = 60000,
	PIECE = 16 * 1024,
	LINE_MOST = 8192,
	KINDS_MOST = 256,
	KIND_SIZE = 24 };

static struct {
	VTerm *vterm;
	VTermScreen *screen;
	int master, slave, frames;
	pid_t pid;
	struct termios before;
	int columns, rows;
	bool is_alternate, has_cursor, is_deaf, has_left;
	int mouse, status;
	unsigned long long bytes, frame, known, promised, typed;
	char frame_line[LINE_MOST];
	size_t frame_size;
	char kinds[KINDS_MOST][KIND_SIZE];
	unsigned kind_count;
} vt;

static uint64_t now_ms(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000 + (uint64_t)now.tv_nsec / 1000000;
}

/* ---- what comes ---- */

static int on_property(VTermProp property, VTermValue *value, void *user)
{
	(void)user;
	if (property == VTERM_PROP_ALTSCREEN)
		vt.is_alternate = value->boolean;
	else if (property == VTERM_PROP_CURSORVISIBLE)
		vt.has_cursor = value->boolean;
	else if (property == VTERM_PROP_MOUSE)
		vt.mouse = value->number;
	return 1;
}

static const VTermScreenCallbacks callbacks = { .settermprop = on_property };

static void note_kind(const char *kind)
{
	for (unsigned i = 0; i < vt.kind_count; i++)
		if (strcmp(vt.kinds[i], kind) == 0)
			return;
	if (vt.kind_count < KINDS_MOST)
		snprintf(vt.kinds[vt.kind_count++], KIND_SIZE, "%s", kind);
}

/* "ESC[?h", "ESC[m", "ESC]", "ESC(B", "^G": the kind of a sequence, without its numbers. */
static void watch_sequences(const char *bytes, size_t size)
{
	static char kind[KIND_SIZE];
	static size_t length;

	for (size_t i = 0; i < size; i++) {
		unsigned char c = (unsigned char)bytes[i];
		if (c == 0x1b) {
			length = (size_t)snprintf(kind, sizeof kind, "ESC");
		} else if (length && c >= 0x20 && c < 0x7f) {
			bool is_csi = strncmp(kind, "ESC[", 4) == 0, is_charset = strchr("()*+", kind[3]) && kind[3];
			if (!(is_csi && strchr("0123456789;", (int)c)) && length < sizeof kind - 1) {
				kind[length++] = (char)c;
				kind[length] = '\0';
			}
			bool is_over = is_csi ? c >= 0x40 : length > 4 || !(is_charset || strchr("[()*+", (int)c));
			if (is_over && length > 3 && strcmp(kind, "ESC[") != 0) {
				note_kind(kind);
				length = 0;
			}
		} else if (c < 0x20 || c == 0x7f) {
			snprintf(kind, sizeof kind, "^%c", c ^ 0x40);
			note_kind(kind);
			length = 0;
		}
	}
}

static void take_output(void)
{
	char piece[PIECE];
	ssize_t got = read(vt.master, piece, sizeof piece);

	if (got <= 0)
		return;
	vt.bytes += (unsigned long long)got;
	watch_sequences(piece, (size_t)got);
	vterm_input_write(vt.vterm, piece, (size_t)got);
	vterm_screen_flush_damage(vt.screen);
}

static void take_frames(void)
{
	char *end;

	ssize_t got = read(vt.frames, vt.frame_line + vt.frame_size, sizeof vt.frame_line - vt.frame_size - 1);
	if (got <= 0)
		return;
	vt.frame_size += (size_t)got;
	vt.frame_line[vt.frame_size] = '\0';
	while ((end = strchr(vt.frame_line, '\n'))) {
		sscanf(vt.frame_line, "%llu %llu %llu", &vt.frame, &vt.known, &vt.promised);
		vt.frame_size -= (size_t)(end + 1 - vt.frame_line);
		memmove(vt.frame_line, end + 1, vt.frame_size + 1);
	}
}

static void reap(int options)
{
	if (!vt.has_left && waitpid(vt.pid, &vt.status, options) == vt.pid)
		vt.has_left = true;
}

/* What has come; waits until something does, or for this long. */
static void pump(int ms)
{
	struct pollfd ready[] = { { .fd = vt.is_deaf ? -1 : vt.master, .events = POLLIN }, { .fd = vt.frames, .events = POLLIN } };

	if (poll(ready, 2, ms) > 0) {
		/* the bytes of a frame before the word that it is there */
		if (ready[1].revents & POLLIN)
			take_frames();
		while (ready[0].revents & POLLIN) {
			take_output();
			ready[0].revents = 0;
			poll(ready, 1, 0);
		}
	}
	reap(WNOHANG);
}

/* ---- what is to be seen ---- */

static void add_utf8(char *out, size_t *used, uint32_t c)
{
	if (c < 0x80) {
		out[(*used)++] = (char)c;
	} else if (c < 0x800) {
		out[(*used)++] = (char)(0xc0 | c >> 6);
		out[(*used)++] = (char)(0x80 | (c & 0x3f));
	} else if (c < 0x10000) {
		out[(*used)++] = (char)(0xe0 | c >> 12);
		out[(*used)++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[(*used)++] = (char)(0x80 | (c & 0x3f));
	} else {
		out[(*used)++] = (char)(0xf0 | c >> 18);
		out[(*used)++] = (char)(0x80 | (c >> 12 & 0x3f));
		out[(*used)++] = (char)(0x80 | (c >> 6 & 0x3f));
		out[(*used)++] = (char)(0x80 | (c & 0x3f));
	}
}

/* Without the blanks at its end. */
static void read_row(int row, char out[LINE_MOST])
{
	VTermScreenCell cell;
	size_t used = 0;

	for (int column = 0; column < vt.columns && used<LINE_MOST - 32; column += cell.width> 1 ? cell.width : 1) {
		vterm_screen_get_cell(vt.screen, (VTermPos){ row, column }, &cell);
		if (!cell.chars[0])
			out[used++] = ' ';
		for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell.chars[i] && cell.chars[i] != UINT32_MAX; i++)
			add_utf8(out, &used, cell.chars[i]);
	}
	while (used && out[used - 1] == ' ')
		used--;
	out[used] = '\0';
}

static void read_attributes(int row, char out[LINE_MOST])
{
	VTermScreenCell cell;
	int column = 0;

	for (; column < vt.columns && column < LINE_MOST - 1; column++) {
		vterm_screen_get_cell(vt.screen, (VTermPos){ row, column }, &cell);
		bool is_coloured = !VTERM_COLOR_IS_DEFAULT_FG(&cell.fg) || !VTERM_COLOR_IS_DEFAULT_BG(&cell.bg);
		bool is_plain = !cell.attrs.bold && !cell.attrs.underline && !cell.attrs.reverse;
		out[column] = is_coloured && !is_plain ? 'C' : is_coloured    ? 'c'
						       : cell.attrs.reverse   ? 'r'
						       : cell.attrs.bold      ? 'b'
						       : cell.attrs.underline ? 'u'
									      : ' ';
	}
	while (column && out[column - 1] == ' ')
		column--;
	out[column] = '\0';
}

static void print_rows(void (*read_one)(int row, char out[LINE_MOST]))
{
	char line[LINE_MOST];

	for (int row = 0; row < vt.rows; row++) {
		read_one(row, line);
		puts(line);
	}
}

static bool has_text(const char *text)
{
	char line[LINE_MOST];

	for (int row = 0; row < vt.rows; row++) {
		read_row(row, line);
		if (strstr(line, text))
			return true;
	}
	return false;
}

/* ---- commands: each says whether it went well; "no" is told with what is seen ---- */

static bool wait_for(bool (*test)(const char *argument), const char *argument)
{
	uint64_t until_ms = now_ms() + DEADLINE_MS;

	for (pump(0); !test(argument);) {
		uint64_t now = now_ms();
		if (now >= until_ms)
			return false;
		pump(now + 50 < until_ms ? 50 : (int)(until_ms - now));
	}
	return true;
}

static size_t unescape(const char *text, char out[LINE_MOST])
{
	size_t size = 0;
	unsigned byte;

	for (; *text && size < LINE_MOST - 1; text++) {
		out[size] = *text;
		if (*text == '\\' && text[1] == 'x' && sscanf(text + 2, "%2x", &byte) == 1) {
			out[size] = (char)byte;
			text += 3;
		} else if (*text == '\\' && text[1]) {
			text++;
			out[size] = *text == 'e' ? 0x1b : *text == 'r' ? '\r'
								       : *text;
		}
		size++;
	}
	return size;
}

/* The program counts keys, and "\e[A" is one: so what is between blanks is. */
static bool do_key(const char *argument)
{
	char bytes[LINE_MOST];
	size_t size = unescape(argument, bytes);

	vt.typed += bytes[0] == 0x1b ? 1 : size;
	return write(vt.master, bytes, size) == (ssize_t)size;
}

static bool has_frame(const char *argument)
{
	(void)argument;
	return vt.known >= vt.typed && vt.bytes >= vt.promised;
}

static bool do_frame(const char *argument)
{
	return wait_for(has_frame, argument);
}

static bool do_sees(const char *argument)
{
	return wait_for(has_text, argument);
}

static bool lacks_text(const char *argument)
{
	return !has_text(argument);
}

static bool do_lacks(const char *argument)
{
	return wait_for(lacks_text, argument);
}

static bool do_screen(const char *argument)
{
	(void)argument;
	pump(0);
	print_rows(read_row);
	return true;
}

static bool do_attributes(const char *argument)
{
	(void)argument;
	pump(0);
	print_rows(read_attributes);
	return true;
}

static bool do_modes(const char *argument)
{
	struct termios now;

	(void)argument;
	pump(0);
	if (tcgetattr(vt.slave, &now) < 0)
		return false;
	printf("alt=%d cursor=%d mouse=%d echo=%d icanon=%d\n", vt.is_alternate, vt.has_cursor, vt.mouse, !!(now.c_lflag & ECHO),
		!!(now.c_lflag & ICANON));
	return true;
}

static bool is_as_before(const char *argument)
{
	struct termios now;

	(void)argument;
	return tcgetattr(vt.slave, &now) == 0 && now.c_lflag == vt.before.c_lflag && now.c_iflag == vt.before.c_iflag &&
	       now.c_oflag == vt.before.c_oflag && !vt.is_alternate && vt.has_cursor && !vt.mouse;
}

static bool do_raw(const char *argument)
{
	return wait_for(is_as_before, argument);
}

static bool do_size(const char *argument)
{
	struct winsize size = { 0 };

	if (sscanf(argument, "%dx%d", &vt.columns, &vt.rows) != 2)
		return false;
	pump(0);
	vterm_set_size(vt.vterm, vt.rows, vt.columns);
	size.ws_col = (unsigned short)vt.columns;
	size.ws_row = (unsigned short)vt.rows;
	return ioctl(vt.master, TIOCSWINSZ, &size) == 0;
}

static bool do_signal(const char *argument)
{
	return kill(vt.pid, atoi(argument)) == 0;
}

static bool do_deaf(const char *argument)
{
	(void)argument;
	vt.is_deaf = true;
	return true;
}

static bool do_hear(const char *argument)
{
	(void)argument;
	vt.is_deaf = false;
	return true;
}

static bool is_full(const char *argument)
{
	struct pollfd slave = { .fd = vt.slave, .events = POLLOUT };
	static bool is_wide;

	(void)argument;
	if (poll(&slave, 1, 0) == 0 || !(slave.revents & POLLOUT))
		return true;
	/* another size makes it draw everything */
	is_wide = !is_wide;
	struct winsize size = { .ws_col = (unsigned short)(vt.columns - is_wide), .ws_row = (unsigned short)vt.rows };
	ioctl(vt.master, TIOCSWINSZ, &size);
	return false;
}

static bool do_full(const char *argument)
{
	return wait_for(is_full, argument);
}

static bool do_hangup(const char *argument)
{
	(void)argument;
	close(vt.slave);
	close(vt.master);
	vt.master = vt.slave = -1;
	return true;
}

static bool do_state(const char *argument)
{
	char path[64], text[512];

	(void)argument;
	snprintf(path, sizeof path, "/proc/%d/stat", (int)vt.pid);
	int fd = open(path, O_RDONLY | O_CLOEXEC);
	ssize_t size = fd < 0 ? -1 : read(fd, text, sizeof text - 1);
	if (fd >= 0)
		close(fd);
	text[size > 0 ? size : 0] = '\0';
	const char *end = strrchr(text, ')');
	printf("%c\n", end ? end[2] : '-');
	return true;
}

static bool has_ended(const char *argument)
{
	(void)argument;
	return vt.has_left;
}

static bool do_left(const char *argument)
{
	if (!wait_for(has_ended, argument))
		return false;
	pump(0);
	if (WIFSIGNALED(vt.status))
		printf("signal %d\n", WTERMSIG(vt.status));
	else
		printf("exit %d\n", WEXITSTATUS(vt.status));
	return true;
}

static bool do_bytes(const char *argument)
{
	(void)argument;
	pump(0);
	printf("%llu %llu\n", vt.bytes, vt.frame);
	return true;
}

enum { QUIET_MS = 150 };

static uint64_t mix(uint64_t digest, uint32_t value)
{
	return (digest ^ value) * 0x100000001b3;
}

static uint32_t number_of(const VTermColor *colour)
{
	return colour->type | (uint32_t)colour->rgb.red << 8 | (uint32_t)colour->rgb.green << 16 | (uint32_t)colour->rgb.blue << 24;
}

static uint64_t digest_of(const VTermScreenCell *cell)
{
	uint64_t digest = 0xcbf29ce484222325;

	for (int i = 0; i < VTERM_MAX_CHARS_PER_CELL && cell->chars[i]; i++)
		digest = mix(digest, cell->chars[i]);
	digest = mix(digest, (uint32_t)(cell->attrs.bold | cell->attrs.reverse << 1 | cell->attrs.underline << 2));
	return mix(mix(digest, number_of(&cell->fg)), number_of(&cell->bg));
}

/* What differs from the time before. */
static unsigned count_changes(void)
{
	static uint64_t *before;
	static size_t size;
	size_t cells = (size_t)vt.columns * (size_t)vt.rows;
	VTermScreenCell cell;
	unsigned count = 0;

	if (size != cells) {
		free(before);
		before = calloc(cells, sizeof *before);
		size = before ? cells : 0;
	}
	for (size_t i = 0; i < size; i++) {
		vterm_screen_get_cell(vt.screen, (VTermPos){ (int)(i / (size_t)vt.columns), (int)(i % (size_t)vt.columns) }, &cell);
		uint64_t digest = digest_of(&cell);
		count += digest != before[i];
		before[i] = digest;
	}
	return count;
}

static bool do_refresh(const char *argument)
{
	unsigned long long before = vt.bytes, last;
	uint64_t until_ms = now_ms() + DEADLINE_MS;

	(void)argument;
	while (vt.bytes == before && now_ms() < until_ms)
		pump(50);
	do {
		last = vt.bytes;
		uint64_t quiet_ms = now_ms() + QUIET_MS;
		for (uint64_t now = now_ms(); now < quiet_ms && vt.bytes == last; now = now_ms())
			pump((int)(quiet_ms - now));
	} while (vt.bytes != last && now_ms() < until_ms);
	printf("%llu %u\n", vt.bytes - before, count_changes());
	return vt.bytes != before;
}

static bool do_sequences(const char *argument)
{
	(void)argument;
	pump(0);
	for (unsigned i = 0; i < vt.kind_count; i++)
		printf("%s%s", i ? " " : "", vt.kinds[i]);
	putchar('\n');
	return true;
}

static const struct {
	const char *name;
	bool (*run)(const char *argument);
} commands[] = {
	{ "attributes", do_attributes },
	{ "bytes", do_bytes },
	{ "deaf", do_deaf },
	{ "frame", do_frame },
	{ "full", do_full },
	{ "hangup", do_hangup },
	{ "hear", do_hear },
	{ "key", do_key },
	{ "lacks", do_lacks },
	{ "left", do_left },
	{ "modes", do_modes },
	{ "raw", do_raw },
	{ "refresh", do_refresh },
	{ "screen", do_screen },
	{ "sees", do_sees },
	{ "sequences", do_sequences },
	{ "signal", do_signal },
	{ "size", do_size },
	{ "state", do_state },
};

static void obey(char *line)
{
	char *argument = line + strcspn(line, " ");

	if (*argument)
		*argument++ = '\0';
	for (size_t i = 0; i < sizeof commands / sizeof *commands; i++)
		if (strcmp(commands[i].name, line) == 0) {
			puts(commands[i].run(argument) ? "ok" : "no");
			return;
		}
	puts("no such command");
}

/* Until the test has no more to say: what the program writes is read meanwhile, too. */
static void serve(void)
{
	static char lines[LINE_MOST];
	size_t size = 0;
	char *end;

	for (;;) {
		struct pollfd ready[] = { { .fd = STDIN_FILENO, .events = POLLIN }, { .fd = vt.is_deaf ? -1 : vt.master, .events = POLLIN },
			{ .fd = vt.frames, .events = POLLIN } };
		poll(ready, 3, 1000);
		pump(0);
		if (!ready[0].revents)
			continue;
		ssize_t got = read(STDIN_FILENO, lines + size, sizeof lines - size - 1);
		if (got <= 0)
			return;
		size += (size_t)got;
		lines[size] = '\0';
		while ((end = strchr(lines, '\n'))) {
			*end = '\0';
			obey(lines);
			fflush(stdout);
			size -= (size_t)(end + 1 - lines);
			memmove(lines, end + 1, size + 1);
		}
	}
}

static void open_vterm(void)
{
	vt.vterm = vterm_new(vt.rows, vt.columns);
	vterm_set_utf8(vt.vterm, 1);
	vt.screen = vterm_obtain_screen(vt.vterm);
	vterm_screen_enable_altscreen(vt.screen, 1);
	vterm_screen_set_callbacks(vt.screen, &callbacks, NULL);
	vt.has_cursor = true;
	vterm_screen_reset(vt.screen, 1);
}

/* The program leads a session whose terminal this is, as by ssh -t. */
static void start(char **command, int told)
{
	char number[16];

	snprintf(number, sizeof number, "%d", told);
	setenv("THRUM_FRAME_FD", number, 1);
	login_tty(dup(vt.slave));
	execvp(command[0], command);
	perror(command[0]);
	_exit(127);
}

int main(int argc, char **argv)
{
	int told[2];

	if (argc < 3 || sscanf(argv[1], "%dx%d", &vt.columns, &vt.rows) != 2)
		return 2;
	struct winsize size = { .ws_col = (unsigned short)vt.columns, .ws_row = (unsigned short)vt.rows };
	if (openpty(&vt.master, &vt.slave, NULL, NULL, &size) < 0 || pipe2(told, 0) < 0)
		return 1;
	fcntl(vt.master, F_SETFD, FD_CLOEXEC);
	fcntl(vt.slave, F_SETFD, FD_CLOEXEC);
	fcntl(told[0], F_SETFD, FD_CLOEXEC);
	vt.frames = told[0];
	tcgetattr(vt.slave, &vt.before);
	open_vterm();
	vt.pid = fork();
	if (vt.pid == 0)
		start(argv + 2, told[1]);
	close(told[1]);
	serve();
	if (!vt.has_left) {
		kill(vt.pid, SIGKILL);
		reap(0);
	}
	return 0;
}
#endif
