/* Between the keeper's own parts; see protocol.h for what it shares with the engine. */
#ifndef KEEPER_KEEPER_H
#define KEEPER_KEEPER_H

#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <sys/resource.h>
#include <sys/types.h>

#include "keeper/protocol.h"

/* ---- record.c ---- */

extern struct keeper_page *keeper_page; /* ours to write */

/* Write an end down and ring for the engine. */
void keeper_record(const struct exit_record *record);
void keeper_record_child(const siginfo_t *info, const struct rusage *used);
uint64_t keeper_now_us(clockid_t clock);

/* ---- promote.c: whoever is not our child ---- */

/*
 * Go on where the former keeper was: from the manifest that the engine left. Returns how many exits the
 * engine has dealt with. The manifest's descriptor is closed.
 */
uint64_t promote_from(int manifest_fd);

enum { FOREIGN_MOST = 5120 }; /* processes that are not our children: the former keeper's */

/* To be watched as well; pidfd -1: it is gone. The descriptor is taken over. */
void foreign_add(pid_t pid, int pidfd);

/* What to poll for them; returns how many. patience_ms: as long as that may take. And what came of it. */
unsigned foreign_poll(struct pollfd *polled, int *patience_ms);
void foreign_take(const struct pollfd *polled, unsigned count);

/* ---- watchdog.c ---- */

void watchdog_begin(int listener);
/* Readable when a client has knocked; -1: nobody is watched. */
int watchdog_fd(void);
/*
 * has_unseen: exits are recorded that the engine has not dealt with. Ends an engine that has had work for too
 * long; returns in how many ms to look again, -1: when something happens.
 */
int watchdog_look(pid_t engine, bool has_unseen);
/* The engine has done something, or is another one. */
void watchdog_calm(void);

#endif
