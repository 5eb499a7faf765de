/*
 * The keys of a configuration: what each is called, what it takes, where it goes, and what it is
 * for. One table a map; every loader, message and document follows from them.
 */
#ifndef CONFIG_SCHEMA_H
#define CONFIG_SCHEMA_H

#include "config/problem.h"
#include "config/scan.h"
#include "config/template.h"
#include "model/spec.h"

/* What is known while a file is read. */
struct reading {
	struct problems *problems;
	const struct strings *variables; /* for ${NAME}; NULL: values are taken as they are */
	bool is_loose;                   /* process-compose: $NAME is one too, and what is not set is empty */
	const char *dir;                 /* relative paths start here; NULL: paths are taken as they are */
	const struct node *command;      /* of the service being read */
	const struct node *shell;
	bool has_instances;          /* it says how many of it there are */
	unsigned instances;          /* … so many */
	bool is_daemon;              /* its command goes to the background */
	bool has_no_dotenv;          /* it has no variables of .env */
	struct strings *shell_words; /* what a command that needs a shell is given to */
	bool is_always_shell;        /* … and every other command */
	/* Templates: */
	bool has_templates;      /* values may be some */
	bool is_command_literal; /* … its command is none */
	struct template_vars vars;
};

struct key {
	const char *name;
	/* Puts the value into target + offset. False: it was wrong, and that was said. */
	bool (*take)(struct reading *reading, const struct node *value, void *place,
		const struct key *key);
	size_t offset;
	const struct key *inner; /* keys of a map in the map; with take_inner, offsets from the same target */
	const char *help;        /* NULL: another name of the key above */
};

extern const struct key schema_service[]; /* into struct service_spec; end with a NULL name */
extern const struct key schema_project[]; /* into struct project_spec */

/* Take every key of a map into target. False: something was wrong, and was said. */
bool schema_take(struct reading *reading, const struct node *map, const struct key *keys,
	void *target);

/* A scalar's text with variables replaced; free() it. NULL: wrong, and said. */
char *schema_text(struct reading *reading, const struct node *value, const char *what);

#endif
