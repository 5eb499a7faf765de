/* As much of JSON as a channel needs. Texts are looked through, not checked: what is no JSON gives nothing, or nonsense. */
#ifndef LIB_JSON_H
#define LIB_JSON_H

#include <stdbool.h>
#include <stddef.h>

/* A piece of somebody else's text. Absent: at is NULL. */
struct piece {
	const char *at;
	size_t size;
};

/* The value of a member of the outermost map, the last of that name. */
struct piece json_member(struct piece text, const char *name);
/* The same of several, in one pass. */
void json_members(struct piece text, const char *const *names, struct piece *found, unsigned count);
/* Is it this string? */
bool json_is(struct piece value, const char *string);
/* Is it a string that begins so and goes on? */
bool json_goes_on(struct piece value, const char *begin);
/* Is it a map? Without the space around it, then. */
bool json_map(struct piece *text);
/* A string in quotes, cut to what has room, and always valid UTF-8. How long it is; size is at least 16. */
size_t json_quote(char *to, size_t size, const char *string);

#endif
