#include "inspect/role.h"

#include <stddef.h>
#include <string.h>

/* The kernel keeps 15 bytes of a name. Of two rows that fit, the first is meant. */
static const struct {
	const char *prefix, *role;
} roles[] = {
	/* Node */
	{ "libuv-worker", "pool worker" },
	{ "DelayedTaskSche", "delayed-task scheduler" },
	{ "SignalInspector", "inspector" },
	{ "V8Worker", "v8 platform" },
	{ "V8 DefaultWorke", "v8 platform" },
	{ "node-V8Worker", "v8 platform" },
	{ "WorkerThread", "js worker" },
	{ "MainThread", "main" },
	{ "iou-sqp-", "io_uring" },
	{ "iou-wrk-", "io_uring" },
	/* the JVM */
	{ "VM Thread", "vm" },
	{ "VM Periodic Tas", "vm" },
	{ "GC Thread#", "gc" },
	{ "G1 ", "gc" },
	{ "ZWorker", "gc" },
	{ "Shenandoah", "gc" },
	{ "C1 CompilerThre", "jit" },
	{ "C2 CompilerThre", "jit" },
	{ "Sweeper thread", "jit" },
	{ "Reference Handl", "gc" },
	{ "Finalizer", "gc" },
	{ "Common-Cleaner", "gc" },
	{ "Signal Dispatch", "vm" },
	{ "Service Thread", "vm" },
	{ "Monitor Deflati", "vm" },
	{ "Notification Th", "vm" },
	{ "ForkJoinPool", "pool worker" },
	{ "pool-", "pool worker" },
	/* Rust, Deno */
	{ "tokio-runtime-w", "tokio worker" },
	/* Bun */
	{ "Bun Pool", "pool worker" },
	{ "HeapHelper", "gc" },
	{ "JITWorker", "jit" },
	{ "JSCWarmUp", "jit" },
	{ "mi-scavenger", "allocator" },
	/* others */
	{ "jemalloc_bg_thd", "allocator" },
	{ "bio_", "background i/o" },
	{ "io_thd_", "i/o" },
	{ "mc-worker", "pool worker" },
	{ "mc-", "service" },
	{ "gmain", "glib main loop" },
	{ "gdbus", "d-bus" },
	{ "ThreadPoolForeg", "pool worker" },
	{ ".NET TP", "pool worker" },
	{ ".NET ", "runtime" },
};

const char *role_of_name(const char *name)
{
	for (size_t i = 0; i < sizeof roles / sizeof *roles; i++)
		if (strncmp(name, roles[i].prefix, strlen(roles[i].prefix)) == 0)
			return roles[i].role;
	return "";
}
