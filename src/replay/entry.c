#include "replay/entry.h"

#include <stdio.h>
#include <string.h>

#include "base/utf8.h"
#include "model/spec.h"
#include "protocol/value.h"

enum { TEXT_MOST = 1024 * 1024,
	TS_MOST = 40 };

void entry_init(struct entry *entry)
{
	*entry = (struct entry){ 0 };
	text_init(&entry->spare, TEXT_MOST);
}

void entry_finish(struct entry *entry)
{
	json_decref(entry->json);
	entry->json = NULL;
	text_finish(&entry->spare);
}

/* ---- as our own program writes a line of a log ---- */

struct cursor {
	const char *at, *end;
};

static bool skip(struct cursor *cursor, const char *text)
{
	size_t size = strlen(text);

	if ((size_t)(cursor->end - cursor->at) < size || memcmp(cursor->at, text, size) != 0)
		return false;
	cursor->at += size;
	return true;
}

/* What lies before the next quote: a name, or a time, that has no escapes. */
static bool take_plain(struct cursor *cursor, char *out, size_t room)
{
	const char *quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));
	size_t size = quote ? (size_t)(quote - cursor->at) : 0;

	if (!quote || size >= room || memchr(cursor->at, '\\', size))
		return false;
	memcpy(out, cursor->at, size);
	out[size] = '\0';
	cursor->at = quote + 1;
	return true;
}

static bool take_number(struct cursor *cursor, uint64_t *value)
{
	const char *from = cursor->at;

	for (*value = 0; cursor->at < cursor->end && *cursor->at >= '0' && *cursor->at <= '9' && cursor->at - from < 10; cursor->at++)
		*value = *value * 10 + (uint64_t)(*cursor->at - '0');
	return cursor->at > from && *value <= INT32_MAX;
}

static bool take_hex(struct cursor *cursor, uint32_t *value)
{
	*value = 0;
	if (cursor->end - cursor->at < 4)
		return false;
	for (int i = 0; i < 4; i++) {
		static const char digits[] = "0123456789abcdef0123456789ABCDEF";
		const char *digit = *cursor->at ? strchr(digits, *cursor->at) : NULL;
		if (!digit)
			return false;
		*value = *value * 16 + (uint32_t)(digit - digits) % 16;
		cursor->at++;
	}
	return true;
}

static bool take_unicode(struct cursor *cursor, struct text *out)
{
	uint32_t high, low = 0;
	char bytes[4];

	if (!take_hex(cursor, &high))
		return false;
	if (high >= 0xd800 && high < 0xdc00 && skip(cursor, "\\u") && take_hex(cursor, &low))
		high = low >= 0xdc00 && low < 0xe000 ? 0x10000 + ((high - 0xd800) << 10) + (low - 0xdc00) : 0xfffd;
	if (high >= 0xd800 && high < 0xe000)
		high = 0xfffd;
	return text_append(out, bytes, utf8_encode(bytes, high));
}

static bool take_escape(struct cursor *cursor, struct text *out)
{
	static const char names[] = "\"\\/bfnrt", meant[] = "\"\\/\b\f\n\r\t";
	const char *found = *cursor->at ? strchr(names, *cursor->at) : NULL;

	if (found) {
		cursor->at++;
		return text_putc(out, meant[found - names]);
	}
	return skip(cursor, "u") && take_unicode(cursor, out);
}

/* The rest of a string that has escapes, from the first of them on. */
static bool take_escaped(struct cursor *cursor, struct text *out)
{
	while (cursor->at < cursor->end) {
		const char *from = cursor->at;
		while (cursor->at < cursor->end && *cursor->at != '"' && *cursor->at != '\\')
			cursor->at++;
		if (cursor->at == cursor->end || !text_append(out, from, (size_t)(cursor->at - from)))
			return false;
		if (*cursor->at++ == '"')
			return true;
		if (cursor->at == cursor->end || !take_escape(cursor, out))
			return false;
	}
	return false;
}

