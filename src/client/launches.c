#include "client/launches.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/text.h"
#include "client/paths.h"
#include "protocol/value.h"

enum { FILE_MOST = 1024 * 1024 };

static bool file_path(char out[PATH_MAX], struct error *err)
{
	char folder[PATH_MAX];

	if (!paths_state(folder, err))
		return false;
	if (snprintf(out, PATH_MAX, "%s/launches", folder) >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "the path of the state folder is too long");
	return true;
}

json_t *launches_read(size_t most)
{
	json_t *list = json_array(), *one;
	char path[PATH_MAX], *rest, *line;
	struct error err;
	struct text text;

	text_init(&text, FILE_MOST);
	if (file_path(path, &err) && text_read_file(&text, path, &err)) {
		rest = (char *)text_string(&text);
		while ((line = strsep(&rest, "\n"))) {
			one = json_loads(line, 0, NULL);
			if (json_is_object(one))
				list_keep(list, json_incref(one), most);
			json_decref(one);
		}
	}
	text_finish(&text);
	return list;
}

static bool write_list(const json_t *list, struct error *err)
{
	char path[PATH_MAX];
	const json_t *one;
	struct text text;
	size_t i;

	if (!file_path(path, err))
		return false;
	text_init(&text, FILE_MOST);
	json_array_foreach(list, i, one)
	{
		char *line = json_dumps(one, JSON_COMPACT | JSON_SORT_KEYS);
		text_format(&text, "%s\n", line ? line : "{}");
		free(line);
	}
	bool ok = text_replace_file(&text, path, err);
	text_finish(&text);
	return ok;
}

bool launches_add(const json_t *launch, size_t most, struct error *err)
{
	json_t *list = launches_read(most);

	for (size_t i = json_array_size(list); i > 0; i--)
		if (json_equal(json_array_get(list, i - 1), launch))
			json_array_remove(list, i - 1);
	list_keep(list, json_incref((json_t *)launch), most);
	bool ok = write_list(list, err);
	json_decref(list);
	return ok;
}
