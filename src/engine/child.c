#include "engine/child.h"

#include <errno.h>
#include <fcntl.h>
#include <grp.h>
#include <inttypes.h>
#include <pwd.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/program.h"
#include "base/text.h"
#include "config/gateway.h"
#include "procfs/stat.h"

enum {
	STACK_SIZE = 128 * 1024,
	GROUPS_MOST = 65536,
	NAME_BUFFER = 16 * 1024,
	NAMES_MOST = 256,     /* bytes of LISTEN_FDNAMES */
	OOM_SCORE_MORE = 100, /* than ours */
	OOM_SCORE_MOST = 1000,
	HIGH_FD = 256,        /* above all that a process may want */
	EXIT_NOT_FOUND = 127, /* as shells have it */
	EXIT_NOT_EXECUTABLE = 126,
};

/*
 * ThreadSanitizer takes a child in our memory for a fork of a process with threads, and is blind
 * from then on: under it the child has a copy. (What it tells goes through shared memory all the same.)
 */
#ifdef __SANITIZE_THREAD__
enum { CLONE_BORROWED = CLONE_VFORK };
#else
enum { CLONE_BORROWED = CLONE_VFORK | CLONE_VM };
#endif

#define PID_TO_COME "0000000000"      /* room for any */
#define DEFAULT_TERM "xterm-256color" /* which most are, or claim to be */

extern char **environ;

/* What a process above us wanted of us, not of our children. */
static const char *const not_inherited[] = {
	"NODE_CHANNEL_FD",
	"THRUM_CHANNEL_FD",
	"NODE_UNIQUE_ID",
	"NODE_CHANNEL_SERIALIZATION_MODE",
	"LISTEN_FDS",
	"LISTEN_PID",
	"LISTEN_FDNAMES",
	"NOTIFY_SOCKET",
	"WATCHDOG_USEC",
	"WATCHDOG_PID",
};

static bool is_inherited(const char *entry)
{
	for (size_t i = 0; i < sizeof not_inherited / sizeof *not_inherited; i++) {
		size_t length = strlen(not_inherited[i]);
		if (strncmp(entry, not_inherited[i], length) == 0 && entry[length] == '=')
			return false;
	}
	return true;
}

/* What the engine has of the terminal that it was started from is wrong for any other. */
static bool is_of_terminal(const char *entry)
{
	static const char *const names[] = { "TERM=", "TERMCAP=", "LINES=", "COLUMNS=" };

	for (size_t i = 0; i < sizeof names / sizeof *names; i++)
		if (strncmp(entry, names[i], strlen(names[i])) == 0)
			return true;
	return false;
}

static void set_entry(struct strings *environment, const char *entry, unsigned instance)
{
	const char *equals = strchr(entry, '=');
	char *name = memory_copy_n(entry, (size_t)(equals - entry));
	char *value = spec_for_instance(equals + 1, instance);

	strings_set_variable(environment, name, value);
	free(name);
	free(value);
}

/* As systemd gives them: sd_listen_fds(3). The pid is written when it is known. */
static void add_sockets(struct strings *environment, const struct service_spec *spec, const struct newborn *who)
{
	struct text names;
	char number[24];

	if (!who->listen_count)
		return;
	snprintf(number, sizeof number, "%u", who->listen_count);
	strings_set_variable(environment, "LISTEN_FDS", number);
	strings_set_variable(environment, "LISTEN_PID", PID_TO_COME);
	text_init(&names, NAMES_MOST);
	for (unsigned i = 0; i < who->listen_count; i++)
		text_format(&names, "%s%s", i ? ":" : "", socket_kind_name(spec->listens[i].kind));
	strings_set_variable(environment, "LISTEN_FDNAMES", text_string(&names));
	text_finish(&names);
}

static void set_default(struct strings *environment, const char *name, const char *value)
{
	if (!strings_get_variable(environment, name))
		strings_set_variable(environment, name, value);
}

/* What programs ask that want to know whether PM2 runs them, and as what. */
static void add_pm2(struct strings *environment, const struct service_spec *spec, const struct newborn *who)
{
	char number[24];

	snprintf(number, sizeof number, "%u", who->seat);
	strings_set_variable(environment, "pm_id", number);
	set_default(environment, "name", spec->name);
	set_default(environment, "exec_mode", spec->exec_mode == EXEC_CLUSTER ? "cluster_mode" : "fork_mode");
}

