/*
 * libthrum: what a worker links to get threads, messages and shared memory, and a channel to its supervisor;
 * and the names of environment variables by which thrum tells a process what it is.
 * C11, POSIX and pthreads; usable from C++. pkg-config thrum; thrum(3) describes all of it.
 *
 * Everywhere: a function that can fail returns 0 or a negative errno value, one that creates returns NULL with errno set.
 * Times are milliseconds, a negative timeout waits for ever, sizes are bytes. Who gets a pointer to keep is said.
 * Any thread may call anything on any object unless it is said; after fork() the child may use no object of its parent's
 * but those of shared memory.
 *
 * In this order: environment; pool; port; shared; process; channel. No section needs another one, but for buffers, which are
 * port's.
 */
#ifndef THRUM_H
#define THRUM_H

#include <stddef.h>
#include <stdint.h>

#ifdef __cplusplus
extern "C" {
#endif

/* "0.1.0": of the library that runs. */
const char *thrum_version(void);

/* -- Environment: what thrum tells the processes that it starts -- */

/* The project's name. */
#define THRUM_ENV_PROJECT "THRUM_PROJECT"

/* The service's name: "web". */
#define THRUM_ENV_SERVICE "THRUM_SERVICE"

/* Which instance of the service this is: "0", "1", …; unlike those of the others that run. */
#define THRUM_ENV_INSTANCE "THRUM_INSTANCE"

/* The same under the name that PM2 has given it. */
#define THRUM_ENV_NODE_INSTANCE "NODE_APP_INSTANCE"

/*
 * Unlike that of any other process that thrum starts; children inherit it. By it thrum
 * finds what belongs to a service even if it left the process group and the session: a process that
 * is to outlive its service removes it from its environment, and leaves both.
 */
#define THRUM_ENV_LIFE_ID "THRUM_LIFE_ID"

/* The descriptor of the channel, where there is one. */
#define THRUM_ENV_CHANNEL "THRUM_CHANNEL_FD"

/* -- Pool: threads with a queue in front -- */

struct thrum_pool;
struct thrum_task;

/*
 * The work of a task: 0 if it succeeded, anything else counts as failed. Runs in a thread of the pool, with all signals
 * blocked. It may submit, wait for and cancel other tasks, also of the same pool. If it ends its thread (pthread_exit, or
 * cancellation), the task is answered with -EOWNERDEAD and the thread is replaced.
 */
typedef int thrum_work(void *argument);

/* Called once when a task was answered. The library has let go of the task: it may be freed or submitted again here. */
typedef void thrum_task_done(struct thrum_task *task);

enum thrum_priority {
	THRUM_NORMAL = 0,
	THRUM_HIGH, /* before all normal ones */
	THRUM_LOW   /* after all normal ones; but each 64th pick of a thread begins here, so that none starves */
};

/*
 * One unit of work, in memory of the caller's, who keeps it until it is answered: submitting allocates nothing. Fill in the
 * upper half and leave the rest zero; it can be submitted again when it was answered.
 */
struct thrum_task {
	thrum_work *work;
	void *argument;        /* for work; not looked at */
	thrum_task_done *done; /* NULL: it is waited for, or nobody wants to know. Called by the thread that answers */
	int start_within_ms;   /* 0: no limit; else it is answered with -ETIMEDOUT, not run, when a thread comes to it later than that */
	enum thrum_priority priority;

	/*
	 * When answered: what work returned; or a negative errno value: -ECANCELED (by thrum_task_cancel or THRUM_REJECT),
	 * -ETIMEDOUT, -EOWNERDEAD.
	 */
	int result;

	/* The library's */
	uint32_t state;
	uint32_t weight;
	uint64_t place;
	uint64_t submitted_ns;
	struct thrum_pool *pool;
	struct thrum_task *outer;
};

/* What happens to a submission when as many tasks wait as may. A task of the pool itself never blocks: it runs what it submits. */
enum thrum_pool_full {
	THRUM_BLOCK = 0, /* until there is room; the thread may be interrupted by signals, and goes on to wait */
	THRUM_REFUSE,    /* -EAGAIN */
	THRUM_RUN        /* in the caller, before the submission returns */
};

#define THRUM_POOL_MOST_THREADS 4096

/* All zero is a good choice. */
struct thrum_pool_options {
	const char *name; /* copied; the first 31 bytes count. NULL: "pool" */
	unsigned threads; /* 0: as many as there are cores to run on; at most THRUM_POOL_MOST_THREADS */
	/*
	 * How many tasks of each priority may wait; 0: 65536; at most 2^24. Where tasks are short and very many wait, a thread takes
	 * up to 16 at once: those of them that it has not begun are counted as queued, and are not counted here.
	 */
	unsigned queue_max;
	enum thrum_pool_full when_full;
	size_t stack_size;    /* of each thread, bytes; 0: the system's */
	uint64_t reserved[4]; /* zero */
};

/*
 * Owned by the caller, for thrum_pool_destroy. options may be NULL. NULL on failure, errno: EINVAL, ENOMEM, or EAGAIN if not all
 * threads could be made.
 */
struct thrum_pool *thrum_pool_create(const struct thrum_pool_options *options);

/*
 * Hands a task over. 0 if it will be answered (or was: see THRUM_RUN); else it was not taken, and will not be answered:
 * -EAGAIN when full (THRUM_REFUSE), -ESHUTDOWN after shutdown, -EBUSY if it is submitted already, -EINVAL if it has no work.
 */
int thrum_pool_submit(struct thrum_pool *pool, struct thrum_task *task);

/* The same, and whatever the pool's policy wait for room, at most so long: -ETIMEDOUT then. 0: do not wait. */
int thrum_pool_submit_within(struct thrum_pool *pool, struct thrum_task *task, int timeout_ms);

/*
 * Hands over many at once, in order, for the price of few. How many were taken (the first so many; fewer than count only if
 * the policy refuses the next one), or why the first one was not.
 */
int thrum_pool_submit_many(struct thrum_pool *pool, struct thrum_task *const *tasks, unsigned count);

/*
 * 0 when the task was answered; -ETIMEDOUT; -EINVAL for one that has a done function. In a thread of its own pool a task that
 * no thread has begun is run here and now, so that tasks may wait for tasks.
 */
int thrum_task_wait(struct thrum_task *task, int timeout_ms);

/* Whether it was answered; then result is valid. */
int thrum_task_is_done(const struct thrum_task *task);

/*
 * 0: it was taken out of the queue, and answered with -ECANCELED before this returns. -EBUSY: a thread has begun it, or is about
 * to. -EALREADY: it was answered, or never submitted.
 */
int thrum_task_cancel(struct thrum_task *task);

/*
 * Any number of threads up to THRUM_POOL_MOST_THREADS, else -EINVAL. More: they are there when this returns; -EAGAIN if the
 * system refused some: the pool works with those it has, and tries again ten times a second. Fewer: threads leave after
 * the task that they are at. 0: the pool pauses; what is submitted waits. -ESHUTDOWN after shutdown.
 */
int thrum_pool_resize(struct thrum_pool *pool, unsigned threads);

enum thrum_shutdown {
	THRUM_DRAIN = 0, /* what waits is run; by the caller, if the pool has no thread */
	THRUM_REJECT     /* what waits is answered with -ECANCELED, by the caller; what runs is finished */
};

/*
 * Nothing is taken any more; returns when all is answered and the threads have ended. Threads that wait for room return with
 * -ESHUTDOWN. -EDEADLK in a thread of the pool. A second time: THRUM_REJECT cuts a drain short.
 */
int thrum_pool_shutdown(struct thrum_pool *pool, enum thrum_shutdown how);

/*
 * Shuts down (what waits is rejected, unless it was shut down to drain before) and frees. Threads that wait for tasks or
 * for room come back first. -EDEADLK in a thread of the pool: nothing was done. Accepts NULL.
 */
int thrum_pool_destroy(struct thrum_pool *pool);

/* Of times that were measured (those of long tasks, and of one short task in sixteen); -1: none was yet. */
struct thrum_times {
	double p50_ms, p95_ms, p99_ms;
};

/* Figures that were true during the call, if not all at one moment; counts are since the pool was created. */
struct thrum_pool_stats {
	char name[32];
	unsigned threads, target; /* there are; are wanted */
	unsigned queue_max;
	uint64_t queued, busy;                  /* now */
	uint64_t submitted, started, completed; /* completed: of started ones, those that were answered */
	uint64_t failed;                        /* of completed ones, those whose work did not return 0 */
	uint64_t cancelled;                     /* answered without having run: cancelled, rejected or too late */
	uint64_t replaced;                      /* threads that a task had ended */
	struct thrum_times wait, run;           /* from submission to begin; from begin to answer */
};

void thrum_pool_stats(struct thrum_pool *pool, struct thrum_pool_stats *stats);

/* -- Port: pairs of message ports between threads -- */

struct thrum_port;

/* Memory that can be transferred: zeroed; NULL on failure, errno ENOMEM. What a port hands out is of this kind, too. */
void *thrum_buffer_create(size_t size);
void thrum_buffer_destroy(void *buffer); /* accepts NULL */

/*
 * Two ports: what one sends the other receives, in order. queue_max: how many messages may wait at each; 0: 1024; at most 2^24.
 * Each is owned by the caller, for thrum_port_close. 0, -EINVAL or -ENOMEM.
 */
int thrum_port_pair(struct thrum_port *ends[2], unsigned queue_max);

/* Sends a copy. Waits for room as long as timeout_ms: -ETIMEDOUT then; 0 does not wait. -EPIPE: the other end is closed; -ENOMEM. */
int thrum_port_send(struct thrum_port *port, const void *bytes, size_t size, int timeout_ms);

/* The same without a copy: *buffer, of thrum_buffer_create, is the receiver's then, and set to NULL. On failure it stays the caller's. */
int thrum_port_transfer(struct thrum_port *port, void **buffer, size_t size, int timeout_ms);

/*
 * The next message; *buffer is the caller's, for thrum_buffer_destroy (NULL for an empty one). -ETIMEDOUT: there was none;
 * -EPIPE: there will be none, for the other end is closed and all that it had sent was received; -ENOMEM: it is there still.
 */
int thrum_port_receive(struct thrum_port *port, void **buffer, size_t *size, int timeout_ms);

/*
 * A descriptor for any event loop, the port's own: when it is readable, receive with timeout 0 until that says -ETIMEDOUT, which
 * makes it unreadable. It is written only after that. Or a negative errno value.
 */
int thrum_port_fd(struct thrum_port *port);

/* Frees what waits here; no thread may use this end any more. The other end can receive what was sent. Accepts NULL. */
void thrum_port_close(struct thrum_port *port);

/* -- Shared: arrays of integers that threads and processes share -- */

/*
 * Integers of 32 or 64 bits in memory that any process can map which has its descriptor. Each operation is one atomic step
 * in one order for all who use the array (memory_order_seq_cst). Values are signed; of an array of 32 bits the lower
 * 32 bits of what is given count. After fork() the child may go on to use an array of its parent's.
 */
struct thrum_shared;

#define THRUM_SHARED_MOST ((size_t)1 << 30)

/*
 * All zero; bits: 32 or 64; count: 1 to THRUM_SHARED_MOST. Owned by the caller, for thrum_shared_close. NULL on failure, errno:
 * EINVAL, ENOMEM, EMFILE.
 */
struct thrum_shared *thrum_shared_create(size_t count, unsigned bits);

/*
 * The same array again, by a descriptor of it that was inherited, received over a socket, or opened in /proc; it stays the
 * caller's and may be closed. NULL on failure, errno: EBADF; EINVAL if it is something else; ENOMEM, EMFILE.
 */
struct thrum_shared *thrum_shared_open(int fd);

/* Unmaps; the memory is freed when nobody has it mapped or its descriptor open. No thread may use it any more. Accepts NULL. */
void thrum_shared_close(struct thrum_shared *shared);

/* The array's own descriptor, to pass to others; closed on exec: dup2() gives a child one that is not. */
int thrum_shared_fd(const struct thrum_shared *shared);
size_t thrum_shared_count(const struct thrum_shared *shared);
unsigned thrum_shared_bits(const struct thrum_shared *shared);

/* Where the integers are, aligned to 64 bytes: for reading many at once. What is read so is as old or torn as the machine has it. */
void *thrum_shared_memory(struct thrum_shared *shared);

/* All of these: -EINVAL if there is no such index. */
int thrum_shared_load(const struct thrum_shared *shared, size_t index, int64_t *value);
int thrum_shared_store(struct thrum_shared *shared, size_t index, int64_t value);

/* former: what it was before; may be NULL. They wrap around. */
int thrum_shared_add(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);
int thrum_shared_sub(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);
int thrum_shared_and(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);
int thrum_shared_or(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);
int thrum_shared_xor(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);
int thrum_shared_exchange(struct thrum_shared *shared, size_t index, int64_t operand, int64_t *former);

/* 0: it was *expected and is value now. -EAGAIN: it was not, and *expected is what it is. */
int thrum_shared_compare_exchange(struct thrum_shared *shared, size_t index, int64_t *expected, int64_t value);

/*
 * Sleeps while the integer is expected, until thrum_shared_notify: 0 then. It may also return 0 for no reason, as when a signal
 * came: look again. -EAGAIN: it is something else already; -ETIMEDOUT. A change alone wakes nobody: notify after it.
 */
int thrum_shared_wait(const struct thrum_shared *shared, size_t index, int64_t expected, int timeout_ms);

/* Wakes so many of those who wait for that integer, in all processes; negative: all. How many it woke. */
int thrum_shared_notify(struct thrum_shared *shared, size_t index, int count);

/* -- Process: child processes -- */

/*
 * A child process. One thread at a time may call thrum_process_next and thrum_process_take for it. The program must not reap
 * children that it does not know (waitpid(-1, …)), nor ignore SIGCHLD: how they ended is then not known.
 */
struct thrum_process;

#define THRUM_PASSED_MOST 32

/* What a child's descriptor is. */
enum thrum_stream {
	THRUM_INHERIT = 0, /* what this process has there */
	THRUM_PIPE,        /* a pipe, whose other end is here */
	THRUM_NOTHING,     /* /dev/null */
	THRUM_DESCRIPTOR   /* that of descriptors, which stays the caller's */
};

/* All zero is a good choice. All is copied. */
struct thrum_process_options {
	const char *const *environment; /* "NAME=value", …, NULL; NULL: this process's. A channel that is not the child's is left out */
	const char *folder;             /* where it starts; NULL: here */
	enum thrum_stream streams[3];   /* standard input, output and error */
	int descriptors[3];             /* for THRUM_DESCRIPTOR */

	/*
	 * 1: it has a channel, as of Node's fork(): at its descriptor 3, and THRUM_CHANNEL_FD and NODE_CHANNEL_FD say so. Our end is
	 * thrum_process_take(process, THRUM_CHANNEL_END), for thrum_channel_create.
	 */
	int channel;
	int group; /* 1: it leads a process group of its own, and signals go to all who are in it */

	const int *passed; /* further descriptors, which it has as 3, 4, …; with a channel as 4, 5, … They stay the caller's */
	unsigned passed_count;
	uint64_t reserved[4]; /* zero */
};

/*
 * Starts a program, with all signals at their defaults: argv[0] is looked for in PATH unless it has a slash. No shell is asked, and the
 * arguments arrive as they are. Owned by the caller, for thrum_process_destroy. NULL on failure, errno: that of execve() or of what
 * the options need (ENOENT, EACCES, ENOEXEC, …), EINVAL, ENOMEM, EMFILE, EAGAIN. There was no process then.
 */
struct thrum_process *thrum_process_spawn(const char *const *argv, const struct thrum_process_options *options);

/* Kills it (and its group) if it runs still, and reaps it: until then its pid is nobody else's. Accepts NULL. */
void thrum_process_destroy(struct thrum_process *process);

int thrum_process_pid(const struct thrum_process *process);

/* 0, -ESRCH if it has ended, -EINVAL, -EPERM. */
int thrum_process_kill(const struct thrum_process *process, int signal);

#define THRUM_CHANNEL_END 3

/*
 * Our end of a pipe (0, 1, 2) or of the channel: the caller's then, blocking, to be closed by them; thrum_process_next does not
 * read it any more. The child sees the end of its input when that is taken and closed, or at destroy. -EBADF if there is none.
 */
int thrum_process_take(struct thrum_process *process, int stream);

enum thrum_process_event_kind {
	THRUM_PROCESS_OUTPUT = 1, /* of stream: bytes, valid until the next call */
	THRUM_PROCESS_EXIT,       /* once: code, or the signal that killed it; code -1 and signal 0: somebody else has reaped it */
	THRUM_PROCESS_CLOSE       /* once, the last: it has ended and its output too, of which children of its may have had hold longer */
};

struct thrum_process_event {
	enum thrum_process_event_kind kind;
	int stream; /* 1 or 2 */
	const char *bytes;
	size_t size;
	int code, signal;
};

/* What happens next. 0, -ETIMEDOUT, or -EPIPE after THRUM_PROCESS_CLOSE. */
int thrum_process_next(struct thrum_process *process, struct thrum_process_event *event, int timeout_ms);

/*
 * A descriptor for any event loop, the process's own: when it is readable, call thrum_process_next with timeout 0 until that
 * returns something else than 0.
 */
int thrum_process_fd(const struct thrum_process *process);

/* All zero is a good choice. */
struct thrum_exec_options {
	const char *const *environment; /* as above */
	const char *folder;
	size_t output_max;    /* bytes of each stream; 0: 1 MiB */
	int timeout_ms;       /* 0: 30 s */
	uint64_t reserved[4]; /* zero */
};

/* What a program said, with a NUL behind it, or NULL; for thrum_buffer_destroy. And how it ended, as above. */
struct thrum_output {
	char *out, *err;
	size_t out_size, err_size;
	int code, signal;
};

/*
 * Runs a program to its end and that of its output, with no input. 0 if it ended by itself, whatever its status. -ETIMEDOUT, -ENOBUFS
 * (it said more than it may), -ENOMEM: it was killed with its group, and *output has what it had said. Else the reason why it
 * could not be started.
 */
int thrum_exec_file(const char *const *argv, const struct thrum_exec_options *options, struct thrum_output *output);

/* The same for a command of the shell. Nothing that comes from elsewhere belongs into one: pass it to thrum_exec_file, or as a variable. */
int thrum_exec(const char *command, const struct thrum_exec_options *options, struct thrum_output *output);

/* -- Channel: messages to and from the supervisor -- */

/*
 * Either end of a channel: a stream socket that carries one JSON text a line, both ways. It is what Node's fork() makes,
 * and what thrum gives a service with `ipc: json` or `pool:`. Texts come and go as they are: JSON in UTF-8 without a line's end
 * in it, which nobody checks; thrum_message_member finds what is in them. Node's own messages ({"cmd":"NODE_…"}) are left out.
 */
struct thrum_channel;

/* Bytes of a text. One that sends more is cut off: -EMSGSIZE from then on. */
#define THRUM_MESSAGE_MOST ((size_t)16 << 20)

/*
 * The channel to whoever started this process, from the environment, which it is taken out of, as nothing else may use it: call this
 * before there are threads. Owned by the caller, for thrum_channel_close. NULL on failure, errno: ENOTCONN if there is none, EBADF,
 * ENOTSOCK, EINVAL, ENOMEM.
 */
struct thrum_channel *thrum_channel_open(void);

/* The same on a descriptor, as that of a child with a channel; it is the channel's then, unless this fails. */
struct thrum_channel *thrum_channel_create(int fd);

/* What waits is dropped; no thread may use the channel any more. Accepts NULL. */
void thrum_channel_close(struct thrum_channel *channel);

/*
 * Sends a text. Waits for room as long as timeout_ms; one that was begun is always finished. -ETIMEDOUT: nothing of it was sent;
 * -EPIPE: the other end is gone; -EMSGSIZE; -EINVAL if it has a line's end in it, or nothing.
 */
int thrum_channel_send(struct thrum_channel *channel, const char *text, size_t size, int timeout_ms);

/* Tells the supervisor that this process is ready to work (`wait_ready`, `readiness: {channel: true}`). */
int thrum_channel_ready(struct thrum_channel *channel, int timeout_ms);

/*
 * What is sent between these two, by any thread, goes out together at the release, or before when it is 64 KiB or when something is
 * waited for (receive, request): many answers at the price of one. They nest. hold: 0, or -ENOMEM, and nothing is to be released.
 * release: 0, or why it could not be sent (it is then sent with what follows).
 */
int thrum_channel_hold(struct thrum_channel *channel);
int thrum_channel_release(struct thrum_channel *channel, int timeout_ms);

/*
 * The next text, with a NUL behind it, and no empty one; *text is the caller's, for thrum_buffer_destroy. -ETIMEDOUT: there is none;
 * -EPIPE, -EMSGSIZE: there will be none any more; -ENOMEM: later perhaps.
 */
int thrum_channel_receive(struct thrum_channel *channel, char **text, size_t *size, int timeout_ms);

/*
 * Sends a text that is a map with a "requestId" added to it, and waits for the text that has the same one, which is then handed out
 * here and nowhere else; *reply is the caller's, for thrum_buffer_destroy. Other texts that come meanwhile are kept for receive and
 * process, 16 MiB of them: -ENOBUFS then. What send says, and -ETIMEDOUT, -EPIPE, -ENOMEM; -EINVAL if it is no map.
 */
int thrum_channel_request(struct thrum_channel *channel, const char *text, size_t size, char **reply, size_t *reply_size, int timeout_ms);

/* Answers a text that was received: sends a map with its "requestId". What send says; -ENOENT if it has none, -EINVAL if text is no map. */
int thrum_channel_reply(struct thrum_channel *channel, const char *request, size_t request_size, const char *text, size_t size,
	int timeout_ms);

/*
 * What to do with what comes; each may be NULL. They are called by the thread that processes, and may do anything with the channel
 * but close it. Texts are the library's, and gone when the handler returns.
 */
struct thrum_handlers {
	/*
	 * A task of a process pool: payload is what was submitted, a map, with "id", the task's number, in it; what was no map is its
	 * "value". Answer each once, with thrum_channel_complete or _fail, here or later, in any thread.
	 */
	void (*task)(struct thrum_channel *channel, uint64_t task, const char *payload, size_t size, void *context);
	void (*message)(struct thrum_channel *channel, const char *text, size_t size, void *context); /* all else */
	void *context;
	/*
	 * Not 0: for tasks that take microseconds. Answers to what came together go out together, behind the last of it (see
	 * thrum_channel_hold), and where the next tasks use to come at once they are waited for awake, for a tenth of a millisecond.
	 */
	int together;
};

/* The task's answer: result is JSON, NULL for null; error is any string, of which 4000 bytes count at most. What send says. */
int thrum_channel_complete(struct thrum_channel *channel, uint64_t task, const char *result, size_t size, int timeout_ms);
int thrum_channel_fail(struct thrum_channel *channel, uint64_t task, const char *error, int timeout_ms);

/*
 * A descriptor for any event loop, the channel's own: when it is readable, call process. Or a negative errno value.
 */
int thrum_channel_fd(struct thrum_channel *channel);

/*
 * Hands out what has come, without waiting; together: for a millisecond, as long as more comes. 0; -ESHUTDOWN: the supervisor asks
 * this process to end ("shutdown", or that as "cmd" or "type"), and what came later waits still; -EPIPE, -EMSGSIZE: it is over;
 * -ENOMEM: later perhaps.
 */
int thrum_channel_process(struct thrum_channel *channel, const struct thrum_handlers *handlers);

/* Says that it is ready, and hands out whatever comes, until the process is to end, or the channel has ended: 0 then. */
int thrum_channel_serve(struct thrum_channel *channel, const struct thrum_handlers *handlers);

/*
 * The value of a member of a map, in place: JSON itself, with the quotes of a string. Of two with one name it is the last.
 * -ENOENT: there is none, or this is no map. What is no JSON gives nothing, or nonsense, but no harm.
 */
int thrum_message_member(const char *text, size_t size, const char *name, const char **value, size_t *value_size);

/* The same of a string, without quotes and escapes, with a NUL behind it: -EINVAL if it is none, -ENOBUFS if it has no room. */
int thrum_message_string(const char *text, size_t size, const char *name, char *to, size_t to_size);

/* And of a number: -EINVAL if it is none. */
int thrum_message_number(const char *text, size_t size, const char *name, double *number);

#ifdef __cplusplus
}
#endif

#endif
