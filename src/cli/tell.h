/* What tabs of `thrum top` tell as text: open files, locks, environment, command line. It may take a while. */
#ifndef CLI_TELL_H
#define CLI_TELL_H

#include "tui/top.h"

/* Is it one of those? */
bool tell_has(enum top_tab tab);
/* Lines that are safe to show. False: err says why there are none. */
bool tell(enum top_tab tab, int32_t pid, struct text *out, struct error *err);

#endif
