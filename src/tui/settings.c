#include "tui/settings.h"

#include <errno.h>
#include <fcntl.h>
#include <stddef.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/units.h"
#include "base/utf8.h"
#include "tui/keymap.h"
#include "tui/top_ui.h"

enum { FILE_MOST = 256 * 1024,
	LINE_MOST = 256,
	QUOTED_MOST = 64,
	WORDS_MOST = 3,
	SAMPLE_MS_LEAST = 250,
	SAMPLE_MS_MOST = 10000 };

static const char *const off_on[] = { "off", "on" };
static const char *const on_off[] = { "on", "off" };

const char *const sort_names[SORT_COUNT] = {
	[SORT_FILE] = "file",
	[SORT_CPU] = "cpu",
	[SORT_MEMORY] = "memory",
	[SORT_UPTIME] = "uptime",
	[SORT_QUEUE] = "queue",
	[SORT_LAG] = "lag",
	[SORT_RESTARTS] = "restarts",
	[SORT_NAME] = "name",
};

static const char *const graph_names[GRAPH_COUNT] = {
	[GRAPH_BLOCKS] = "blocks",
	[GRAPH_BRAILLE] = "braille",
	[GRAPH_ASCII] = "ascii",
};

static const char *const column_names[COLUMN_COUNT] = {
	[COLUMN_STATE] = "state",
	[COLUMN_NAMESPACE] = "ns",
	[COLUMN_PID] = "pid",
	[COLUMN_UPTIME] = "uptime",
	[COLUMN_RESTARTS] = "restarts",
	[COLUMN_CPU] = "cpu",
	[COLUMN_RSS] = "rss",
	[COLUMN_THREADS] = "threads",
	[COLUMN_FDS] = "fds",
	[COLUMN_QUEUE] = "queue",
	[COLUMN_LOOP] = "loop",
	[COLUMN_LAG] = "lag",
	[COLUMN_IN] = "in",
	[COLUMN_OUT] = "out",
	[COLUMN_TREND] = "trend",
};
static const char no_columns[] = "auto";

enum kind { KIND_WORD, /* the value is the number of the word */
	KIND_WORDS,    /* a bit for each, with commas between; or no_columns */
	KIND_ORDER,    /* columns of `thrum top`, with commas between; or no_columns: the value is how many */
	KIND_TIME };

/* The settings that have a value; 0 is what nobody chose. */
static const struct choice {
	const char *name;
	const char *const *words;
	unsigned count;
	size_t place; /* of the value */
	enum kind kind;
} choices[] = {
	{ "theme", theme_names, THEME_COUNT, offsetof(struct settings, style.theme), KIND_WORD },
	{ "color", colours_names, COLOURS_COUNT, offsetof(struct settings, style.colours), KIND_WORD },
	{ "mouse", off_on, 2, offsetof(struct settings, style.has_mouse), KIND_WORD },
	{ "sync", on_off, 2, offsetof(struct settings, style.is_torn), KIND_WORD },
	{ "sort", sort_names, SORT_COUNT, offsetof(struct settings, table.sort), KIND_WORD },
	{ "inverted", off_on, 2, offsetof(struct settings, table.is_inverted), KIND_WORD },
	{ "tree", on_off, 2, offsetof(struct settings, table.is_flat), KIND_WORD },
	{ "threads", off_on, 2, offsetof(struct settings, table.has_threads), KIND_WORD },
	{ "header", on_off, 2, offsetof(struct settings, table.is_headless), KIND_WORD },
	{ "graph", graph_names, GRAPH_COUNT, offsetof(struct settings, table.graph), KIND_WORD },
	{ "columns", column_names, COLUMN_COUNT, offsetof(struct settings, table.columns), KIND_WORDS },
	{ "top-sort", machine_sort_names, MACHINE_SORT_COUNT, offsetof(struct settings, top.sort), KIND_WORD },
	{ "top-tree", off_on, 2, offsetof(struct settings, top.is_tree), KIND_WORD },
	{ "top-threads", off_on, 2, offsetof(struct settings, top.has_threads), KIND_WORD },
	{ "top-kernel", on_off, 2, offsetof(struct settings, top.hides_kernel), KIND_WORD },
	{ "top-names", on_off, 2, offsetof(struct settings, top.hides_names), KIND_WORD },
	{ "top-paths", on_off, 2, offsetof(struct settings, top.hides_paths), KIND_WORD },
	{ "top-meters", on_off, 2, offsetof(struct settings, top.hides_meters), KIND_WORD },
	{ "top-columns", NULL, 0, offsetof(struct settings, top.column_count), KIND_ORDER },
	{ "delay", NULL, 0, offsetof(struct settings, table.sample_ms), KIND_TIME },
};
enum { CHOICE_COUNT = sizeof choices / sizeof *choices };
static const char key_word[] = "key";

