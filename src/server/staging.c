#include "server/staging.h"

#include "config/load.h"
#include "protocol/method.h"

enum { STAGED_MOST = 16 * 1024 * 1024 };

bool staging_add(struct session *session, const char *piece, size_t size, bool is_first,
	struct error *err)
{
	if (is_first)
		text_finish(&session->staged);
	if (is_first)
		text_init(&session->staged, STAGED_MOST);
	return text_append(&session->staged, piece, size) ||
	       error_set(err, PROTOCOL_REFUSED, "a configuration is at most %d MiB", STAGED_MOST >> 20);
}

struct project_spec *staging_read(struct session *session, struct error *err)
{
	const struct text *staged = &session->staged;
	struct problems problems;

	if (!staged->size) {
		error_set(err, PROTOCOL_INVALID_PARAMS, "no configuration was sent by `stage`");
		return NULL;
	}
	problems_init(&problems);
	struct project_spec *spec =
		config_load_text(text_string(staged), staged->size, "configuration", &problems);
	if (!spec)
		problems_first(&problems, PROTOCOL_INVALID_PARAMS, err);
	problems_finish(&problems);
	return spec;
}