void child_environment(struct strings *environment, const struct service_spec *spec,
	const struct newborn *who)
{
	char number[24];

	for (char **entry = environ; *entry; entry++)
		if (is_inherited(*entry) && !(spec->pty && is_of_terminal(*entry)))
			strings_add(environment, *entry);
	if (spec->pty)
		strings_set_variable(environment, "TERM", DEFAULT_TERM);
	for (size_t i = 0; i < spec->environment.count; i++)
		set_entry(environment, spec->environment.items[i], who->instance);
	snprintf(number, sizeof number, "%u", who->instance);
	strings_set_variable(environment, "THRUM_PROJECT", who->project);
	strings_set_variable(environment, "THRUM_SERVICE", spec->name);
	strings_set_variable(environment, "THRUM_INSTANCE", number);
	strings_set_variable(environment, "NODE_APP_INSTANCE", number);
	strings_set_variable(environment, "THRUM_LIFE_ID", who->marker);
	if (who->channel_fd) {
		snprintf(number, sizeof number, "%d", who->channel_fd);
		strings_set_variable(environment, "THRUM_CHANNEL_FD", number);
		strings_set_variable(environment, "NODE_CHANNEL_FD", number);
		strings_set_variable(environment, "NODE_CHANNEL_SERIALIZATION_MODE", "json");
		add_pm2(environment, spec, who);
	}
	if (who->channel_fd && spec->exec_mode == EXEC_CLUSTER) {
		snprintf(number, sizeof number, "%u", who->instance + 1);
		strings_set_variable(environment, "NODE_UNIQUE_ID", number);
	}
	add_sockets(environment, spec, who);
	if (who->notify)
		strings_set_variable(environment, "NOTIFY_SOCKET", who->notify);
	if (who->notify && spec->watchdog_ms) {
		snprintf(number, sizeof number, "%" PRIu64, (uint64_t)spec->watchdog_ms * 1000);
		strings_set_variable(environment, "WATCHDOG_USEC", number);
	}
	for (size_t i = 0; who->variables && i < who->variables->count; i++)
		set_entry(environment, who->variables->items[i], who->instance);
}

/* Another user may not be let into the folder of the first: then it has the next. */
static void find_in_path(struct launch *launch, const char *name)
{
	const char *places = strings_get_variable(&launch->environment, "PATH");
	char path[PATH_MAX];

	if (!places)
		places = PROGRAM_PLACES;
	while ((launch->drops_rights || !launch->programs.count) && program_next(path, name, &places))
		strings_add(&launch->programs, path);
}

/* As execvp: a name with a slash is a path, from the working folder on. Programs of thrum's own are found wherever it is. */
static void find_programs(struct launch *launch)
{
	const char *name = launch->argv.items[0];

	if (strchr(name, '/')) {
		strings_add(&launch->programs, name);
		return;
	}
	find_in_path(launch, name);
	char *own = !launch->programs.count && strncmp(name, "thrum", 5) == 0 ? gateway_find(name) : NULL;
	if (own)
		strings_add(&launch->programs, own);
	free(own);
}

static bool find_user(struct launch *launch, const char *name, struct error *err)
{
	char buffer[NAME_BUFFER];
	struct passwd entry, *found;

	if (getpwnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found)
		return error_set(err, 0, "no such user: %s", name);
	launch->uid = entry.pw_uid;
	launch->gid = entry.pw_gid;
	launch->group_count = 64;
	launch->groups = memory_resize(NULL, (size_t)launch->group_count, sizeof *launch->groups);
	if (getgrouplist(name, entry.pw_gid, launch->groups, &launch->group_count) >= 0)
		return true;
	if (launch->group_count > GROUPS_MOST)
		return error_set(err, 0, "user %s is in too many groups", name);
	launch->groups =
		memory_resize(launch->groups, (size_t)launch->group_count, sizeof *launch->groups);
	if (getgrouplist(name, entry.pw_gid, launch->groups, &launch->group_count) < 0)
		return error_set(err, 0, "the groups of user %s changed meanwhile", name);
	return true;
}

