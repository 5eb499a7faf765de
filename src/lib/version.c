#include <thrum.h>

const char *thrum_version(void)
{
	return PACKAGE_VERSION;
}
