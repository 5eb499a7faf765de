/* Files that say what is run: root reads none that others may change. */
#ifndef CONFIG_TRUST_H
#define CONFIG_TRUST_H

#include <stdbool.h>

#include "base/error.h"
#include "base/text.h"

/* As text_read_file(); false as well for root, when others may write the file, or put another one in its place. */
bool trust_read_file(struct text *text, const char *path, struct error *err);

#endif
