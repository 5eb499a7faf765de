/* What is right by itself and wrong together: the keys of a service, and the services of a project. */
#ifndef CONFIG_CONSISTENCY_H
#define CONFIG_CONSISTENCY_H

#include "config/problem.h"
#include "config/scan.h"
#include "model/spec.h"

struct consistency {
	struct problems *problems;
	const struct project_spec *project;
	const struct node *const *at; /* where each service is written */
	const struct node *root;
	bool checks; /* what was printed was checked before */
};

/* map: what was written of it. Both say what is wrong; false: something was. */
bool consistency_of_service(struct problems *problems, const struct service_spec *spec, const struct node *map);
bool consistency_of_project(const struct consistency *whole);

/* Where the value of a key stands, or the map if it has none. */
struct position consistency_place(const struct node *map, const char *key);

#endif
