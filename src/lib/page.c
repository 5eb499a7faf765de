#include <errno.h>
#include <fcntl.h>
#include <pthread.h>
#include <signal.h>
#include <string.h>
#include <sys/mman.h>
#include <unistd.h>
#include "lib/futex.h"
#include "lib/memory.h"
#include "lib/page.h"
#include "lib/pool.h"

enum {
	AGAIN_MS = 100 /* threads that could not be made are tried again after that */
};

static pthread_mutex_t life_mutex = PTHREAD_MUTEX_INITIALIZER;   /* held while the first comes and the last goes */
static pthread_mutex_t pools_mutex = PTHREAD_MUTEX_INITIALIZER;  /* for pools and stopping */
static pthread_mutex_t places_mutex = PTHREAD_MUTEX_INITIALIZER; /* for the places on the page; held last */
static struct thrum_pool *pools;                                 /* borrowed */
static bool stopping;
static struct stats_header *page; /* mapped while there are pools */
static int page_fd = -1;
static pid_t page_pid; /* a child of fork() has the pages of its parent, and none of its threads */
static pthread_t attendant;

static struct stats_pool *pool_at(unsigned i)
{
	return (struct stats_pool *)(void *)(page + 1) + i;
}

static struct stats_worker *worker_at(unsigned i)
{
	return (struct stats_worker *)(void *)pool_at(STATS_POOLS) + i;
}

/* -- The file -- */

static int create_file(void)
{
	int fd = memfd_create(STATS_NAME, MFD_CLOEXEC | MFD_ALLOW_SEALING);

	if (fd < 0)
		return -1;
	if (ftruncate(fd, (off_t)STATS_SIZE) == 0 && fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_SEAL) == 0)
		return fd;
	close(fd);
	return -1;
}

static void unmap(void)
{
	if (page)
		munmap(page, STATS_SIZE);
	if (page_fd >= 0)
		close(page_fd);
	page = NULL;
	page_fd = -1;
}

static bool map(void)
{
	page_fd = create_file();
	page = mmap(NULL, STATS_SIZE, PROT_READ | PROT_WRITE, page_fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, page_fd, 0);
	if (page != MAP_FAILED)
		return true;
	page = NULL;
	unmap();
	return false;
}

static void introduce(void)
{
	page->abi_major = STATS_ABI_MAJOR;
	page->abi_minor = STATS_ABI_MINOR;
	page->header_size = sizeof(struct stats_header);
	page->pool_size = sizeof(struct stats_pool);
	page->worker_size = sizeof(struct stats_worker);
	page->pools = STATS_POOLS;
	page->workers = STATS_WORKERS;
	page->pid = (uint32_t)getpid();
	atomic_store(&page->magic, STATS_MAGIC);
}

/* -- The thread -- */

static bool attend_all(bool *again)
{
	bool goes_on;

	*again = false;
	pthread_mutex_lock(&pools_mutex);
	for (struct thrum_pool *pool = pools; pool; pool = pool->next)
		*again |= thrum__pool_attend(pool);
	goes_on = !stopping;
	pthread_mutex_unlock(&pools_mutex);
	return goes_on;
}

static void *on_attendant(void *unused)
{
	uint32_t bell = atomic_load(&page->bell);
	bool again;

	(void)unused;
	pthread_setname_np(pthread_self(), "thrum-stats");
	while (attend_all(&again)) {
		thrum__futex_wait(&page->bell, bell, thrum__deadline_ns(again ? AGAIN_MS : -1), 0);
		bell = atomic_load(&page->bell);
	}
	return NULL;
}

void thrum__page_ring(void)
{
	atomic_fetch_add(&page->bell, 1);
	thrum__futex_wake(&page->bell, 1, 0);
}

static bool start_attendant(void)
{
	sigset_t all, former;
	int reason;

	stopping = false;
	sigfillset(&all);
	pthread_sigmask(SIG_SETMASK, &all, &former);
	reason = pthread_create(&attendant, NULL, on_attendant, NULL);
	pthread_sigmask(SIG_SETMASK, &former, NULL);
	errno = reason;
	return reason == 0;
}

static void stop_attendant(void)
{
	pthread_mutex_lock(&pools_mutex);
	stopping = true;
	pthread_mutex_unlock(&pools_mutex);
	thrum__page_ring();
	pthread_join(attendant, NULL);
}

static bool begin(void)
{
	if (!map())
		return false;
	introduce();
	if (start_attendant()) {
		page_pid = getpid();
		return true;
	}
	unmap();
	return false;
}

/* -- Places -- */

/* After a fork the page is the parent's, who goes on to use it: nothing of it is touched, and its descriptor is not needed. */
static void forget_parent(void)
{
	if (!pools || page_pid == getpid())
		return;
	pools = NULL;
	unmap();
}

static bool claim(struct thrum_pool *pool)
{
	struct stats_pool *place;

	for (unsigned i = 0; i < STATS_POOLS; i++) {
		place = pool_at(i);
		if (atomic_load(&place->used))
			continue;
		memcpy(place->name, pool->name, sizeof place->name);
		atomic_store(&place->used, i + 1);
		pool->figures = place;
		pool->index = i;
		return true;
	}
	errno = EAGAIN;
	return false;
}

static bool enter(struct thrum_pool *pool)
{
	forget_parent();
	if (!pools && !begin())
		return false;
	if (!claim(pool))
		return false;
	pthread_mutex_lock(&pools_mutex);
	pool->next = pools;
	pools = pool;
	pthread_mutex_unlock(&pools_mutex);
	return true;
}

bool thrum__page_enter(struct thrum_pool *pool)
{
	bool entered;

	pthread_mutex_lock(&life_mutex);
	entered = enter(pool);
	pthread_mutex_unlock(&life_mutex);
	return entered;
}

static void unlink_pool(struct thrum_pool *pool)
{
	struct thrum_pool **link = &pools;

	pthread_mutex_lock(&pools_mutex);
	while (*link != pool)
		link = &(*link)->next;
	*link = pool->next;
	pthread_mutex_unlock(&pools_mutex);
}

static void free_places(struct thrum_pool *pool)
{
	struct stats_worker *place;

	for (unsigned i = 0; i < pool->worker_count; i++) {
		place = pool->workers[i]->figures;
		memset(place, 0, sizeof *place);
	}
	memset(pool->figures, 0, sizeof *pool->figures);
}

void thrum__page_leave(struct thrum_pool *pool)
{
	pthread_mutex_lock(&life_mutex);
	unlink_pool(pool);
	if (pools) {
		pthread_mutex_lock(&places_mutex);
		free_places(pool);
		pthread_mutex_unlock(&places_mutex);
	} else {
		stop_attendant();
		unmap();
	}
	pthread_mutex_unlock(&life_mutex);
}

struct stats_worker *thrum__page_worker(struct thrum_pool *pool)
{
	struct stats_worker *place = NULL;
	unsigned i = 0;

	pthread_mutex_lock(&places_mutex);
	while (i < STATS_WORKERS && atomic_load(&worker_at(i)->pool))
		i++;
	if (i < STATS_WORKERS) {
		place = worker_at(i);
		atomic_store(&place->pool, pool->index + 1);
		if (i >= atomic_load(&page->workers_used))
			atomic_store(&page->workers_used, i + 1);
	}
	pthread_mutex_unlock(&places_mutex);
	return place;
}
