#include "cli/instance.h"

#include <string.h>

#include "cli/cli.h"

bool instance_is_pattern(const char *name)
{
	return strcmp(name, "all") == 0 || strncmp(name, "ns:", 3) == 0 || strpbrk(name, "*?[");
}

json_t *instance_find(struct link *link, const char *name, int *status)
{
	if (instance_is_pattern(name)) {
		*status = cli_fail(EXIT_USAGE, "'%s' may be several: name one, such as web/0", name);
		return NULL;
	}
	json_t *info = cli_call(link, "info", json_pack("{s:s}", "name", name), status);
	json_int_t count = json_integer_value(
		json_object_get(json_object_get(info, "service"), "instances"));
	if (info && count > 1 && !strchr(name, '/')) {
		*status = cli_fail(EXIT_USAGE, "%s has %lld instances: name one, such as %s/0", name,
			(long long)count, name);
		json_decref(info);
		info = NULL;
	}
	return info;
}

json_t *instance_params(const json_t *info)
{
	json_t *row = json_object_get(info, "row");

	return json_pack("{s:O,s:O}", "service", json_object_get(row, "service"), "instance",
		json_object_get(row, "instance"));
}
