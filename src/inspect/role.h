/* What threads are for, told by their names: a hint only, for any program may name them as it likes. */
#ifndef INSPECT_ROLE_H
#define INSPECT_ROLE_H

/* "gc", "jit" …; "" when the name says nothing. */
const char *role_of_name(const char *name);

#endif
