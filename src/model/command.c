#include "model/command.h"

#include <string.h>

#include "base/text.h"

enum { WORD_MOST = 1024 * 1024 };

/* First words that are no program. */
static const char *const builtins[] = {
	".", ":", "!", "{", "alias", "bg", "break", "case", "cd", "command", "continue", "eval",
	"exec", "exit", "export", "fg", "for", "getopts", "hash", "if", "jobs", "local", "read",
	"readonly", "return", "set", "shift", "source", "times", "trap", "type", "ulimit", "umask",
	"unalias", "unset", "until", "wait", "while", NULL
};

struct splitting {
	const char *at;
	struct text word;
	bool has_word; /* '' is one too */
	bool needs_shell, is_unended;
};

static bool is_builtin(const char *word)
{
	for (const char *const *builtin = builtins; *builtin; builtin++)
		if (strcmp(*builtin, word) == 0)
			return true;
	return false;
}

static void take_quoted(struct splitting *split, char quote)
{
	split->has_word = true;
	for (split->at++; *split->at && *split->at != quote; split->at++) {
		if (quote == '"' && (*split->at == '$' || *split->at == '`'))
			split->needs_shell = true;
		if (quote == '"' && *split->at == '\\' && split->at[1] &&
			strchr("\"\\$`", split->at[1]))
			split->at++;
		text_putc(&split->word, *split->at);
	}
	if (*split->at)
		split->at++;
	else
		split->is_unended = true;
}

static void take_character(struct splitting *split)
{
	char c = *split->at++;

	if (c == '\\' && *split->at)
		c = *split->at++;
	else if (strchr("|&;<>()$`*?[\n", c) || (strchr("~#", c) && !split->has_word))
		split->needs_shell = true;
	text_putc(&split->word, c);
	split->has_word = true;
}

static void end_word(struct splitting *split, struct strings *words)
{
	if (!split->has_word)
		return;
	const char *word = text_string(&split->word);
	if (words->count == 0 && (strchr(word, '=') || is_builtin(word)))
		split->needs_shell = true;
	strings_add(words, word);
	text_clear(&split->word);
	split->has_word = false;
}

enum command_kind command_split(const char *command, struct strings *words)
{
	struct splitting split = { .at = command };

	text_init(&split.word, WORD_MOST);
	while (*split.at && !split.needs_shell) {
		if (*split.at == ' ' || *split.at == '\t') {
			end_word(&split, words);
			split.at++;
		} else if (*split.at == '\'' || *split.at == '"') {
			take_quoted(&split, *split.at);
		} else {
			take_character(&split);
		}
	}
	end_word(&split, words);
	text_finish(&split.word);
	if (split.needs_shell)
		return COMMAND_SHELL;
	if (split.is_unended)
		return COMMAND_UNENDED;
	return words->count ? COMMAND_WORDS : COMMAND_EMPTY;
}

void command_quote(struct text *out, const char *word)
{
	static const char fine[] = "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-./:=@%+,";

	if (*word && !word[strspn(word, fine)]) {
		text_puts(out, word);
		return;
	}
	text_putc(out, '\'');
	for (; *word; word++)
		if (*word == '\'')
			text_puts(out, "'\\''");
		else
			text_putc(out, *word);
	text_putc(out, '\'');
}