static bool find_group(struct launch *launch, const char *name, struct error *err)
{
	char buffer[NAME_BUFFER];
	struct group entry, *found;

	if (getgrnam_r(name, &entry, buffer, sizeof buffer, &found) != 0 || !found)
		return error_set(err, 0, "no such group: %s", name);
	launch->gid = entry.gr_gid;
	return true;
}

bool launch_prepare(struct launch *launch, const struct service_spec *spec,
	const struct newborn *who, struct error *err)
{
	*launch = (struct launch){
		.uid = getuid(), .gid = getgid(), .soft_nofile = who->soft_nofile
	};
	if (spec->user && !find_user(launch, spec->user, err))
		return false;
	if (spec->group && !find_group(launch, spec->group, err))
		return false;
	launch->drops_rights = spec->user || spec->group;
	child_environment(&launch->environment, spec, who);
	for (size_t i = 0; i < spec->argv.count; i++) {
		char *word = spec_for_instance(spec->argv.items[i], who->instance);
		strings_add(&launch->argv, word);
		free(word);
	}
	launch->working_dir = spec_for_instance(spec->working_dir, who->instance);
	if (who->listen_count)
		launch->own_pid = (char *)strings_get_variable(&launch->environment, "LISTEN_PID");
	find_programs(launch);
	return true;
}

void launch_finish(struct launch *launch)
{
	strings_finish(&launch->programs);
	free(launch->groups);
	free(launch->working_dir);
	strings_finish(&launch->argv);
	strings_finish(&launch->environment);
	if (launch->cgroup_fd > 0)
		close(launch->cgroup_fd);
}

/* What the new process needs; it shares our memory until it executes. */
struct birth {
	struct life *life;
	const struct launch *launch;
	const struct service_spec *spec;
	const struct child_ends *ends;
};

/*
 * The steps between clone and exec, in order. They run in our memory: system calls only.
 * False: errno says why.
 */
/* Should it not be let in, its tree is found as where there are no groups. */
static bool enter_cgroup(const struct birth *birth)
{
	return birth->launch->cgroup_fd <= 0 || write(birth->launch->cgroup_fd, "0", 1) != 0;
}

static bool own_session(const struct birth *birth)
{
	(void)birth;
	return setsid() >= 0;
}

static bool default_signals(const struct birth *birth)
{
	/* zeroes are SIG_DFL to the kernel; by raw calls, since libc keeps two signals for itself */
	static const unsigned long default_action[8];
	static const unsigned long none[NSIG / 8 / sizeof(unsigned long) + 1];

	(void)birth;
	for (int number = 1; number < NSIG; number++)
		syscall(SYS_rt_sigaction, number, default_action, NULL, NSIG / 8); /* KILL and STOP refuse */
	return syscall(SYS_rt_sigprocmask, SIG_SETMASK, none, NULL, NSIG / 8) == 0;
}

static bool set_limits(const struct birth *birth)
{
	struct rlimit files;

	if (getrlimit(RLIMIT_NOFILE, &files) < 0)
		return false;
	files.rlim_cur = birth->launch->soft_nofile;
	setrlimit(RLIMIT_NOFILE, &files); /* ours is raised; theirs is as it was */
	for (int i = 0; birth->spec->rlimits && i < SPEC_RLIMITS; i++) {
		const struct rlimit_spec *wanted = &birth->spec->rlimits[i];
		struct rlimit limit = { wanted->soft, wanted->hard };
		if (wanted->is_set && setrlimit((__rlimit_resource_t)i, &limit) < 0)
			return false;
	}
	return true;
}

static bool set_niceness(const struct birth *birth)
{
	return !birth->spec->nice || setpriority(PRIO_PROCESS, 0, birth->spec->nice) == 0;
}

static bool set_umask(const struct birth *birth)
{
	if (birth->spec->umask >= 0)
		umask((mode_t)birth->spec->umask);
	return true;
}

