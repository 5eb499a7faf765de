/*
 * What takes a value of a configuration: one function a kind, shared by the tables of keys.
 * Each puts the value into place; false: it was wrong, and that was said.
 */
#ifndef CONFIG_TAKE_H
#define CONFIG_TAKE_H

#include "config/schema.h"

#define TAKES_OF(name)                                                            \
	bool name(struct reading *reading, const struct node *value, void *place, \
		const struct key *key)

TAKES_OF(take_string);   /* char *, owned */
TAKES_OF(take_duration); /* uint32_t, ms */
TAKES_OF(take_size);     /* uint64_t, bytes */
TAKES_OF(take_count);    /* unsigned */
TAKES_OF(take_bool);
TAKES_OF(take_no_expansion); /* into the reading */
TAKES_OF(take_instances);    /* unsigned */
TAKES_OF(take_signal);       /* int */
TAKES_OF(take_strings);      /* struct strings; one string, or a list */
TAKES_OF(take_path);         /* char *, owned, absolute */
TAKES_OF(take_inner);        /* a map in the map: key->inner, with offsets from place */
TAKES_OF(take_nothing);      /* right, and of no meaning here: key->help says why */
TAKES_OF(take_refused);      /* wrong here unless it is false: key->help says what to do instead */

/* ---- variables.c: all into struct layers ---- */
TAKES_OF(take_env_files);
TAKES_OF(take_environment);
TAKES_OF(take_layers);

/* ---- supervision.c ---- */
TAKES_OF(take_argv);       /* struct strings: a list of words, or a string, with a shell where it needs one */
TAKES_OF(take_ready);      /* struct ready_spec */
TAKES_OF(take_ready_line); /* … its log, as text that is looked for */
TAKES_OF(take_probe);      /* struct probe_spec */
TAKES_OF(take_limits);     /* into struct service_spec */
TAKES_OF(take_watch);      /* struct watch_spec */
TAKES_OF(take_schedule);   /* struct schedule_spec */
TAKES_OF(take_hooks);      /* into struct service_spec */
TAKES_OF(take_json);       /* char *, owned: a value of any kind, as JSON in one line */
TAKES_OF(take_ipc);        /* bool */
TAKES_OF(take_groups);     /* into struct project_spec */

/* ---- process_compose.c: its words for what is said otherwise here, all into struct service_spec ---- */
TAKES_OF(take_log_location);
TAKES_OF(take_log_configuration);
TAKES_OF(take_foreground);
TAKES_OF(take_daemon);
TAKES_OF(take_dotenv_disabled);
TAKES_OF(take_entrypoint);
TAKES_OF(take_project_log_location);      /* into struct project_spec */
TAKES_OF(take_project_log_configuration); /* … */
TAKES_OF(take_shell_words);               /* into the reading */
TAKES_OF(take_vars);                      /* looks whether it is a map; they are looked up where they stand */

/* ---- pool.c ---- */
TAKES_OF(take_pool); /* into struct service_spec */

/* ---- sockets.c ---- */
TAKES_OF(take_exec_mode);  /* into struct service_spec */
TAKES_OF(take_scheduling); /* enum scheduling */
TAKES_OF(take_listen);     /* into struct service_spec */

/* The keys of maps that these take, each into the struct that is named above. */
extern const struct key schema_ready[], schema_probe[], schema_limit[], schema_watch[], schema_schedule[],
	schema_log_configuration[], schema_shell[], schema_pool[], schema_listen[];
/* Gives a command to the shell of the file. */
void take_by_shell(const struct reading *reading, struct strings *argv, const char *command);

/* Processors of this machine. */
unsigned take_core_count(void);

/* Says what the value is to look like; false. */
bool take_failed(struct reading *reading, const struct node *value, const struct key *key,
	const char *looks);

/* Calls take for each item of a list, or for a single value. */
bool take_each(struct reading *reading, const struct node *value, void *place,
	const struct key *key,
	bool (*take)(struct reading *reading, const struct node *item, void *place,
		const struct key *key));

bool take_parse_count(const char *text, uint64_t most, uint64_t *number);

/* Absolute, from where relative paths start; free() it. */
char *take_path_from(const char *dir, const char *path);

#endif
