#include "base/program.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

bool program_is(const char *path)
{
	struct stat st;

	return stat(path, &st) == 0 && S_ISREG(st.st_mode) && access(path, X_OK) == 0;
}

bool program_next(char out[PATH_MAX], const char *name, const char **places)
{
	while (**places) {
		const char *place = *places;
		size_t length = strcspn(place, ":");
		*places += length + (place[length] == ':');
		int size = length ? snprintf(out, PATH_MAX, "%.*s/%s", (int)length, place, name) : 0;
		if (size > 0 && size < PATH_MAX && program_is(out))
			return true;
	}
	return false;
}

bool program_find(char out[PATH_MAX], const char *name)
{
	const char *places = getenv("PATH");

	if (!places)
		places = PROGRAM_PLACES;
	return program_next(out, name, &places);
}