/* Raw calls: libc's would change all threads, which are not those of this process. */
static bool drop_rights(const struct birth *birth)
{
	const struct launch *launch = birth->launch;

	if (!launch->drops_rights)
		return true;
	if (launch->groups && syscall(SYS_setgroups, launch->group_count, launch->groups) < 0)
		return false;
	if (syscall(SYS_setresgid, launch->gid, launch->gid, launch->gid) < 0)
		return false;
	if (syscall(SYS_setresuid, launch->uid, launch->uid, launch->uid) < 0)
		return false;
	return prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0;
}

static bool enter_folder(const struct birth *birth)
{
	return !birth->launch->working_dir || chdir(birth->launch->working_dir) == 0;
}

static bool close_from(unsigned first, unsigned last)
{
	return first > last || syscall(SYS_close_range, first, last, 0) == 0;
}

/* Nothing but these is open in the new program. */
static bool arrange_descriptors(const struct birth *birth)
{
	const struct child_ends *ends = birth->ends;
	int in = ends->in >= 0 ? ends->in : open("/dev/null", O_RDONLY);
	unsigned next = CHILD_FIRST_FD;
	int high[CHILD_ENDS_MOST], lock = fcntl(ends->lock, F_DUPFD_CLOEXEC, HIGH_FD);

	if (lock < 0 || in < 0 || dup2(in, STDIN_FILENO) < 0 || dup2(ends->out, STDOUT_FILENO) < 0 ||
		dup2(ends->err, STDERR_FILENO) < 0)
		return false;
	/* all out of the way first: the number of one may be wanted for another */
	for (unsigned i = 0; i < ends->more_count; i++)
		if ((high[i] = fcntl(ends->more[i].fd, F_DUPFD_CLOEXEC, HIGH_FD)) < 0)
			return false;
	for (unsigned i = 0; i < ends->more_count; i++)
		if (dup2(high[i], ends->more[i].as) < 0)
			return false;
	for (unsigned i = 0; i < ends->more_count; i++) {
		unsigned as = (unsigned)ends->more[i].as;
		if (!close_from(next, as - 1))
			return false;
		next = as + 1;
	}
	return close_from(next, (unsigned)lock - 1) && close_from((unsigned)lock + 1, ~0u);
}

/* A signal typed there, such as ^C, goes to its group; its end hangs up the session. */
static bool take_terminal(const struct birth *birth)
{
	return !birth->ends->is_terminal || ioctl(STDIN_FILENO, TIOCSCTTY, 0) == 0;
}

static int read_number(int fd)
{
	char text[16];
	ssize_t size = pread(fd, text, sizeof text - 1, 0);

	text[size > 0 ? size : 0] = '\0';
	return (int)strtol(text, NULL, 10);
}

/* Who goes first when memory is short: they before us, unless it is said otherwise. Only root may ask for less than it has. */
static bool set_oom_score(const struct birth *birth)
{
	int score = birth->spec->oom_score_adj, fd;
	char text[16];

	fd = open("/proc/self/oom_score_adj", O_RDWR | O_CLOEXEC);
	if (score == OOM_SCORE_UNSET)
		score = read_number(fd) + OOM_SCORE_MORE;
	snprintf(text, sizeof text, "%d", score < OOM_SCORE_MOST ? score : OOM_SCORE_MOST);
	bool ok = fd >= 0 && write(fd, text, strlen(text)) > 0;
	close(fd);
	return ok || birth->spec->oom_score_adj == OOM_SCORE_UNSET; /* nobody asked for it */
}

static bool write_pid(const struct birth *birth)
{
	if (birth->launch->own_pid)
		snprintf(birth->launch->own_pid, sizeof PID_TO_COME, "%d", (int)syscall(SYS_getpid));
	return true;
}

static bool execute(const struct birth *birth)
{
	const struct launch *launch = birth->launch;

	errno = ENOENT;
	for (size_t i = 0; i < launch->programs.count; i++)
		execve(launch->programs.items[i], launch->argv.items, launch->environment.items);
	return false;
}

static const struct {
	const char *name;
	bool (*perform)(const struct birth *birth);
} steps[] = {
	{ "cgroup", enter_cgroup },
	{ "setsid", own_session },
	{ "descriptors", arrange_descriptors },
	{ "terminal", take_terminal },
	{ "rlimits", set_limits },
	{ "nice", set_niceness },
	{ "umask", set_umask },
	{ "oom_score_adj", set_oom_score },
	{ "user", drop_rights },
	{ "working_dir", enter_folder },
	{ "signals", default_signals },
	{ "pid", write_pid },
	{ "exec", execute },
};

