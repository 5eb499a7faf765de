/* What works here, and what to do about the rest. */
#include <errno.h>
#include <fcntl.h>
#include <langinfo.h>
#include <locale.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/utsname.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/program.h"
#include "cli/cli.h"
#include "client/paths.h"
#include "config/gateway.h"
#include "inspect/roll.h"
#include "procfs/group.h"

enum health { FINE,
	POOR, /* something cannot be had; the rest works */
	BAD,  /* thrum does not work */
	HEALTH_COUNT };

struct finding {
	enum health verdict;
	char text[PATH_MAX + 128]; /* what is there */
	char advice[256];          /* what to do about it; or "" */
};

static void find(struct finding *finding, enum health verdict, const char *advice)
{
	finding->verdict = verdict;
	if (verdict != FINE)
		snprintf(finding->advice, sizeof finding->advice, "%s", advice);
}

/* ---- folders ---- */

static void check_folder(struct finding *finding, bool (*where)(char out[PATH_MAX], struct error *err))
{
	char path[PATH_MAX];
	struct stat st;
	struct error err;

	if (!where(path, &err)) {
		snprintf(finding->text, sizeof finding->text, "%s", err.text);
		find(finding, BAD, "name a folder of your own with THRUM_RUNTIME_DIR and THRUM_STATE_DIR");
		return;
	}
	snprintf(finding->text, sizeof finding->text, "%s", path);
	for (char *slash; access(path, F_OK) != 0 && (slash = strrchr(path, '/')) && slash != path;)
		*slash = '\0'; /* it is made when it is needed */
	bool is_folder = stat(path, &st) == 0 && S_ISDIR(st.st_mode);
	find(finding, is_folder && access(path, W_OK) == 0 ? FINE : BAD,
		"it cannot be written; name another with THRUM_RUNTIME_DIR or THRUM_STATE_DIR");
}

static void check_runtime(struct finding *finding)
{
	check_folder(finding, paths_runtime);
}

static void check_state(struct finding *finding)
{
	check_folder(finding, paths_state);
}

/* ---- the kernel ---- */

static void check_kernel(struct finding *finding)
{
	struct utsname name;
	unsigned major = 0, minor = 0;

	uname(&name);
	sscanf(name.release, "%u.%u", &major, &minor);
	snprintf(finding->text, sizeof finding->text, "%s %s", name.sysname, name.release);
	find(finding, major > 5 || (major == 5 && minor >= 4) ? FINE : BAD, "Linux 5.4 or newer is needed");
}

static void check_pidfd(struct finding *finding)
{
	int fd = (int)syscall(SYS_pidfd_open, getpid(), 0);

	snprintf(finding->text, sizeof finding->text, "pidfd_open: %s", fd >= 0 ? "works" : strerror(errno));
	find(finding, fd >= 0 ? FINE : POOR, "a container's filter of system calls may forbid it; allow it there");
	close_if_open(fd);
}

static void check_memfd(struct finding *finding)
{
	int fd = memfd_create("doctor", MFD_CLOEXEC);

	snprintf(finding->text, sizeof finding->text, "memfd_create: %s", fd >= 0 ? "works" : strerror(errno));
	find(finding, fd >= 0 ? FINE : BAD, "the keeper needs it; a container's filter of system calls may forbid it");
	close_if_open(fd);
}

static long read_number(const char *path)
{
	FILE *file = fopen(path, "re");
	long number = -1;

	if (file && fscanf(file, "%ld", &number) != 1)
		number = -1;
	if (file)
		fclose(file);
	return number;
}

static void check_inotify(struct finding *finding)
{
	long watches = read_number("/proc/sys/fs/inotify/max_user_watches");
	int fd = inotify_init1(IN_CLOEXEC);

	snprintf(finding->text, sizeof finding->text, "%ld watches for each user", watches);
	find(finding, fd >= 0 && watches >= 8192 ? FINE : POOR,
		"`watch` looks at each folder with one: sysctl fs.inotify.max_user_watches=524288");
	close_if_open(fd);
}

static void check_proc(struct finding *finding)
{
	bool sees_init = access("/proc/1/stat", R_OK) == 0, has_io = access("/proc/self/io", R_OK) == 0;

	snprintf(finding->text, sizeof finding->text, "%s",
		sees_init ? "all processes can be seen" : "only one's own processes can be seen");
	find(finding, has_io ? sees_init ? FINE : POOR : BAD,
		sees_init ? "/proc is not mounted as it should be" : "/proc is mounted with hidepid; `thrum top` shows one's own");
}