static unsigned *value_of(const struct settings *settings, const struct choice *choice)
{
	return (unsigned *)((char *)settings + choice->place);
}

static const struct choice *find_choice(const char *name)
{
	for (size_t i = 0; i < CHOICE_COUNT; i++)
		if (strcmp(choices[i].name, name) == 0)
			return &choices[i];
	return NULL;
}

bool settings_has(const char *name)
{
	return find_choice(name) || strcmp(name, key_word) == 0;
}

const char *settings_name(size_t index)
{
	return index < CHOICE_COUNT ? choices[index].name : index == CHOICE_COUNT ? key_word
										  : NULL;
}

bool settings_words(const char *name, struct text *out)
{
	const struct choice *choice = find_choice(name);

	if (!choice)
		return text_puts(out, "KEY ACTION") && false;
	if (choice->kind == KIND_TIME)
		return text_puts(out, "a time from 250ms to 10s") && false;
	for (unsigned i = 0; i < choice->count; i++)
		text_format(out, "%s%s", i ? ", " : "", choice->words[i]);
	for (const struct top_column *column = top_columns; choice->kind == KIND_ORDER && column->name; column++)
		text_format(out, "%s%s", column == top_columns ? "" : ", ", column->name);
	return choice->kind == KIND_WORD || text_format(out, ", %s", no_columns);
}

/* ---- one line ---- */

/* The words of a line, and where they stand. */
struct words {
	char line[LINE_MOST];
	const char *words[WORDS_MOST];
	unsigned columns[WORDS_MOST + 1]; /* and of what is too much */
	unsigned count;
	bool has_more;
};

static unsigned column_at(const char *line, const char *at)
{
	unsigned column = 1;

	for (; line < at; line++)
		column += ((unsigned char)*line & 0xc0) != 0x80;
	return column;
}

static bool is_blank(char c)
{
	return c == ' ' || c == '\t' || c == '\r';
}

static void split(struct words *words, const char *line)
{
	char *at = words->line;

	*words = (struct words){ 0 };
	snprintf(words->line, sizeof words->line, "%s", line);
	for (;;) {
		while (is_blank(*at))
			at++;
		words->columns[words->count] = column_at(words->line, at);
		words->has_more = *at && *at != '#';
		if (!words->has_more || words->count == WORDS_MOST)
			return;
		words->words[words->count++] = at;
		while (*at && !is_blank(*at))
			at++;
		if (*at)
			*at++ = '\0';
	}
}

static bool say_choices(const struct choice *choice, const char *wrong, struct error *err)
{
	struct text all;
	char quoted[QUOTED_MOST];

	text_init(&all, FILE_MOST);
	settings_words(choice->name, &all);
	utf8_excerpt(quoted, sizeof quoted, wrong, strlen(wrong));
	error_set(err, 0, "%s takes %s, not '%s'", choice->name, text_string(&all), quoted);
	text_finish(&all);
	return false;
}

static unsigned find_word(const struct choice *choice, const char *word, size_t size)
{
	unsigned i = 0;

	while (i < choice->count && (strlen(choice->words[i]) != size || memcmp(choice->words[i], word, size) != 0))
		i++;
	return i;
}

static bool take_value(const struct choice *choice, const char *word, unsigned *value)
{
	*value = 0;
	if (choice->kind == KIND_WORD)
		return (*value = find_word(choice, word, strlen(word))) < choice->count;
	for (bool has_more = strcmp(word, no_columns) != 0; has_more;) {
		size_t size = strcspn(word, ",");
		unsigned number = find_word(choice, word, size);
		if (number == choice->count)
			return false;
		*value |= 1u << number;
		has_more = word[size];
		word += size + 1;
	}
	return true;
}

unsigned settings_sample_ms(unsigned chosen)
{
	return chosen ? chosen : SETTINGS_SAMPLE_MS;
}

static bool take_time(const char *word, unsigned *value)
{
	uint64_t ms;

	if (!units_parse_duration(word, &ms) || ms < SAMPLE_MS_LEAST || ms > SAMPLE_MS_MOST)
		return false;
	*value = ms == SETTINGS_SAMPLE_MS ? 0 : (unsigned)ms;
	return true;
}

