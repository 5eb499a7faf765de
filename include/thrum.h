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
 * In this order: environment; pool; port; shared; process; channel. Each section is the interface of the file
 * src/lib/NAME.c and includes nothing of the others.
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

/* -- Pool: threads with a queue in front -- */

/* -- Port: pairs of message ports between threads -- */

/* -- Shared: arrays of integers that threads and processes share -- */

/* -- Process: child processes -- */

/* -- Channel: messages to and from the supervisor -- */

#ifdef __cplusplus
}
#endif

#endif
