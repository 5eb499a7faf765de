/*
 * What thrum tells the processes that it starts: names of environment variables.
 * C99 and C++; nothing to link.
 */
#ifndef THRUM_H
#define THRUM_H

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

#endif
