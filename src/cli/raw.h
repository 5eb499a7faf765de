/* Our own terminal while it belongs to a process elsewhere: every key comes as it is. */
#ifndef CLI_RAW_H
#define CLI_RAW_H

#include <stdbool.h>

#include "base/error.h"

/* Until raw_end; should we crash, the terminal is given back as well. */
bool raw_begin(struct error *err);
void raw_end(void);

/* Stop until continued, with the terminal as it was meanwhile. */
void raw_suspend(void);

/* Of the terminal; 80x24 when it does not know. */
void raw_size(unsigned *columns, unsigned *rows);

#endif
