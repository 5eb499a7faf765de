/*
 * What was told of the inside of processes, kept for who steps back in time: only what somebody looked at was measured,
 * and all together is KEPT_BYTES_MOST at the most, the oldest going first. Loop thread only.
 */
#ifndef SERVER_KEPT_H
#define SERVER_KEPT_H

#include <jansson.h>
#include <stdint.h>

enum { KEPT_BYTES_MOST = 8 * 1024 * 1024,
	KEPT_MOST = 8192,
	KEPT_STEP_US = 2000000,   /* what follows sooner is left out */
	KEPT_VALID_US = 10000000, /* after so long it says nothing of now any more */
	KEPT_COURSE_MOST = 30,    /* answers whose figures make one */
	KEPT_COURSE_US = 120000000,
	KEPT_NAME_SIZE = 96 };

struct kept; /* created at the first thing that is kept */

/* what: the request, and whom it was about: "inspect web/0". */
void kept_add(struct kept **kept, const char *what, uint64_t now_us, const json_t *answer);
/*
 * As it was then: a new reference; NULL: it was not measured. With `course`, how its figures of what waits and what is under way
 * went before that: {"queued":[…],"busy":[…]}, the last is of then.
 */
json_t *kept_find(const struct kept *kept, const char *what, uint64_t at_us);
void kept_destroy(struct kept *kept); /* accepts NULL */

#endif
