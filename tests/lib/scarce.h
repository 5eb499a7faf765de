/*
 * Scarcity, for tests: whatever the library asks for, memory, a descriptor, a thread, a mapping, it may not get. The linker puts
 * these functions between the library and what it calls (-Wl,--wrap), so that no call is left out, and the library knows nothing of it.
 */
#ifndef TESTS_LIB_SCARCE_H
#define TESTS_LIB_SCARCE_H

#include <stdbool.h>
#include <stddef.h>

/* The request after so many more is refused; negative: none is. */
void scarce_after(int count);
/* Whether one was refused since then. */
bool scarce_struck(void);
/* Those of channels, never refused. */
void scarce_sockets(int fds[2]);

/* What this process holds; memory and mappings are the library's. */
struct holdings {
	long blocks, mappings;
	int descriptors, threads;
};

struct holdings scarce_holdings(void);

#endif
