#include "base/digest.h"

#include <inttypes.h>
#include <stdint.h>
#include <stdio.h>

#define FNV_BASIS UINT64_C(0xcbf29ce484222325)
#define FNV_PRIME UINT64_C(0x100000001b3)

void digest_of(char out[DIGEST_SIZE], const char *bytes, size_t size)
{
	uint64_t hash = FNV_BASIS;

	for (size_t i = 0; i < size; i++)
		hash = (hash ^ (unsigned char)bytes[i]) * FNV_PRIME;
	snprintf(out, DIGEST_SIZE, "%016" PRIx64, hash);
}