static void check_ptrace(struct finding *finding)
{
	long scope = read_number("/proc/sys/kernel/yama/ptrace_scope");

	snprintf(finding->text, sizeof finding->text, "yama.ptrace_scope is %ld", scope < 0 ? 0 : scope);
	find(finding, scope < 2 || geteuid() == 0 ? FINE : POOR,
		"what goes on inside of a process stays unknown to `thrum inspect`");
}

static void check_bpf(struct finding *finding)
{
	struct error err;
	struct roll *roll = roll_create(&err);

	snprintf(finding->text, sizeof finding->text, "%s%s", roll ? "threads are counted by eBPF" : "threads are counted by their files: ",
		roll ? "" : err.text);
	bool is_missing = !roll && err.code == ENOTSUP;
	find(finding, roll ? FINE : POOR,
		is_missing ? "to look at thousands of threads is cheaper with eBPF: apt install clang bpftool libbpf-dev, and build anew"
			   : "to look at thousands of threads is cheaper with eBPF: be root, or: setcap cap_bpf,cap_perfmon+ep on thrum");
	roll_destroy(roll);
}

/* ---- limits and rights ---- */

static void check_files(struct finding *finding)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NOFILE, &limit);
	snprintf(finding->text, sizeof finding->text, "%llu open files, %llu at the most", (unsigned long long)limit.rlim_cur,
		(unsigned long long)limit.rlim_max);
	find(finding, limit.rlim_max >= 4096 ? FINE : POOR, "each instance takes about eight: raise `ulimit -Hn`");
}

static void check_processes(struct finding *finding)
{
	struct rlimit limit = { 0 };

	getrlimit(RLIMIT_NPROC, &limit);
	if (limit.rlim_cur == RLIM_INFINITY)
		snprintf(finding->text, sizeof finding->text, "as many processes as one likes");
	else
		snprintf(finding->text, sizeof finding->text, "%llu processes", (unsigned long long)limit.rlim_cur);
	find(finding, limit.rlim_cur >= 512 ? FINE : POOR, "raise `ulimit -u`");
}

static void check_rights(struct finding *finding)
{
	snprintf(finding->text, sizeof finding->text, "uid %u", (unsigned)geteuid());
	find(finding, geteuid() == 0 ? FINE : POOR, "`user`, `group` and a negative `nice` need root; the rest does not");
}

/* ---- the terminal ---- */

static void check_terminal(struct finding *finding)
{
	const char *name = getenv("TERM");
	bool is_good = name && *name && strcmp(name, "dumb") != 0;

	snprintf(finding->text, sizeof finding->text, "%s%s", is_good ? name : "none",
		isatty(STDIN_FILENO) ? "" : " (standard input is none)");
	find(finding, is_good ? FINE : POOR, "the dashboard needs a terminal; set TERM, such as xterm-256color");
}

static void check_locale(struct finding *finding)
{
	setlocale(LC_CTYPE, "");
	const char *set = nl_langinfo(CODESET);

	snprintf(finding->text, sizeof finding->text, "%s", set);
	find(finding, strcmp(set, "UTF-8") == 0 ? FINE : POOR, "bars and lines are drawn in ASCII; LC_ALL=C.UTF-8 is always there");
}

/* ---- other programs ---- */

static void check_program(struct finding *finding, const char *name, const char *advice)
{
	char path[PATH_MAX];
	bool is_there = program_find(path, name);

	snprintf(finding->text, sizeof finding->text, "%s", is_there ? path : "not found");
	find(finding, is_there ? FINE : POOR, advice);
}

static void check_node(struct finding *finding)
{
	check_program(finding, "node", "ecosystem.config.js cannot be read, nor Node's services run: apt install nodejs");
}

static void check_curl(struct finding *finding)
{
	check_program(finding, "curl", "probes of https ask with it: apt install curl");
}

static void check_redis(struct finding *finding)
{
	check_program(finding, "redis-server", "only tasks that several machines share need one, anywhere: apt install redis-server");
}

