#include "config/environment.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/memory.h"
#include "base/utf8.h"

enum { VALUE_MOST = 1024 * 1024,
	FILE_MOST = 1024 * 1024,
	NESTED_MOST = 16 };

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

/* A text being expanded: a default may have variables of its own. */
struct expansion {
	const struct strings *variables;
	struct position at;
	struct problems *problems;
	unsigned depth;
	bool is_loose;
};

static bool expand(struct expansion *expansion, struct text *out, const char *text);

static bool say_unset(
	struct expansion *expansion, const char *name, char op, const char *word)
{
	if (op == '?' && *word)
		return problem_error(expansion->problems, expansion->at, "${%s}: %s", name, word);
	return problem_error(expansion->problems, expansion->at,
		"${%s} is not set; ${%s:-default} gives it a default", name, name);
}

/* What stands between ${ and }: NAME, and an operator with a word as the shell has them. */
static bool expand_one(struct expansion *expansion, struct text *out, char *name)
{
	size_t end =
		strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
	bool empty_is_unset = name[end] == ':';
	char op = name[end + empty_is_unset];
	const char *word = op ? name + end + empty_is_unset + 1 : "";

	if (!end || (op ? !strchr("-?+", op) : empty_is_unset))
		return problem_error(expansion->problems, expansion->at,
			"${%s}: a variable is ${NAME}, ${NAME:-default}, ${NAME:+instead} or ${NAME:?message}",
			name);
	name[end] = '\0';
	const char *value = look_up(expansion->variables, name);
	bool is_set = value && (*value || !empty_is_unset);
	if (op == '+')
		return !is_set || expand(expansion, out, word);
	if (!is_set && op == '-')
		return expand(expansion, out, word);
	if (!is_set && op != '?' && expansion->is_loose)
		return true;
	if (!is_set)
		return say_unset(expansion, name, op, word);
	text_puts(out, value);
	return true;
}

/* Of the name that a text begins with; 0: with none. */
static size_t name_size(const char *text)
{
	return isdigit((unsigned char)*text) ? 0 : strspn(text, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_");
}

/* The } that belongs to a ${, or NULL. */
static const char *find_end(const char *inside)
{
	unsigned depth = 1;

	for (; *inside; inside++) {
		if (inside[0] == '$' && inside[1] == '{')
			depth++;
		else if (*inside == '}' && --depth == 0)
			return inside;
	}
	return NULL;
}

static bool expand(struct expansion *expansion, struct text *out, const char *text)
{
	bool ok = true;

	if (++expansion->depth > NESTED_MOST)
		return problem_error(expansion->problems, expansion->at,
			"variables are nested more than %d deep", NESTED_MOST);
	while (*text && ok) {
		const char *end = strncmp(text, "${", 2) == 0 ? find_end(text + 2) : NULL;
		if (end) {
			char *inside = memory_copy_n(text + 2, (size_t)(end - text - 2));
			ok = expand_one(expansion, out, inside);
			free(inside);
			text = end + 1;
		} else if (expansion->is_loose && *text == '$' && name_size(text + 1)) {
			char *name = memory_copy_n(text + 1, name_size(text + 1));
			text += 1 + strlen(name);
			ok = expand_one(expansion, out, name);
			free(name);
		} else {
			if (text[0] == '$' && text[1] == '$')
				text++;
			text_putc(out, *text++);
		}
	}
	expansion->depth--;
	return ok;
}

char *environment_expand(const char *text, const struct strings *variables, bool is_loose,
	struct position at, struct problems *problems)
{
	struct expansion expansion = { variables, at, problems, 0, is_loose };
	struct text out;

	text_init(&out, VALUE_MOST);
	bool ok = expand(&expansion, &out, text);
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

/* A pipe or a device would have its reader wait, for as long as its writer likes. */
static bool read_regular(struct text *text, const char *path, struct error *err)
{
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK | O_NOCTTY);
	struct stat info;

	if (fd < 0)
		return error_errno(err, "open %s", path);
	bool ok = fstat(fd, &info) == 0 || error_errno(err, "%s", path);
	if (ok && !S_ISREG(info.st_mode))
		ok = error_set(err, EINVAL, "%s is no regular file", path);
	ok = ok && (text_read_fd(text, fd, err) || error_wrap(err, "%s", path));
	close(fd);
	return ok;
}

bool environment_load(struct strings *variables, const char *path, bool is_optional,
	struct position at, struct problems *problems)
{
	struct error err = { 0 };
	struct text text;

	text_init(&text, FILE_MOST);
	bool ok = read_regular(&text, path, &err);
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
