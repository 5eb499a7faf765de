#include "tui/dashboard.h"
#include <stdio.h>
int dashboard_run(const struct dashboard_options *options)
{
	(void)options;
	return 2;
}