static bool take_text(struct cursor *cursor, struct entry *entry)
{
	const char *quote = memchr(cursor->at, '"', (size_t)(cursor->end - cursor->at));

	if (!quote)
		return false;
	if (!memchr(cursor->at, '\\', (size_t)(quote - cursor->at))) {
		entry->text = cursor->at;
		entry->size = (size_t)(quote - cursor->at);
		cursor->at = quote + 1;
		return true;
	}
	text_clear(&entry->spare);
	bool ok = take_escaped(cursor, &entry->spare);
	entry->text = text_string(&entry->spare);
	entry->size = entry->spare.size;
	return ok;
}

/* Of a thousand lines nearly all are these, so they are read without building anything. */
static bool read_log(struct entry *entry, struct cursor cursor)
{
	uint64_t instance, pid;
	char stream[8];

	bool ok = skip(&cursor, "\"log\",\"service\":\"") && take_plain(&cursor, entry->service, sizeof entry->service) &&
		  skip(&cursor, ",\"instance\":") && take_number(&cursor, &instance) && skip(&cursor, ",\"pid\":") &&
		  take_number(&cursor, &pid) && skip(&cursor, ",\"stream\":\"") && take_plain(&cursor, stream, sizeof stream) &&
		  skip(&cursor, ",\"text\":\"") && take_text(&cursor, entry) && skip(&cursor, "}") && cursor.at == cursor.end;
	if (!ok || !service_name_is_valid(entry->service))
		return false;
	entry->kind = ENTRY_LOG;
	entry->instance = (unsigned)instance;
	entry->pid = (int32_t)pid;
	entry->is_err = strcmp(stream, "stderr") == 0;
	return utf8_is_valid(entry->text, entry->size);
}

/* ---- as anybody may write a record ---- */

static const char *string_of(const json_t *json, const char *key)
{
	const char *value = json_string_value(json_object_get(json, key));

	return value ? value : "";
}

static bool kind_of(const char *name, enum entry_kind *kind)
{
	static const char *const names[ENTRY_KINDS] = { "log", "event", "sample", "ipc" };

	for (int i = 0; i < ENTRY_KINDS; i++) {
		if (strcmp(name, names[i]) != 0)
			continue;
		*kind = (enum entry_kind)i;
		return true;
	}
	return false;
}

static uint64_t number_of(const json_t *json, const char *key)
{
	json_int_t value = json_integer_value(json_object_get(json, key));

	return value < 0 || value > INT32_MAX ? 0 : (uint64_t)value;
}

static void read_members(struct entry *entry)
{
	const json_t *text = json_object_get(entry->json, "text");

	snprintf(entry->service, sizeof entry->service, "%s", string_of(entry->json, "service"));
	entry->instance = (unsigned)number_of(entry->json, "instance");
	entry->pid = (int32_t)number_of(entry->json, "pid");
	entry->is_err = strcmp(string_of(entry->json, "stream"), "stderr") == 0;
	entry->text = json_is_string(text) ? json_string_value(text) : "";
	entry->size = json_string_length(text);
}

static enum entry_found read_json(struct entry *entry, const char *line, size_t size, unsigned kinds)
{
	entry->json = json_loadb(line, size, JSON_ALLOW_NUL, NULL);
	bool ok = json_is_object(entry->json) && kind_of(string_of(entry->json, "kind"), &entry->kind) &&
		  time_parse(string_of(entry->json, "ts"), &entry->ts_us);

	if (!ok)
		return ENTRY_NONE;
	read_members(entry);
	if (entry->service[0] ? !service_name_is_valid(entry->service) : entry->kind != ENTRY_EVENT)
		return ENTRY_OTHER;
	return kinds & 1u << entry->kind ? ENTRY_FOUND : ENTRY_OTHER;
}

enum entry_found entry_read(struct entry *entry, const char *line, size_t size, unsigned kinds)
{
	struct cursor cursor = { line, line + size };
	char ts[TS_MOST];

	json_decref(entry->json);
	entry->json = NULL;
	if (skip(&cursor, "{\"ts\":\"") && take_plain(&cursor, ts, sizeof ts) && skip(&cursor, ",\"kind\":")) {
		struct cursor log = cursor;
		if (skip(&log, "\"log\",") && !(kinds & 1u << ENTRY_LOG))
			return ENTRY_OTHER;
		if (read_log(entry, cursor) && time_parse(ts, &entry->ts_us))
			return ENTRY_FOUND;
	}
	return read_json(entry, line, size, kinds);
}
