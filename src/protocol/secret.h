/* Values that are not shown unless they are asked for: told by the names of their variables. */
#ifndef PROTOCOL_SECRET_H
#define PROTOCOL_SECRET_H

#include <stdbool.h>

#define SECRET_SHOWN "********"

/* Has it KEY, TOKEN, SECRET, PASS, AUTH, DSN or CREDENTIAL in it, in either case? */
bool secret_is_name(const char *name);

#endif
