/* A configuration that is a program: node runs it, and tells what it exports as JSON. */
#ifndef CONFIG_JAVASCRIPT_H
#define CONFIG_JAVASCRIPT_H

#include <stdbool.h>

#include "base/text.h"
#include "config/problem.h"

/*
 * Runs the file with node, for ten seconds at the most, and appends what it exports to json. Whatever
 * it prints is thrown away. False: problems say why, with its line if node told one.
 */
bool javascript_run(const char *path, struct text *json, struct position at, struct problems *problems);

#endif
