/* Tasks given to processes of our own, as a supervisor gives them: one at a time each, down their channels. */
#ifndef WORKLOAD_HERD_H
#define WORKLOAD_HERD_H

#include <stddef.h>

struct herd;

/* So many processes of a workload that is a worker; NULL with errno. For herd_destroy. */
struct herd *herd_create(const char *workload, unsigned count);
/* Has all these tasks (JSON, maps without an "id") done. 0, or a negative errno value. */
int herd_do(struct herd *herd, const char *const *payloads, size_t count);
/* Accepts NULL. */
void herd_destroy(struct herd *herd);

#endif
