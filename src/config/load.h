/*
 * A project's configuration, resolved: from thrum.yaml, from the files of process-compose, PM2, foreman,
 * supervisord and compose, or from what config_print wrote.
 */
#ifndef CONFIG_LOAD_H
#define CONFIG_LOAD_H

#include <limits.h>
#include <stdbool.h>
#include <stddef.h>

#include "base/error.h"
#include "config/problem.h"
#include "model/spec.h"

struct config_options {
	const char *project;         /* from -p or THRUM_PROJECT: wins over `name:`; or NULL */
	const char *const *profiles; /* chosen: merged over the files, in this order */
	size_t profile_count;
};

/*
 * Later files win, key by key, and profiles over them; the first says which folder the project is in.
 * ${NAME}, ${NAME:-default} and the like in values are replaced from the environment, `env_file` and `environment`
 * of the project; a command is left to the shell. NULL when something is wrong: problems say what.
 * There may be warnings with a result.
 */
struct project_spec *config_load_files(const char *const *paths, size_t count,
	const struct config_options *options, struct problems *problems);

/* The name of the folder that a file is in, if a file of its kind never says another; NULL: it may. free() it. */
char *config_name_of_folder(const char *path);

/* The `name:` of a file whose other keys may be wrong; free() it. NULL: it has none that can be told. */
char *config_read_name(const char *path);

/* What config_print wrote: the same again, without a look at the file system. */
struct project_spec *config_load_text(const char *text, size_t size, const char *name,
	struct problems *problems);

/*
 * One service as JSON, with the key `name` added. spec was initialised; on failure it is still to be
 * finished.
 */
bool config_load_service(const char *text, size_t size, const char *name,
	struct problems *problems, struct service_spec *spec);

/*
 * A file of another tool (pm2, procfile, supervisord, compose, process-compose) as a thrum.yaml. False: it
 * was wrong. Warnings tell what has no equivalent.
 */
bool config_import(const char *kind, const char *path, struct text *out, struct problems *problems);

/* The file of a folder that describes a project. err says what was looked for. */
bool config_find(const char *dir, char path[PATH_MAX], struct error *err);

/* A name made of what may stand in one: "my app!" → "my-app". free() it. */
char *config_make_name(const char *text);

#endif
