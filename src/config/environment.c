#include "config/environment.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { VALUE_MOST = 1024 * 1024,
	FILE_MOST = 1024 * 1024 };

bool variable_name_is_valid(const char *name)
{
	if (!isalpha((unsigned char)*name) && *name != '_')
		return false;
	while (isalnum((unsigned char)*name) || *name == '_')
		name++;
	return !*name;
}

static const char *look_up(const struct strings *variables, const char *name)
{
	const char *value = strings_get_variable(variables, name);

	return value ? value : getenv(name);
}

/* What stands between ${ and }. False: unset, without a default. */
static bool expand_one(struct text *out, const char *inside, size_t length,
	const struct strings *variables, struct position at, struct problems *problems)
{
	char *name = memory_copy_n(inside, length);
	size_t end =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	bool empty_counts = name[end] == '-';
	const char *standby = empty_counts                        ? name + end + 1
			      : strncmp(name + end, ":-", 2) == 0 ? name + end + 2
								  : NULL;
	bool ok = end > 0 && (standby || !name[end]);

	if (!ok) {
		problem_error(
			problems, at, "${%s}: a variable is ${NAME} or ${NAME:-default}", name);
	} else {
		name[end] = '\0';
		const char *value = look_up(variables, name);
		if (value && !*value && !empty_counts && standby)
			value = NULL;
		ok = value || standby ||
		     problem_error(problems, at,
			     "${%s} is not set; ${%s:-default} gives it a default", name, name);
		if (ok)
			text_puts(out, value ? value : standby);
	}
	free(name);
	return ok;
}

char *environment_expand(const char *text, const struct strings *variables,
	struct position at, struct problems *problems)
{
	struct text out;
	bool ok = true;

	text_init(&out, VALUE_MOST);
	while (*text && ok) {
		const char *end = strncmp(text, "${", 2) == 0 ? strchr(text, '}') : NULL;
		if (end) {
			ok = expand_one(
				&out, text + 2, (size_t)(end - text - 2), variables, at, problems);
			text = end + 1;
		} else {
			if (text[0] == '$' && text[1] == '$')
				text++;
			text_putc(&out, *text++);
		}
	}
	if (ok && out.full)
		ok = problem_error(problems, at, "this grows larger than %d bytes", VALUE_MOST);
	if (ok)
		return text_take(&out);
	text_finish(&out);
	return NULL;
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t'
			 : c == 'r'       ? '\r'
					  : c;
}

/* A value in quotes may go over several lines; returns what follows, or NULL without an end. */
static const char *take_quoted(struct text *value, const char *at)
{
	char quote = *at++;

	for (; *at && *at != quote; at++) {
		if (quote == '"' && *at == '\\' && at[1])
			text_putc(value, unescape(*++at));
		else
			text_putc(value, *at);
	}
	return *at ? at + 1 : NULL;
}

static const char *take_bare(struct text *value, const char *at)
{
	size_t length = strcspn(at, "\n");

	for (size_t i = 0; i < length; i++) {
		if (at[i] == '#' && (i == 0 || isblank((unsigned char)at[i - 1]))) {
			text_append(value, at, i);
			break;
		}
		if (i + 1 == length)
			text_append(value, at, length);
	}
	while (value->size && isspace((unsigned char)value->data[value->size - 1]))
		value->data[--value->size] = '\0';
	return at + length;
}

struct dotenv {
	struct strings *variables;
	struct problems *problems;
	struct position at;
};

/* One assignment; returns where the next line begins, or NULL. */
static const char *take_line(struct dotenv *file, const char *line)
{
	struct text value;

	if (strncmp(line, "export ", 7) == 0)
		line += 7;
	size_t length = strcspn(line, "=\n");
	char *name = memory_copy_n(line, length);
	bool ok = line[length] == '=' && variable_name_is_valid(name);
	const char *rest = line + length + 1;
	text_init(&value, VALUE_MOST);
	if (ok)
		rest = *rest == '"' || *rest == '\'' ? take_quoted(&value, rest)
						     : take_bare(&value, rest);
	if (!ok)
		problem_error(file->problems, file->at, "a line is NAME=value, or a # comment");
	else if (!rest)
		problem_error(file->problems, file->at, "the quote has no end");
	else
		strings_set_variable(file->variables, name, text_string(&value));
	text_finish(&value);
	free(name);
	return ok ? rest : NULL;
}

static unsigned count_lines(const char *from, const char *to)
{
	unsigned lines = 0;

	for (; from < to; from++)
		lines += *from == '\n';
	return lines;
}

static bool take_text(struct dotenv *file, const char *text)
{
	for (const char *line = text; line && *line;) {
		line += strspn(line, " \t\r\n");
		file->at.line = 1 + count_lines(text, line);
		file->at.column = 1;
		if (!*line)
			break;
		line = *line == '#' ? line + strcspn(line, "\n") : take_line(file, line);
		if (!line)
			return false;
		line += strcspn(line, "\n");
	}
	return true;
}

bool environment_load(struct strings *variables, const char *path, bool is_optional,
	struct position at, struct problems *problems)
{
	struct error err = { 0 };
	struct text text;

	text_init(&text, FILE_MOST);
	bool ok = text_read_file(&text, path, &err);
	if (!ok && is_optional && err.code == ENOENT) {
		text_finish(&text);
		return true;
	}
	if (!ok)
		problem_error(problems, at, "env_file: %s", err.text);
	else if (strlen(text_string(&text)) != text.size ||
		 !utf8_is_valid(text_string(&text), text.size))
		ok = problem_error(problems, at, "env_file: %s is not UTF-8 text", path);
	if (ok) {
		struct dotenv file = { variables, problems, { path, text_string(&text), 1, 1 } };
		ok = take_text(&file, text_string(&text));
	}
	text_finish(&text);
	return ok;
}
