/* Completions for shells, out of the table of commands. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "cli/cli.h"
#include "cli/options.h"
#include "client/link.h"

/* What stands behind a command: names of services, files, or one of some words. */
static const char *words_of(const struct command *command)
{
	static const struct {
		const char *command, *words;
	} known[] = {
		{ "advise", "cpu= shared= isolated= foreign= short= memory=" },
		{ "bench", "primes files scaling transfer pool start" },
		{ "completion", "bash zsh fish" },
		{ "export", "systemd systemd-socket kubernetes compose" },
		{ "import", "pm2 procfile supervisord compose process-compose" },
		{ "signal", "HUP INT QUIT KILL USR1 USR2 TERM CONT STOP" },
	};

	for (size_t i = 0; i < sizeof known / sizeof *known; i++)
		if (strcmp(known[i].command, command->name) == 0)
			return known[i].words;
	return "";
}

static bool takes_names(const struct command *command)
{
	return strstr(command->arguments, "NAME") != NULL;
}

static bool takes_file(const struct command *command)
{
	return strstr(command->arguments, "FILE") || strstr(command->arguments, "COMMAND.");
}

/* Does a sentence, or the first part of one, end here? */
static bool ends_at(const char *c)
{
	return !*c || (strchr(".:;", *c) && (!c[1] || strchr(" \n", c[1])));
}

/* The first sentence of its help, within single quotes of any of the shells. */
static void print_summary(const struct command *command)
{
	for (const char *c = command->help; !ends_at(c); c++)
		if (*c == '\'')
			printf("'\\''");
		else
			putchar(*c == '\n' ? ' ' : *c);
}

static void print_options(const struct command *command)
{
	for (size_t i = 0; i < options_count(); i++)
		if (options_takes(command, i))
			printf(" --%s", options_at(i)->name);
	printf(" --help");
}

static void print_commands(void)
{
	for (const struct command *command = commands; command->name; command++)
		printf("%s%s", command == commands ? "" : " ", command->name);
}

/* ---- bash ---- */

static void print_bash(void)
{
	printf("# bash completion for thrum, by `thrum completion bash`\n"
	       "_thrum() {\n"
	       "	local word=${COMP_WORDS[COMP_CWORD]} before=${COMP_WORDS[COMP_CWORD-1]} command= i options= words= names= files=\n"
	       "	for ((i = 1; i < COMP_CWORD; i++)); do\n"
	       "		case ${COMP_WORDS[i]} in\n"
	       "		-p | --project | -H | --host) ((i++)) ;;\n"
	       "		-*) ;;\n"
	       "		*) command=${COMP_WORDS[i]}; break ;;\n"
	       "		esac\n"
	       "	done\n"
	       "	case $before in\n"
	       "	-f | --file | -C | --directory) COMPREPLY=($(compgen -f -- \"$word\")); return ;;\n"
	       "	esac\n"
	       "	case $command in\n"
	       "	'') words='");
	print_commands();
	printf("' ;;\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("	%s%s%s)\n		options='", command->name, command->alias ? " | " : "",
			command->alias ? command->alias : "");
		print_options(command);
		printf("' words='%s' names='%s' files='%s' ;;\n", words_of(command), takes_names(command) ? "yes" : "",
			takes_file(command) ? "yes" : "");
	}
	printf("	esac\n"
	       "	[[ $word == -* ]] && words=$options\n"
	       "	[[ $names && $word != -* ]] && words+=\" $(${COMP_WORDS[0]} completion names 2>/dev/null)\"\n"
	       "	COMPREPLY=($(compgen -W \"$words\" -- \"$word\"))\n"
	       "	[[ $files && $word != -* ]] && COMPREPLY+=($(compgen -f -- \"$word\"))\n"
	       "}\n"
	       "complete -F _thrum thrum\n");
}

/* ---- zsh ---- */

