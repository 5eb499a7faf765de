#include "engine/terminal.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <termios.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/text.h"
#include "protocol/method.h"

enum { MOVE_MOST = 64 * 1024, /* what the pipe takes */
	MOVES_MOST = 32 };    /* a turn: then the log has its turn, and the others */

struct terminal {
	uv_loop_t *loop; /* borrowed */
	int master;      /* owned */
	int hop;         /* owned */
	bool has_ended;
	struct text typed; /* owned */
	int typed_fd;      /* owned: the master again, watched for room while something waits; -1 */
	uv_poll_t room;
};

/* ---- making one ---- */

static bool prepare(int slave, uid_t owner)
{
	struct winsize size = { .ws_col = TERMINAL_COLUMNS, .ws_row = TERMINAL_ROWS };
	struct termios modes;

	if (tcgetattr(slave, &modes) < 0)
		return false;
	modes.c_iflag |= IUTF8; /* a backspace takes a whole character */
	return tcsetattr(slave, TCSANOW, &modes) == 0 && ioctl(slave, TIOCSWINSZ, &size) == 0 &&
	       (owner == geteuid() || fchown(slave, owner, (gid_t)-1) == 0);
}

bool terminal_make(struct terminal_ends *ends, uid_t owner, struct error *err)
{
	int unlocked = 0;

	ends->slave = -1;
	ends->master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_CLOEXEC | O_NONBLOCK);
	if (ends->master >= 0 && ioctl(ends->master, TIOCSPTLCK, &unlocked) == 0)
		ends->slave = ioctl(ends->master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
	if (ends->slave >= 0 && prepare(ends->slave, owner))
		return true;
	error_errno(err, "no terminal can be had for it");
	terminal_close_ends(ends);
	return false;
}

static void close_one(int *fd)
{
	close_if_open(*fd);
	*fd = -1;
}

void terminal_close_ends(struct terminal_ends *ends)
{
	close_one(&ends->master);
	close_one(&ends->slave);
}

/* ---- its life ---- */

struct terminal *terminal_open(uv_loop_t *loop, int master, int hop)
{
	struct terminal *terminal = memory_zeroed(1, sizeof *terminal);

	terminal->loop = loop;
	terminal->master = master;
	terminal->hop = hop;
	terminal->typed_fd = -1;
	text_init(&terminal->typed, PROTOCOL_TYPED_MOST);
	return terminal;
}

static void on_closed(uv_handle_t *handle)
{
	free(handle->data);
}

void terminal_close(struct terminal *terminal)
{
	if (!terminal)
		return;
	close_one(&terminal->master);
	close_one(&terminal->hop);
	text_finish(&terminal->typed);
	if (terminal->typed_fd < 0) {
		free(terminal);
		return;
	}
	uv_poll_stop(&terminal->room);
	uv_close((uv_handle_t *)&terminal->room, on_closed);
	close_one(&terminal->typed_fd);
}

int terminal_fd(const struct terminal *terminal)
{
	return terminal->master;
}

/* ---- what it prints ---- */

/* Where the kernel does not splice terminals: what is in between is lost with us, PIPE_BUF at the most. */
static ssize_t copy(int master, int hop)
{
	struct pollfd room = { .fd = hop, .events = POLLOUT };
	char bytes[PIPE_BUF];

	if (poll(&room, 1, 0) <= 0) { /* there is room for all that is read, or nothing is read */
		errno = EAGAIN;
		return -1;
	}
	ssize_t size = read(master, bytes, sizeof bytes);
	return size <= 0 ? size : write(hop, bytes, (size_t)size);
}

ssize_t terminal_move(int master, int hop)
{
	ssize_t size =
		splice(master, NULL, hop, NULL, MOVE_MOST, SPLICE_F_NONBLOCK | SPLICE_F_MOVE);

	return size < 0 && errno == EINVAL ? copy(master, hop) : size;
}

bool terminal_pump(struct terminal *terminal)
{
	ssize_t size = 1;

	for (int i = 0; i < MOVES_MOST && size > 0 && !terminal->has_ended; i++)
		size = terminal_move(terminal->master, terminal->hop);
	/* EIO: nobody has the other end open any more */
	if (size == 0 || (size < 0 && errno != EAGAIN && errno != EINTR))
		terminal->has_ended = true;
	return terminal->has_ended;
}

/* ---- what is typed ---- */

static void on_room(uv_poll_t *poll, int status, int events);

/* By a descriptor of its own: a stalled log, which is not watched, must not hold up what is typed. */
static bool await_room(struct terminal *terminal)
{
	if (terminal->typed_fd < 0) {
		terminal->typed_fd = fcntl(terminal->master, F_DUPFD_CLOEXEC, 3);
		if (terminal->typed_fd < 0)
			return false;
		uv_poll_init(terminal->loop, &terminal->room, terminal->typed_fd);
		terminal->room.data = terminal;
	}
	uv_poll_start(&terminal->room, UV_WRITABLE, on_room);
	return true;
}

/* True: all of it is written, or nobody will ever read it. */
static bool write_typed(struct terminal *terminal)
{
	while (terminal->typed.size) {
		ssize_t done =
			write(terminal->master, terminal->typed.data, terminal->typed.size);
		if (done < 0 && errno == EINTR)
			continue;
		if (done < 0 && errno == EAGAIN)
			return false;
		text_drop(&terminal->typed, done < 0 ? terminal->typed.size : (size_t)done);
	}
	return true;
}

static void on_room(uv_poll_t *poll, int status, int events)
{
	struct terminal *terminal = poll->data;

	(void)status;
	(void)events;
	if (write_typed(terminal))
		uv_poll_stop(poll);
}

bool terminal_type(struct terminal *terminal, const char *bytes, size_t size)
{
	if (size > PROTOCOL_TYPED_MOST - terminal->typed.size)
		return false;
	text_append(&terminal->typed, bytes, size);
	return write_typed(terminal) || await_room(terminal);
}

size_t terminal_waiting(const struct terminal *terminal)
{
	return terminal->typed.size;
}

bool terminal_resize(struct terminal *terminal, unsigned columns, unsigned rows)
{
	struct winsize size = { .ws_col = (unsigned short)columns, .ws_row = (unsigned short)rows };

	return ioctl(terminal->master, TIOCSWINSZ, &size) == 0;
}
