#include "stack/unwind.h"

#ifdef HAVE_LIBDW

#include <elfutils/libdwfl.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "base/clock.h"
#include "base/memory.h"

enum { PATH_SIZE = 4096,
	STOP_MS = 300, /* who has not stopped by then is in the kernel, and stays there */
	POLL_US = 100 };
#define DELETED " (deleted)"

struct unwinder {
	Dwfl *dwfl; /* owned */
	int32_t pid;
};

/* ---- its files ---- */

static int open_regular(const char *path)
{
	struct stat st;
	int fd = open(path, O_RDONLY | O_NONBLOCK | O_CLOEXEC);

	if (fd >= 0 && (fstat(fd, &st) < 0 || !S_ISREG(st.st_mode))) {
		close(fd);
		return -1;
	}
	return fd;
}

/* By what is mapped, which takes CAP_SYS_ADMIN: no name is needed, and none can mislead. */
static int open_mapped(int32_t pid, const char *name)
{
	char path[96], *line = NULL;
	size_t room = 0;
	int fd = -1;

	snprintf(path, sizeof path, "/proc/%d/maps", (int)pid);
	FILE *file = fopen(path, "re");
	while (file && fd < 0 && getline(&line, &room, file) > 0) {
		char *at = strchr(line, '/');
		if (!at || strncmp(at, name, strlen(name)) != 0 || at[strlen(name)] != '\n')
			continue;
		snprintf(path, sizeof path, "/proc/%d/map_files/%.*s", (int)pid, (int)strcspn(line, " "), line);
		fd = open_regular(path);
		if (fd < 0)
			break;
	}
	free(line);
	if (file)
		fclose(file);
	return fd;
}

/* Under its own root: it may have another one than we. */
static int open_named(int32_t pid, const char *name)
{
	char path[PATH_SIZE + 64];

	snprintf(path, sizeof path, "/proc/%d/root%s", (int)pid, name);
	return name[0] == '/' && !strstr(name, DELETED) ? open_regular(path) : -1;
}

static int open_program(int32_t pid, const char *name)
{
	char path[64], target[PATH_SIZE];

	snprintf(path, sizeof path, "/proc/%d/exe", (int)pid);
	ssize_t length = readlink(path, target, sizeof target - 1);
	target[length > 0 ? length : 0] = '\0';
	return strcmp(target, name) == 0 ? open_regular(path) : -1;
}

static int32_t studied; /* libdwfl asks for files without saying whose */

static int find_elf(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr base, char **file_name, Elf **elf)
{
	static int (*const ways[])(int32_t pid, const char *name) = { open_program, open_mapped, open_named };
	int fd = -1;

	for (size_t i = 0; fd < 0 && i < sizeof ways / sizeof *ways; i++)
		fd = ways[i](studied, name);
	if (fd < 0)
		return dwfl_linux_proc_find_elf(module, userdata, name, base, file_name, elf);
	*file_name = memory_copy(name);
	return fd;
}

static const Dwfl_Callbacks callbacks = {
	.find_elf = find_elf,
	.find_debuginfo = dwfl_standard_find_debuginfo,
};

/* What unwinding needs is read now, as far as it can be: nobody is stopped yet. */
static int warm_up(Dwfl_Module *module, void **userdata, const char *name, Dwarf_Addr start, void *context)
{
	Dwarf_Addr bias;

	(void)userdata;
	(void)name;
	(void)start;
	(void)context;
	dwfl_module_eh_cfi(module, &bias);
	return DWARF_CB_OK;
}

static bool attach(struct unwinder *unwinder, struct error *err)
{
	int reason = dwfl_linux_proc_report(unwinder->dwfl, unwinder->pid);

	if (reason == 0)
		reason = dwfl_report_end(unwinder->dwfl, NULL, NULL);
	if (reason == 0)
		reason = dwfl_linux_proc_attach(unwinder->dwfl, unwinder->pid, true);
	if (reason == 0)
		return true;
	if (reason == EACCES || reason == EPERM)
		return error_set(err, reason,
			"no right to look into process %d: it takes CAP_SYS_PTRACE, or its own user and a process that may be read",
			(int)unwinder->pid);
	return error_set(err, 0, "process %d: %s", (int)unwinder->pid, reason > 0 ? strerror(reason) : dwfl_errmsg(-1));
}

struct unwinder *unwinder_create(int32_t pid, struct error *err)
{
	struct unwinder *unwinder = memory_zeroed(1, sizeof *unwinder);

	unwinder->pid = studied = pid;
	unwinder->dwfl = dwfl_begin(&callbacks);
	if (!unwinder->dwfl) {
		error_set(err, 0, "%s", dwfl_errmsg(-1));
	} else if (attach(unwinder, err)) {
		dwfl_getmodules(unwinder->dwfl, warm_up, NULL, 0);
		return unwinder;
	}
	unwinder_destroy(unwinder);
	return NULL;
}

void unwinder_destroy(struct unwinder *unwinder)
{
	if (!unwinder)
		return;
	if (unwinder->dwfl)
		dwfl_end(unwinder->dwfl);
	free(unwinder);
}

/* ---- holding a thread ---- */

static int tracer_of(int32_t pid, int32_t tid)
{
	char path[64], line[256];
	int tracer = 0;

	snprintf(path, sizeof path, "/proc/%d/task/%d/status", (int)pid, (int)tid);
	FILE *file = fopen(path, "re");
	while (file && fgets(line, sizeof line, file) && sscanf(line, "TracerPid: %d", &tracer) != 1)
		;
	if (file)
		fclose(file);
	return tracer;
}

