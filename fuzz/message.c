/* Any line of a channel: what jansson takes is taken, and what is found lies within the line. */
#include <jansson.h>
#include <stdint.h>
#include <string.h>

#include "wire/message.h"

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	const char *text = (const char *)bytes;
	struct message message;

	if (memchr(text, '\0', size))
		return 0; /* the end of a text to jansson */
	bool is_json = message_scan(&message, text, size);
	json_t *value = json_loadb(text, size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);

	if (value && !is_json && size < MESSAGE_DEPTH_MOST)
		__builtin_trap(); /* the other way there are lone surrogates and numbers past all limits */
	for (int i = 0; is_json && i < MEMBER_COUNT; i++) {
		struct span *member = &message.members[i];
		if (member->size && (member->at < text || member->at + member->size > text + size))
			__builtin_trap();
		json_t *found = member->size ? json_loadb(member->at, member->size, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL) : NULL;
		if (value && member->size && !found)
			__builtin_trap();
		json_decref(found);
	}
	json_decref(value);
	return 0;
}
