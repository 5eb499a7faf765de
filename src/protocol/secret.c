#include "protocol/secret.h"

#include <stddef.h>
#include <string.h>

bool secret_is_name(const char *name)
{
	static const char *const words[] = { "KEY", "TOKEN", "SECRET", "PASS", "AUTH", "DSN", "CREDENTIAL" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasestr(name, words[i]))
			return true;
	return false;
}
