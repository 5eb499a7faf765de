/* One place in a stack, as far as it has a name. */
#ifndef STACK_FRAME_H
#define STACK_FRAME_H

#include <stdint.h>

enum { FRAME_SYMBOL_SIZE = 256,
	FRAME_MODULE_SIZE = 64,
	FRAME_SOURCE_SIZE = 160 };

struct frame {
	uint64_t address;
	uint64_t offset;                /* from the beginning of the symbol */
	char symbol[FRAME_SYMBOL_SIZE]; /* or "" */
	char module[FRAME_MODULE_SIZE]; /* file that the code is from; "": it was made at run time */
	char source[FRAME_SOURCE_SIZE]; /* "file.c:12"; or "" */
};

#endif