static bool refuse(const struct unwinder *unwinder, int32_t tid, struct error *err)
{
	int code = errno, tracer = tracer_of(unwinder->pid, tid);

	if (code == ESRCH)
		return error_set(err, code, "it has ended");
	if (tracer)
		return error_set(err, code, "process %d traces it, and only one can", tracer);
	return error_set(err, code,
		"no right to stop it (ptrace: %s): that takes CAP_SYS_PTRACE, or the same user, a process that may be read "
		"and kernel.yama.ptrace_scope 0",
		strerror(code));
}

/* *signal: what was on its way to it, and is given back. */
static bool hold(const struct unwinder *unwinder, int32_t tid, int *signal, struct error *err)
{
	uint64_t until_ms = clock_monotonic_ms() + STOP_MS;
	int status = 0;
	pid_t got;

	if (ptrace(PTRACE_SEIZE, tid, NULL, NULL) < 0 || ptrace(PTRACE_INTERRUPT, tid, NULL, NULL) < 0)
		return refuse(unwinder, tid, err);
	while ((got = waitpid(tid, &status, __WALL | WNOHANG)) == 0 && clock_monotonic_ms() < until_ms)
		usleep(POLL_US);
	if (got == 0)
		return error_set(err, ETIMEDOUT, "it does not stop: it is in a call that nothing interrupts");
	if (got < 0 || !WIFSTOPPED(status))
		return error_set(err, ESRCH, "it has ended");
	*signal = status >> 16 == PTRACE_EVENT_STOP ? 0 : WSTOPSIG(status);
	return true;
}

static void let_go(int32_t tid, int signal)
{
	ptrace(PTRACE_DETACH, tid, NULL, (void *)(intptr_t)signal);
}

/* ---- walking ---- */

struct walk {
	struct frame *frames;
	size_t count, most;
};

static int take_frame(Dwfl_Frame *state, void *context)
{
	struct walk *walk = context;
	Dwarf_Addr pc;
	bool is_exact;

	if (walk->count == walk->most || !dwfl_frame_pc(state, &pc, &is_exact))
		return DWARF_CB_ABORT;
	/* a return address is behind the call that it belongs to, maybe in another function already */
	walk->frames[walk->count++] = (struct frame){ .address = is_exact || pc == 0 ? pc : pc - 1 };
	return DWARF_CB_OK;
}

/* ---- names ---- */

#ifdef HAVE_DEMANGLE
extern char *__cxa_demangle(const char *name, char *buffer, size_t *size, int *status);
#endif

static void take_symbol(struct frame *frame, const char *name)
{
	char *plain = NULL;

#ifdef HAVE_DEMANGLE
	plain = strncmp(name, "_Z", 2) == 0 ? __cxa_demangle(name, NULL, NULL, NULL) : NULL;
#endif
	snprintf(frame->symbol, sizeof frame->symbol, "%s", plain ? plain : name);
	free(plain);
}

static const char *base_name(const char *path)
{
	const char *slash = strrchr(path, '/');

	return slash ? slash + 1 : path;
}

static void take_source(struct frame *frame, Dwfl_Module *module)
{
	Dwfl_Line *line = dwfl_module_getsrc(module, frame->address);
	int number = 0;
	const char *file = line ? dwfl_lineinfo(line, NULL, &number, NULL, NULL, NULL) : NULL;

	if (file)
		snprintf(frame->source, sizeof frame->source, "%.*s:%d", (int)sizeof frame->source - 16, base_name(file), number);
}

static void name_frame(struct unwinder *unwinder, struct frame *frame)
{
	Dwfl_Module *module = dwfl_addrmodule(unwinder->dwfl, frame->address);
	GElf_Sym symbol;
	GElf_Off offset = 0;

	if (!module)
		return;
	const char *file = dwfl_module_info(module, NULL, NULL, NULL, NULL, NULL, NULL, NULL);
	snprintf(frame->module, sizeof frame->module, "%s", file ? base_name(file) : "?");
	const char *name = dwfl_module_addrinfo(module, frame->address, &offset, &symbol, NULL, NULL, NULL);
	if (name) {
		take_symbol(frame, name);
		frame->offset = offset;
	}
	take_source(frame, module);
}

size_t unwinder_walk(struct unwinder *unwinder, int32_t tid, struct frame *frames, size_t most, uint64_t *stopped_us,
	struct error *err)
{
	struct walk walk = { .frames = frames, .most = most };
	uint64_t began_us = clock_monotonic_us();
	int signal = 0;

	*stopped_us = 0;
	if (!hold(unwinder, tid, &signal, err))
		return 0;
	int reason = dwfl_getthread_frames(unwinder->dwfl, tid, take_frame, &walk);
	let_go(tid, signal);
	*stopped_us = clock_monotonic_us() - began_us;
	if (walk.count == most)
		error_set(err, 0, "there is more of it: only the innermost %zu frames are shown", most);
	else if (reason < 0)
		error_set(err, 0, "it breaks off: %s", dwfl_errmsg(-1));
	for (size_t i = 0; i < walk.count; i++)
		name_frame(unwinder, &frames[i]);
	return walk.count;
}

#else

struct unwinder *unwinder_create(int32_t pid, struct error *err)
{
	error_set(err, 0, "user frames of process %d cannot be read: this thrum was built without elfutils (libdw-dev)", (int)pid);
	return NULL;
}

void unwinder_destroy(struct unwinder *unwinder)
{
	(void)unwinder;
}

size_t unwinder_walk(struct unwinder *unwinder, int32_t tid, struct frame *frames, size_t most, uint64_t *stopped_us,
	struct error *err)
{
	(void)unwinder;
	(void)frames;
	(void)most;
	*stopped_us = 0;
	error_set(err, 0, "thread %d: built without elfutils", (int)tid);
	return 0;
}

#endif
