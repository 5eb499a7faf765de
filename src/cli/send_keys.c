/* Typing into the terminal of an instance, from a script. */
#include <string.h>

#include "cli/cli.h"
#include "cli/instance.h"
#include "cli/keys.h"
#include "protocol/base64.h"
#include "protocol/method.h"

/* What is the name of no key is typed as it is. */
static void append_words(struct text *keys, const struct invocation *invocation)
{
	for (int i = 1; i < invocation->name_count; i++)
		if (invocation->literal || !keys_append(keys, invocation->names[i]))
			text_puts(keys, invocation->names[i]);
}

static int send_keys(
	struct link *link, const struct invocation *invocation, const struct text *keys)
{
	int status = EXIT_OK;
	struct text encoded;
	json_t *info = instance_find(link, invocation->names[0], &status);

	if (!info)
		return status;
	json_t *params = instance_params(info);
	text_init(&encoded, PROTOCOL_LINE_MOST);
	base64_encode(&encoded, text_string(keys), keys->size);
	json_object_set_new(params, "bytes", json_string(text_string(&encoded)));
	json_t *result = cli_call(link, "tty.write", params, &status);
	if (result && invocation->json)
		cli_print_json(result);
	text_finish(&encoded);
	json_decref(result);
	json_decref(info);
	return status;
}

int cli_send_keys(struct invocation *invocation)
{
	int status = EXIT_OK;
	struct text keys;

	text_init(&keys, PROTOCOL_TYPED_MOST);
	append_words(&keys, invocation);
	if (keys.full) {
		status = cli_fail(EXIT_USAGE, "at most %d bytes can be typed at a time", PROTOCOL_TYPED_MOST);
	} else {
		struct link *link = cli_connect(invocation, &status);
		if (link)
			status = send_keys(link, invocation, &keys);
		link_close(link);
	}
	text_finish(&keys);
	return status;
}
