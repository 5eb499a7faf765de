/* Notices that the wall clock was set, for those that run by it. Loop thread only. */
#ifndef ENGINE_SCHEDULE_H
#define ENGINE_SCHEDULE_H

struct engine;

/* Once a service with a cron schedule is there. */
void schedule_watch_clock(struct engine *engine);

#endif