static void print_zsh(void)
{
	printf("#compdef thrum\n# zsh completion for thrum, by `thrum completion zsh`\n"
	       "_thrum() {\n"
	       "	local command i=2\n"
	       "	local -a all options names\n"
	       "	while ((i < CURRENT)) && [[ $words[i] == -* ]]; do\n"
	       "		[[ $words[i] == (-p|--project|-H|--host) ]] && ((i++))\n"
	       "		((i++))\n"
	       "	done\n"
	       "	command=$words[i]\n"
	       "	if ((CURRENT == i)); then\n"
	       "		all=(\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("			'%s:", command->name);
		print_summary(command);
		printf("'\n");
	}
	printf("		)\n		_describe command all\n		return\n	fi\n"
	       "	case $words[CURRENT-1] in\n"
	       "	-f | --file | -C | --directory) _files; return ;;\n"
	       "	esac\n"
	       "	case $command in\n");
	for (const struct command *command = commands; command->name; command++) {
		printf("	%s%s%s)\n		options=(", command->name, command->alias ? "|" : "",
			command->alias ? command->alias : "");
		print_options(command);
		printf(")\n		names=(%s", words_of(command));
		printf("%s)\n", takes_names(command) ? " ${(f)\"$(thrum completion names 2>/dev/null)\"}" : "");
		printf("%s		;;\n", takes_file(command) ? "		_files\n" : "");
	}
	printf("	esac\n"
	       "	if [[ $words[CURRENT] == -* ]]; then compadd -- $options; else compadd -- $names; fi\n"
	       "}\n"
	       /* As a file of its own zsh calls it; where it is sourced it is to be made known. */
	       "if [[ $funcstack[1] == _thrum ]]; then _thrum \"$@\"; else compdef _thrum thrum; fi\n");
}

/* ---- fish ---- */

static void print_fish_command(const struct command *command)
{
	const char *words = words_of(command);

	printf("complete -c thrum -f -n __thrum_needs_command -a %s -d '", command->name);
	print_summary(command);
	printf("'\n");
	for (size_t i = 0; i < options_count(); i++)
		if (options_takes(command, i))
			printf("complete -c thrum -n '__fish_seen_subcommand_from %s' -l %s%s\n", command->name,
				options_at(i)->name, options_at(i)->argument ? " -r" : "");
	if (takes_names(command))
		printf("complete -c thrum -f -n '__fish_seen_subcommand_from %s' -a '(thrum completion names 2>/dev/null)'\n",
			command->name);
	if (*words)
		printf("complete -c thrum -f -n '__fish_seen_subcommand_from %s' -a '%s'\n", command->name, words);
	if (takes_file(command))
		printf("complete -c thrum -F -n '__fish_seen_subcommand_from %s'\n", command->name);
}

static void print_fish(void)
{
	printf("# fish completion for thrum, by `thrum completion fish`\n"
	       "function __thrum_needs_command\n	not __fish_seen_subcommand_from ");
	print_commands();
	printf("\nend\n"
	       "complete -c thrum -n __thrum_needs_command -s p -l project -x\n"
	       "complete -c thrum -n __thrum_needs_command -s H -l host -x\n");
	for (const struct command *command = commands; command->name; command++)
		print_fish_command(command);
}

/* ---- names ---- */

/* Of the engine that runs; false: none answers. */
static bool print_running(const struct invocation *invocation)
{
	char *project = cli_project(invocation);
	struct error err;
	struct link *link = service_name_is_valid(project) ? link_open(project, &err) : NULL;
	json_t *result = link ? link_call(link, "list", NULL, CALL_MS, &err) : NULL, *row;
	const char *last = "";
	size_t i;

	json_array_foreach(json_object_get(result, "instances"), i, row)
	{
		const char *service = json_string_value(json_object_get(row, "service"));
		if (service && strcmp(service, last) != 0)
			puts(service);
		last = service ? service : last;
	}
	bool is_answered = result;
	fflush(stdout);
	json_decref(result);
	link_close(link);
	free(project);
	return is_answered;
}

static void print_names(void)
{
	struct invocation invocation = { 0 };
	int status = EXIT_OK;

	if (print_running(&invocation))
		return;
	struct project_spec *spec = cli_load(&invocation, &status);
	for (size_t i = 0; spec && i < spec->service_count; i++)
		puts(spec->services[i].name);
	project_spec_destroy(spec);
}

int cli_completion(struct invocation *invocation)
{
	static const struct {
		const char *name;
		void (*print)(void);
	} kinds[] = {
		{ "bash", print_bash },
		{ "zsh", print_zsh },
		{ "fish", print_fish },
		{ "names", print_names },
	};

	for (size_t i = 0; i < sizeof kinds / sizeof *kinds; i++) {
		if (strcmp(kinds[i].name, invocation->names[0]) != 0)
			continue;
		kinds[i].print();
		return EXIT_OK;
	}
	return cli_fail(EXIT_USAGE, "completion: bash, zsh or fish, not '%s'", invocation->names[0]);
}