static bool take_order(struct settings *settings, const char *word)
{
	bool is_none = strcmp(word, no_columns) == 0;

	if (is_none)
		settings->top.column_count = 0;
	return is_none || top_columns_take(&settings->top, word);
}

static bool take_choice(struct settings *settings, const struct choice *choice, const char *word, struct error *err)
{
	unsigned value;

	if (choice->kind == KIND_ORDER)
		return take_order(settings, word) || say_choices(choice, word, err);
	if (choice->kind == KIND_TIME ? !take_time(word, &value) : !take_value(choice, word, &value))
		return say_choices(choice, word, err);
	*value_of(settings, choice) = value;
	return true;
}

static bool is_action(const char *name)
{
	return strcmp(name, BINDING_NONE) == 0 || keymap_action(name) != ACTION_NONE || top_find_action(name);
}

static bool take_key(struct settings *settings, const struct words *words, unsigned *column, struct error *err)
{
	uint32_t key = bindings_key(words->words[1]);
	const char *action = words->words[2];
	char quoted[QUOTED_MOST];

	*column = words->columns[1];
	utf8_excerpt(quoted, sizeof quoted, words->words[1], strlen(words->words[1]));
	if (!key)
		return error_set(err, 0, "no key is called '%s'; there are x, ^X, F1, Enter, Space, Up, PgDn …", quoted);
	*column = words->columns[2];
	utf8_excerpt(quoted, sizeof quoted, action, strlen(action));
	if (!is_action(action))
		return error_set(err, 0, "no action is called '%s'; `:keys` and thrum(1) list them", quoted);
	if (!bindings_choose(&settings->bindings, key, action))
		return error_set(err, 0, "%d keys are chosen; that is the most", BINDINGS_MOST);
	return true;
}

static bool take_words(struct settings *settings, const struct words *words, unsigned *column, struct error *err)
{
	const struct choice *choice = find_choice(words->words[0]);
	bool is_key = strcmp(words->words[0], key_word) == 0;
	unsigned wanted = is_key ? 3 : 2;
	char quoted[QUOTED_MOST];

	*column = words->columns[0];
	utf8_excerpt(quoted, sizeof quoted, words->words[0], strlen(words->words[0]));
	if (!choice && !is_key)
		return error_set(err, 0, "there is no setting '%s'; thrum(1) lists them", quoted);
	*column = words->columns[wanted < words->count ? wanted : words->count];
	if (words->count < wanted && choice)
		return say_choices(choice, "", err);
	if (words->count < wanted)
		return error_set(err, 0, "key takes the name of a key and of an action, such as `key F2 events`");
	if (words->count > wanted || words->has_more)
		return error_set(err, 0, "nothing more is expected here");
	*column = words->columns[1];
	return is_key ? take_key(settings, words, column, err) : take_choice(settings, choice, words->words[1], err);
}

bool settings_take(struct settings *settings, const char *line, unsigned *column, struct error *err)
{
	struct words words;
	unsigned unused;

	if (strlen(line) >= LINE_MOST) {
		*(column ? column : &unused) = LINE_MOST;
		return error_set(err, 0, "the line is too long");
	}
	split(&words, line);
	return !words.count || take_words(settings, &words, column ? column : &unused, err);
}

/* ---- the file ---- */

bool settings_path(char out[PATH_MAX], struct error *err)
{
	const char *named = getenv("THRUM_SETTINGS"), *config = getenv("XDG_CONFIG_HOME"), *home = getenv("HOME");
	int size;

	if (named && named[0])
		size = snprintf(out, PATH_MAX, "%s", named);
	else if (config && config[0] == '/')
		size = snprintf(out, PATH_MAX, "%s/thrum/settings", config);
	else if (home && home[0] == '/')
		size = snprintf(out, PATH_MAX, "%s/.config/thrum/settings", home);
	else
		return error_set(err, 0, "settings are in $XDG_CONFIG_HOME or $HOME, and neither is set");
	return size < PATH_MAX || error_set(err, 0, "the path of the settings is too long");
}

/* The next line of a text; NULL at its end. */
static char *next_line(char **rest)
{
	return *rest && **rest ? strsep(rest, "\n") : NULL;
}

static bool read_file(struct text *text, const char *path, struct error *err)
{
	text_init(text, FILE_MOST);
	if (access(path, F_OK) < 0 && errno == ENOENT)
		return true;
	return text_read_file(text, path, err) || error_wrap(err, "settings %s", path);
}

