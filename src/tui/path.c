#include "tui/path.h"

#include <dirent.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "base/program.h"

enum { LOOKED_MOST = 10000 /* names in a folder */ };

struct search {
	const char *prefix;
	bool folders_only, is_folder;
	size_t common; /* of found, that all begin with */
	unsigned count;
	char found[NAME_MAX + 1];
	char *note;
	size_t note_size, note_used;
};

static bool is_folder_in(DIR *folder, const char *name)
{
	struct stat status;

	return fstatat(dirfd(folder), name, &status, 0) == 0 && S_ISDIR(status.st_mode);
}

static void take(struct search *search, DIR *folder, const char *name)
{
	bool is_folder = is_folder_in(folder, name);

	if (search->folders_only && !is_folder)
		return;
	if (!search->count++) {
		snprintf(search->found, sizeof search->found, "%s", name);
		search->common = strlen(search->found);
	}
	search->is_folder = is_folder;
	size_t same = 0;
	while (same < search->common && name[same] == search->found[same])
		same++;
	search->common = same;
	if (search->note_used < search->note_size)
		search->note_used += (size_t)snprintf(search->note + search->note_used, search->note_size - search->note_used, "%s%s", name,
			is_folder ? "/  " : "  ");
}

static void look(struct search *search, DIR *folder)
{
	const struct dirent *entry;

	for (int i = 0; i < LOOKED_MOST && (entry = readdir(folder)); i++) {
		bool is_hidden = entry->d_name[0] == '.' && search->prefix[0] != '.';
		bool is_dots = strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0;
		if (!is_hidden && !is_dots && strncmp(entry->d_name, search->prefix, strlen(search->prefix)) == 0)
			take(search, folder, entry->d_name);
	}
}

/* The folder that a word leads to, from another one on. */
static bool join(char out[PATH_MAX], const char *folder, const char *word, size_t length)
{
	const char *home = getenv("HOME");
	int size;

	if (length && word[0] == '/')
		size = snprintf(out, PATH_MAX, "%.*s", (int)length, word);
	else if (length > 1 && word[0] == '~' && word[1] == '/' && home)
		size = snprintf(out, PATH_MAX, "%s%.*s", home, (int)length - 1, word + 1);
	else
		size = snprintf(out, PATH_MAX, "%s/%.*s", folder, (int)length, word);
	return size > 0 && size < PATH_MAX;
}

static bool add(char *text, size_t size, const char *more, size_t length, char last)
{
	size_t used = strlen(text);

	if (!length && !last)
		return false;
	if (used + length + 1 >= size)
		return false;
	memcpy(text + used, more, length);
	text[used + length] = last;
	text[used + length + (last != '\0')] = '\0';
	return true;
}

bool path_complete(char *text, size_t size, const char *folder, bool folders_only, char *note, size_t note_size)
{
	const char *space = folders_only ? NULL : strrchr(text, ' '), *word = space ? space + 1 : text, *slash = strrchr(word, '/');
	struct search search = { .prefix = slash ? slash + 1 : word, .folders_only = folders_only, .note = note, .note_size = note_size };
	bool is_program = word == text && !slash && !folders_only; /* of PATH: there would be thousands */
	char path[PATH_MAX];

	note[0] = '\0';
	if (!*word || is_program || !join(path, folder, word, slash ? (size_t)(slash - word) + 1 : 0))
		return false;
	DIR *open = opendir(path);
	if (!open)
		return false;
	look(&search, open);
	closedir(open);
	if (search.count < 2)
		note[0] = '\0';
	size_t known = strlen(search.prefix);
	char last = search.count == 1 && search.is_folder ? '/' : '\0';
	return search.count && add(text, size, search.found + known, search.common - known, last);
}

bool path_finds(const char *program, const char *folder)
{
	char path[PATH_MAX];

	if (!strchr(program, '/'))
		return program_find(path, program);
	return join(path, folder, program, strlen(program)) && program_is(path);
}
