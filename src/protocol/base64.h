/* Bytes that are no UTF-8, as JSON can carry them (RFC 4648, with padding). */
#ifndef PROTOCOL_BASE64_H
#define PROTOCOL_BASE64_H

#include <stdbool.h>
#include <stddef.h>

#include "base/text.h"

/* Both append; false when it did not fit, or when it was no base64. */
bool base64_encode(struct text *out, const char *bytes, size_t size);
bool base64_decode(struct text *out, const char *encoded, size_t size);

#endif