static void check_systemd(struct finding *finding)
{
	bool is_there = access("/run/systemd/system", F_OK) == 0;

	snprintf(finding->text, sizeof finding->text, "%s", is_there ? "runs this machine" : "does not run this machine");
	find(finding, is_there ? FINE : POOR,
		"nothing starts a project with the machine; a container's command can be `thrum up --headless`");
}

static void check_ssh(struct finding *finding)
{
	check_program(finding, "ssh", "`thrum -H HOST` reaches engines of other machines by it: apt install openssh-client");
}

static void check_journal(struct finding *finding)
{
	const char *named = getenv("THRUM_JOURNAL_SOCKET"), *path = named ? named : "/run/systemd/journal/socket";
	bool is_there = access(path, W_OK) == 0;

	snprintf(finding->text, sizeof finding->text, "%.200s%s", path, is_there ? "" : ": not there");
	find(finding, is_there ? FINE : POOR, "`log: {journald: true}` has nobody to write to: lines stay in thrum's own logs");
}

static void check_groups(struct finding *finding)
{
	char *path = group_of(getpid());
	int fd = path ? group_open(path) : -1;

	snprintf(finding->text, sizeof finding->text, "%s", !path ? "none of version 2" : fd >= 0 ? "may be divided here"
												  : "not delegated to this shell");
	find(finding, fd >= 0 ? FINE : POOR,
		"a stop finds a service's processes by descent and marks; a unit with Delegate=yes has groups for it too");
	close_if_open(fd);
	free(path);
}

static void check_gateway(struct finding *finding, const char *name, const char *remedy)
{
	char *path = gateway_find(name);

	snprintf(finding->text, sizeof finding->text, "%s", path ? path : "not built");
	find(finding, path ? FINE : POOR, remedy);
	free(path);
}

static void check_http(struct finding *finding)
{
	check_gateway(finding, GATEWAY_HTTP, "`http: {listen: …}` needs it: build with libmicrohttpd-dev");
}

static void check_fleet(struct finding *finding)
{
	check_gateway(finding, GATEWAY_REDIS, "`redis: {server: …}` needs it: build with libhiredis-dev");
}

static const struct {
	const char *name;
	void (*check)(struct finding *finding);
} checks[] = {
	{ "runtime folder", check_runtime },
	{ "state folder", check_state },
	{ "kernel", check_kernel },
	{ "processes by descriptor", check_pidfd },
	{ "memory by descriptor", check_memfd },
	{ "/proc", check_proc },
	{ "inspection", check_ptrace },
	{ "eBPF", check_bpf },
	{ "file watching", check_inotify },
	{ "open files", check_files },
	{ "processes", check_processes },
	{ "rights", check_rights },
	{ "terminal", check_terminal },
	{ "characters", check_locale },
	{ "gateway for HTTP", check_http },
	{ "gateway for Redis", check_fleet },
	{ "node", check_node },
	{ "curl", check_curl },
	{ "redis", check_redis },
	{ "ssh", check_ssh },
	{ "systemd", check_systemd },
	{ "journal", check_journal },
	{ "control groups", check_groups },
};

static void print_finding(const char *name, const struct finding *finding)
{
	static const char *const words[HEALTH_COUNT] = { [FINE] = "ok", [POOR] = "--", [BAD] = "NO" };

	printf("%-3s %-24s ", words[finding->verdict], name);
	cli_print_safe(finding->text);
	if (finding->advice[0])
		printf("\n    %-24s %s", "", finding->advice);
	putchar('\n');
}

int cli_doctor(struct invocation *invocation)
{
	static const char *const words[HEALTH_COUNT] = { [FINE] = "ok", [POOR] = "limited", [BAD] = "broken" };
	json_t *list = json_array();
	bool is_bad = false;

	for (size_t i = 0; i < sizeof checks / sizeof *checks; i++) {
		struct finding finding = { 0 };
		checks[i].check(&finding);
		is_bad = is_bad || finding.verdict == BAD;
		if (invocation->json)
			json_array_append_new(list,
				json_pack("{s:s,s:s,s:s,s:s*}", "name", checks[i].name, "verdict", words[finding.verdict],
					"found", finding.text, "advice", finding.advice[0] ? finding.advice : NULL));
		else
			print_finding(checks[i].name, &finding);
	}
	if (invocation->json)
		cli_print_json(list);
	json_decref(list);
	return is_bad ? EXIT_FAILED : EXIT_OK;
}