static bool take_file(struct settings *settings, char *rest, const char *path, struct error *err)
{
	bool ok = true;
	unsigned number = 1;

	for (char *line; (line = next_line(&rest)); number++) {
		struct error wrong;
		unsigned column = 1;
		if (settings_take(settings, line, &column, &wrong) || !ok)
			continue;
		ok = error_set(err, 0, "%s:%u:%u: %s", path, number, column, wrong.text);
	}
	return ok;
}

bool settings_load(struct settings *settings, struct error *err)
{
	char path[PATH_MAX];
	struct text text;

	if (!settings_path(path, err))
		return true; /* who has no home has no settings */
	bool ok = read_file(&text, path, err);
	char *copy = text_take(&text);
	ok = ok && take_file(settings, copy, path, err);
	free(copy);
	return ok;
}

/* What has been written of them; the rest follows. */
struct writing {
	const struct settings *settings;
	struct text text;
	bool has_choice[CHOICE_COUNT], has_binding[BINDINGS_MOST];
};

static void put_value(const struct choice *choice, unsigned value, struct text *out)
{
	const char *before = "";

	if (choice->kind == KIND_WORD)
		text_puts(out, choice->words[value]);
	else if (choice->kind == KIND_TIME)
		text_format(out, "%ums", settings_sample_ms(value));
	else if (!value)
		text_puts(out, no_columns);
	for (unsigned i = 0; choice->kind == KIND_WORDS && i < choice->count; i++) {
		if (!(value & 1u << i))
			continue;
		text_format(out, "%s%s", before, choice->words[i]);
		before = ",";
	}
}

static void put_order(const struct top_choices *top, struct text *out)
{
	for (unsigned i = 0; i < top->column_count; i++)
		text_format(out, "%s%s", i ? "," : "", top_columns[top->columns[i]].name);
	if (!top->column_count)
		text_puts(out, no_columns);
}

static void write_choice(struct writing *writing, size_t index)
{
	const struct choice *choice = &choices[index];

	if (!writing->has_choice[index]) {
		text_format(&writing->text, "%s ", choice->name);
		if (choice->kind == KIND_ORDER)
			put_order(&writing->settings->top, &writing->text);
		else
			put_value(choice, *value_of(writing->settings, choice), &writing->text);
		text_putc(&writing->text, '\n');
	}
	writing->has_choice[index] = true;
}

static void write_binding(struct writing *writing, unsigned index)
{
	const struct binding *binding = &writing->settings->bindings.all[index];
	char name[KEY_NAME_SIZE];

	bindings_key_name(binding->key, name);
	if (!writing->has_binding[index])
		text_format(&writing->text, "%s %s %s\n", key_word, name, binding->action);
	writing->has_binding[index] = true;
}

/* A line of the old file: as it is, or with the value that its setting has now. */
static void write_line(struct writing *writing, const char *line)
{
	struct settings alone = { 0 };
	struct words words;
	struct error err;

	split(&words, line);
	if (!words.count || !settings_take(&alone, line, NULL, &err)) {
		text_format(&writing->text, "%s\n", line);
		return;
	}
	for (size_t i = 0; i < CHOICE_COUNT; i++)
		if (find_choice(words.words[0]) == &choices[i])
			write_choice(writing, i);
	for (unsigned i = 0; i < writing->settings->bindings.count && alone.bindings.count; i++)
		if (writing->settings->bindings.all[i].key == alone.bindings.all[0].key)
			write_binding(writing, i);
}

static void write_rest(struct writing *writing)
{
	for (size_t i = 0; i < CHOICE_COUNT; i++)
		if (*value_of(writing->settings, &choices[i]))
			write_choice(writing, i);
	for (unsigned i = 0; i < writing->settings->bindings.count; i++)
		write_binding(writing, i);
}

static void make_folder(const char *path)
{
	char folder[PATH_MAX];

	snprintf(folder, sizeof folder, "%s", path);
	for (char *slash = strchr(folder + 1, '/'); slash; slash = strchr(slash + 1, '/')) {
		*slash = '\0';
		mkdir(folder, 0700);
		*slash = '/';
	}
}

bool settings_save(const struct settings *settings, struct error *err)
{
	struct writing writing = { .settings = settings };
	char path[PATH_MAX];
	struct text old;

	if (!settings_path(path, err) || !read_file(&old, path, err))
		return false;
	char *copy = text_take(&old), *rest = copy;
	text_init(&writing.text, FILE_MOST);
	for (char *line; (line = next_line(&rest));)
		write_line(&writing, line);
	write_rest(&writing);
	make_folder(path);
	bool ok = text_replace_file(&writing.text, path, err) || error_wrap(err, "settings");
	text_finish(&writing.text);
	free(copy);
	return ok;
}
