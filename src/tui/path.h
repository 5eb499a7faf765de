/* Paths that are typed: what they may become, and what is found there. Of this machine. */
#ifndef TUI_PATH_H
#define TUI_PATH_H

#include <stdbool.h>
#include <stddef.h>

/*
 * Go on with the last word of a text (size bytes of room) as far as names of files agree, from this folder on. False:
 * nothing was added. note says which names there are, when they are several.
 */
bool path_complete(char *text, size_t size, const char *folder, bool folders_only, char *note, size_t note_size);

/* Would a program of that name be found: by PATH, or, with a slash in it, from that folder on? */
bool path_finds(const char *program, const char *folder);

#endif
