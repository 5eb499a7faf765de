#include "tests/lib/scarce.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <spawn.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/mman.h>
#include <sys/socket.h>
#include <sys/syscall.h>

static atomic_int left = -1;
static atomic_bool struck;
static atomic_long blocks, mappings;

void scarce_after(int count)
{
	atomic_store(&struck, false);
	atomic_store(&left, count);
}

bool scarce_struck(void)
{
	return atomic_load(&struck);
}

static bool is_refused(int reason)
{
	if (atomic_load(&left) < 0 || atomic_fetch_sub(&left, 1) != 0)
		return false;
	atomic_store(&struck, true);
	errno = reason;
	return true;
}

/* How many entries the folder has but itself and its parent. */
static int count_entries(const char *path)
{
	DIR *folder = opendir(path);
	int count = -2;

	while (readdir(folder))
		count++;
	closedir(folder);
	return count;
}

struct holdings scarce_holdings(void)
{
	return (struct holdings){ atomic_load(&blocks), atomic_load(&mappings), count_entries("/proc/self/fd"),
		count_entries("/proc/self/task") };
}

/* -- Memory -- */

void *__real_thrum__allocate(size_t count, size_t size);
void *__real_thrum__allocate_aligned(size_t alignment, size_t size);
void *__real_thrum__reallocate(void *block, size_t count, size_t size);
void __real_thrum__free(void *block);

static void *count_block(void *block)
{
	atomic_fetch_add(&blocks, block != NULL);
	return block;
}

void *__wrap_thrum__allocate(size_t count, size_t size)
{
	return is_refused(ENOMEM) ? NULL : count_block(__real_thrum__allocate(count, size));
}

void *__wrap_thrum__allocate_aligned(size_t alignment, size_t size)
{
	return is_refused(ENOMEM) ? NULL : count_block(__real_thrum__allocate_aligned(alignment, size));
}

void *__wrap_thrum__reallocate(void *block, size_t count, size_t size)
{
	bool is_new = !block;

	if (is_refused(ENOMEM))
		return NULL;
	block = __real_thrum__reallocate(block, count, size);
	return is_new ? count_block(block) : block;
}

void __wrap_thrum__free(void *block)
{
	atomic_fetch_sub(&blocks, block != NULL);
	__real_thrum__free(block);
}

/* -- Descriptors, mappings, threads, processes -- */

int __real_memfd_create(const char *name, unsigned flags);
int __real_ftruncate(int fd, off_t size);
void *__real_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset);
int __real_munmap(void *block, size_t size);
int __real_eventfd(unsigned count, int flags);
int __real_epoll_create1(int flags);
int __real_epoll_ctl(int poll_fd, int operation, int fd, struct epoll_event *event);
int __real_pipe2(int fds[2], int flags);
int __real_socketpair(int domain, int type, int protocol, int fds[2]);
int __real_open(const char *path, int flags, ...);
int __real_fcntl(int fd, int command, ...);
long __real_syscall(long number, ...);
int __real_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *data);
int __real_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
	char *const *argv, char *const *environment);
int __real_posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path);
int __real_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int from, int to);

int __wrap_memfd_create(const char *name, unsigned flags)
{
	return is_refused(EMFILE) ? -1 : __real_memfd_create(name, flags);
}

int __wrap_ftruncate(int fd, off_t size)
{
	return is_refused(ENOMEM) ? -1 : __real_ftruncate(fd, size);
}

void *__wrap_mmap(void *address, size_t size, int protection, int flags, int fd, off_t offset)
{
	void *block = is_refused(ENOMEM) ? MAP_FAILED : __real_mmap(address, size, protection, flags, fd, offset);

	atomic_fetch_add(&mappings, block != MAP_FAILED);
	return block;
}

int __wrap_munmap(void *block, size_t size)
{
	atomic_fetch_sub(&mappings, 1);
	return __real_munmap(block, size);
}

int __wrap_eventfd(unsigned count, int flags)
{
	return is_refused(EMFILE) ? -1 : __real_eventfd(count, flags);
}

int __wrap_epoll_create1(int flags)
{
	return is_refused(EMFILE) ? -1 : __real_epoll_create1(flags);
}

int __wrap_epoll_ctl(int poll_fd, int operation, int fd, struct epoll_event *event)
{
	return operation == EPOLL_CTL_ADD && is_refused(ENOMEM) ? -1 : __real_epoll_ctl(poll_fd, operation, fd, event);
}

int __wrap_pipe2(int fds[2], int flags)
{
	return is_refused(EMFILE) ? -1 : __real_pipe2(fds, flags);
}

int __wrap_socketpair(int domain, int type, int protocol, int fds[2])
{
	return is_refused(EMFILE) ? -1 : __real_socketpair(domain, type, protocol, fds);
}

void scarce_sockets(int fds[2])
{
	if (__real_socketpair(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0, fds) < 0)
		abort();
}

int __wrap_open(const char *path, int flags, ...)
{
	return is_refused(EMFILE) ? -1 : __real_open(path, flags, 0);
}

int __wrap_fcntl(int fd, int command, ...)
{
	va_list arguments;
	long argument;

	va_start(arguments, command);
	argument = va_arg(arguments, long);
	va_end(arguments);
	return command == F_DUPFD_CLOEXEC && is_refused(EMFILE) ? -1 : __real_fcntl(fd, command, argument);
}

/* Only descriptors of processes are asked for so. As the C library's own it passes six words on, whatever was given. */
__attribute__((no_sanitize_address)) long __wrap_syscall(long number, ...)
{
	long given[6];
	va_list arguments;

	va_start(arguments, number);
	for (unsigned i = 0; i < 6; i++)
		given[i] = va_arg(arguments, long);
	va_end(arguments);
	if (number == SYS_pidfd_open && is_refused(EMFILE))
		return -1;
	return __real_syscall(number, given[0], given[1], given[2], given[3], given[4], given[5]);
}

int __wrap_pthread_create(pthread_t *thread, const pthread_attr_t *attributes, void *(*work)(void *), void *data)
{
	return is_refused(EAGAIN) ? EAGAIN : __real_pthread_create(thread, attributes, work, data);
}

int __wrap_posix_spawn(pid_t *pid, const char *path, const posix_spawn_file_actions_t *actions, const posix_spawnattr_t *attributes,
	char *const *argv, char *const *environment)
{
	return is_refused(EAGAIN) ? EAGAIN : __real_posix_spawn(pid, path, actions, attributes, argv, environment);
}

int __wrap_posix_spawn_file_actions_adddup2(posix_spawn_file_actions_t *actions, int from, int to)
{
	return is_refused(ENOMEM) ? ENOMEM : __real_posix_spawn_file_actions_adddup2(actions, from, to);
}

int __wrap_posix_spawn_file_actions_addchdir_np(posix_spawn_file_actions_t *actions, const char *path)
{
	return is_refused(ENOMEM) ? ENOMEM : __real_posix_spawn_file_actions_addchdir_np(actions, path);
}
