/* How processes ended, written down on the page. */
#include "keeper/keeper.h"

#include <errno.h>
#include <sys/resource.h>
#include <time.h>
#include <unistd.h>

struct keeper_page *keeper_page;

uint64_t keeper_now_us(clockid_t clock)
{
	struct timespec now;

	clock_gettime(clock, &now);
	return (uint64_t)now.tv_sec * 1000000 + (uint64_t)now.tv_nsec / 1000;
}

static uint64_t microseconds(const struct timeval *time)
{
	return (uint64_t)time->tv_sec * 1000000 + (uint64_t)time->tv_usec;
}

void keeper_record(const struct exit_record *record)
{
	uint64_t count = atomic_load(&keeper_page->exit_count), one = 1;

	keeper_page->exits[count % KEEPER_EXITS] = *record;
	atomic_store(&keeper_page->exit_count, count + 1);
	while (write(keeper_page->wake_fd, &one, sizeof one) < 0 && errno == EINTR)
		continue;
}

void keeper_record_child(const siginfo_t *info, const struct rusage *used)
{
	keeper_record(&(struct exit_record){
		.pid = info->si_pid,
		.code = info->si_code,
		.status = info->si_status,
		.peak_rss = (uint64_t)used->ru_maxrss * 1024,
		.cpu_us = microseconds(&used->ru_utime) + microseconds(&used->ru_stime),
		.ended_us = keeper_now_us(CLOCK_MONOTONIC),
		.wall_us = keeper_now_us(CLOCK_REALTIME),
	});
}
