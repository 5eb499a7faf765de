#include "cli/export.h"

#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "base/memory.h"
#include "config/emit.h"
#include "config/gateway.h"

enum { FILE_MOST = 16 * 1024 * 1024,
	STOP_REST_S = 10 }; /* beyond what services may take, for the engine itself */

void export_lost(const struct service_spec *spec, const char *fmt, ...)
{
	char what[512];
	va_list args;

	va_start(args, fmt);
	vsnprintf(what, sizeof what, fmt, args);
	va_end(args);
	fprintf(stderr, "thrum: %s: %s\n", spec->name, what);
}

bool export_takes(const struct service_spec *spec)
{
	if (gateway_is(spec->name))
		export_lost(spec, "left out: it is a gateway to the engine, which is not there");
	return !gateway_is(spec->name);
}

void export_yaml(struct text *out, json_t *json)
{
	struct document document = { 0 };
	struct problems problems;
	char *text = json_dumps(json, 0);

	problems_init(&problems);
	if (text && document_scan_json(&document, "export", text, strlen(text), &problems))
		config_emit(out, document.root);
	document_finish(&document);
	problems_finish(&problems);
	free(text);
	json_decref(json);
}

uint64_t export_memory(const struct service_spec *spec)
{
	uint64_t least = 0;

	for (unsigned i = 0; i < spec->limit_count; i++) {
		const struct limit_spec *limit = &spec->limits[i];
		bool is_memory = limit->metric == LIMIT_RSS || limit->metric == LIMIT_PSS;
		if (is_memory && limit->action != LIMIT_WARN && (!least || limit->over < least))
			least = limit->over;
	}
	return least;
}

int export_seconds(uint64_t ms)
{
	return ms > 1000 ? (int)((ms + 999) / 1000) : 1;
}

/* ---- systemd ---- */

/* One that has others waiting for it is stopped after them: at worst all of them, one by one. */
static int stop_seconds(const struct project_spec *project)
{
	uint64_t all_ms = 0;

	for (size_t i = 0; i < project->service_count; i++)
		all_ms += project->services[i].shutdown.timeout_ms;
	return export_seconds(all_ms) + STOP_REST_S;
}

/* A word of ExecStart: % and $ are systemd's own, and quotes hold blanks together. */
static void put_word(struct text *out, const char *word)
{
	bool is_quoted = !*word || strpbrk(word, " \t'\";");

	text_puts(out, is_quoted ? " \"" : " ");
	for (; *word; word++) {
		if (strchr("%$", *word))
			text_putc(out, *word);
		if (strchr("\"\\", *word))
			text_putc(out, '\\');
		text_putc(out, *word);
	}
	text_puts(out, is_quoted ? "\"" : "");
}

static void put_command(struct text *out, const char *key, const char *words, const struct project_spec *project)
{
	char program[PATH_MAX] = "/usr/bin/thrum";
	ssize_t size = readlink("/proc/self/exe", program, sizeof program - 1);

	if (size > 0)
		program[size] = '\0';
	text_format(out, "%s=", key);
	struct text word;
	text_init(&word, PATH_MAX);
	put_word(&word, program);
	text_puts(out, text_string(&word) + 1);
	text_finish(&word);
	text_format(out, " -p %s %s", project->name, words);
	for (size_t i = 0; i < project->files.count; i++) {
		text_puts(out, " -f");
		put_word(out, project->files.items[i]);
	}
	text_putc(out, '\n');
}

void export_systemd(struct text *out, const struct project_spec *project, const struct invocation *invocation)
{
	bool is_user = invocation->user;

	text_format(out, "# %s/%s.service, by `thrum export systemd%s`\n[Unit]\nDescription=%s, supervised by thrum\n",
		is_user ? "~/.config/systemd/user" : "/etc/systemd/system", project->name, is_user ? " --user" : "",
		project->name);
	text_puts(out, is_user ? "\n" : "Wants=network-online.target\nAfter=network-online.target\n\n");
	text_puts(out, "[Service]\nType=notify\nNotifyAccess=main\n");
	text_format(out, "WorkingDirectory=%s\n", project->dir);
	put_command(out, "ExecStart", "up --headless --exit-when never", project);
	put_command(out, "ExecReload", "apply --yes", project);
	text_format(out,
		"# Only the client is told to stop: it stops the services, each as its configuration says.\n"
		"KillMode=mixed\nTimeoutStartSec=infinity\nTimeoutStopSec=%d\n"
		"Restart=on-failure\nWatchdogSec=60\n# A service that runs out of memory is not the end of the others.\n"
		"OOMPolicy=continue\n",
		stop_seconds(project));
	if (is_user)
		text_puts(out, "\n[Install]\nWantedBy=default.target\n");
	else
		text_format(out,
			"RuntimeDirectory=thrum-%s\nRuntimeDirectoryMode=0700\nRuntimeDirectoryPreserve=yes\n"
			"StateDirectory=thrum-%s\nStateDirectoryMode=0700\n"
			"Environment=THRUM_RUNTIME_DIR=/run/thrum-%s THRUM_STATE_DIR=/var/lib/thrum-%s\n"
			"\n[Install]\nWantedBy=multi-user.target\n",
			project->name, project->name, project->name, project->name);
}

/* Beside the unit: clients find the control socket before the engine runs, and the first one starts it. */
static void export_systemd_socket(struct text *out, const struct project_spec *project, const struct invocation *invocation)
{
	const char *name = project->name;

	text_format(out, "# %s/%s.socket, by `thrum export systemd-socket%s`\n[Unit]\nDescription=Control socket of %s\n\n[Socket]\n",
		invocation->user ? "~/.config/systemd/user" : "/etc/systemd/system", name, invocation->user ? " --user" : "", name);
	if (invocation->user)
		text_format(out, "ListenStream=%%t/thrum/%s/control\n", name);
	else
		text_format(out, "ListenStream=/run/thrum-%s/%s/control\n", name, name);
	text_puts(out, "SocketMode=0600\nDirectoryMode=0700\n\n[Install]\nWantedBy=sockets.target\n");
}

/* ---- the command ---- */

static const struct {
	const char *name;
	void (*run)(struct text *out, const struct project_spec *project, const struct invocation *invocation);
} exporters[] = {
	{ "systemd", export_systemd },
	{ "systemd-socket", export_systemd_socket },
	{ "kubernetes", export_kubernetes },
	{ "compose", export_compose },
};

int cli_export(struct invocation *invocation)
{
	const char *name = invocation->names[0];
	int status = EXIT_OK;
	struct text out;
	size_t i = 0, count = sizeof exporters / sizeof *exporters;

	while (i < count && strcmp(exporters[i].name, name) != 0)
		i++;
	if (i == count)
		return cli_fail(EXIT_USAGE, "export: systemd, kubernetes or compose, not '%s'", name);
	struct project_spec *project = cli_load(invocation, &status);
	if (!project)
		return status;
	text_init(&out, FILE_MOST);
	exporters[i].run(&out, project, invocation);
	fputs(text_string(&out), stdout);
	text_finish(&out);
	project_spec_destroy(project);
	return EXIT_OK;
}