static int be_born(void *context)
{
	const struct birth *birth = context;
	size_t i = 0;

	while (i < sizeof steps / sizeof *steps && steps[i].perform(birth))
		i++;
	int reason = errno;
	birth->life->failed_errno = reason;
	strncpy(birth->life->failed_step, steps[i].name, STORE_STEP_SIZE - 1);
	_exit(reason == ENOENT ? EXIT_NOT_FOUND : EXIT_NOT_EXECUTABLE);
}

/*
 * vfork-like: the process borrows our memory, and we wait until it executes. That costs nothing
 * per megabyte of ours, and lets it report a failure by storing it. Should we be killed
 * meanwhile, it goes on undisturbed.
 */
int child_spawn(struct life *life, const struct launch *launch,
	const struct service_spec *spec, const struct child_ends *ends)
{
	static char *stack;
	struct birth birth = { life, launch, spec, ends };
	sigset_t all, former;

	if (!stack) {
		stack = mmap(NULL, STACK_SIZE, PROT_READ | PROT_WRITE,
			MAP_PRIVATE | MAP_ANONYMOUS | MAP_STACK, -1, 0);
		if (stack == MAP_FAILED) {
			stack = NULL;
			return errno;
		}
	}
	/* no handler of ours may run in the process while it shares our memory */
	sigfillset(&all);
	sigprocmask(SIG_BLOCK, &all, &former);
	int pid = clone(be_born, stack + STACK_SIZE,
		CLONE_BORROWED | CLONE_PARENT | CLONE_PARENT_SETTID, &birth, &life->pid);
	int reason = pid < 0 ? errno : 0;
	sigprocmask(SIG_SETMASK, &former, NULL);
	return reason;
}

void child_describe_failure(const struct life *life, const struct service_spec *spec,
	char *out, size_t size)
{
	const char *what = "";

	out[0] = '\0';
	if (!life->failed_errno)
		return;
	if (strcmp(life->failed_step, "exec") == 0)
		what = spec->argv.items[0];
	else if (strcmp(life->failed_step, "working_dir") == 0)
		what = spec->working_dir;
	else if (strcmp(life->failed_step, "user") == 0 && spec->user)
		what = spec->user;
	snprintf(out, size, "%.*s%s%s: %s", STORE_STEP_SIZE - 1, life->failed_step,
		*what ? " " : "", what, strerror(life->failed_errno));
}

/* The keeper writes an exit down before it reaps: no record, still our process. */
static bool is_recorded(const struct keeper_link *keeper, const struct life *life)
{
	const struct keeper_page *page = keeper->page;
	uint64_t count = atomic_load(&page->exit_count);

	for (uint64_t i = count > KEEPER_EXITS ? count - KEEPER_EXITS : 0; i < count; i++) {
		const struct exit_record *record = &page->exits[i % KEEPER_EXITS];
		if (record->pid == life->pid && record->ended_us >= life->began_us)
			return true;
	}
	return false;
}

bool child_signal(const struct keeper_link *keeper, const struct life *life, int signal,
	bool is_group)
{
	int fd = (int)syscall(SYS_pidfd_open, life->pid, 0);

	if (fd < 0)
		return false;
	/* opened before it was looked up: now fd is our process, or nothing happens */
	bool ok = !is_recorded(keeper, life);
	if (ok && is_group)
		ok = kill(-life->pid, signal) == 0;
	else if (ok)
		ok = syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
	close(fd);
	return ok;
}

bool stranger_signal(pid_t pid, unsigned long long starttime, int signal)
{
	struct proc_stat stat;
	int fd = (int)syscall(SYS_pidfd_open, pid, 0);

	if (fd < 0)
		return false;
	bool ok = proc_stat_read(pid, &stat) && stat.starttime == starttime &&
		  syscall(SYS_pidfd_send_signal, fd, signal, NULL, 0) == 0;
	close(fd);
	return ok;
}
