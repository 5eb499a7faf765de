#include "config/describe.h"

#include <string.h>

#include "config/schema.h"
#include "config/take.h"

enum { DEPTH_MOST = 8 };

/* Written by thrum for itself, and said so in the table. */
static bool is_private(const struct key *key)
{
	return key->help && strncmp(key->help, "written by ", 11) == 0;
}

/* What a value may be; a text is always allowed where ${NAME} is. */
static json_t *type_of(const struct key *key)
{
	if (key->take == take_bool)
		return json_pack("{s:[s,s]}", "type", "boolean", "string");
	if (key->take == take_count)
		return json_pack("{s:[s,s],s:i}", "type", "integer", "string", "minimum", 0);
	if (key->take == take_string || key->take == take_path)
		return json_pack("{s:[s,s,s]}", "type", "string", "number", "boolean");
	if (key->take == take_duration || key->take == take_size)
		return json_pack("{s:[s,s]}", "type", "string", "number");
	if (key->take == take_strings)
		return json_pack("{s:[s,s,s]}", "type", "string", "number", "array");
	return json_object();
}

static json_t *properties_of(const struct key *keys, unsigned depth);

/* A map of keys; where a shorter form will do too, another kind of value is allowed. */
static json_t *map_of(const struct key *keys, bool is_strict, unsigned depth)
{
	json_t *map = json_pack("{s:o,s:{s:o},s:b}", "properties", properties_of(keys, depth + 1), "patternProperties", "^x-",
		json_true(), "additionalProperties", 0);

	if (is_strict)
		json_object_set_new(map, "type", json_string("object"));
	return map;
}

static json_t *value_of(const struct key *key, const char *help, unsigned depth)
{
	bool is_deep = key->inner && depth < DEPTH_MOST;
	json_t *value = is_deep ? map_of(key->inner, key->take == take_inner, depth) : type_of(key);

	if (help && *help)
		json_object_set_new(value, "description", json_string(help));
	return value;
}

static json_t *properties_of(const struct key *keys, unsigned depth)
{
	json_t *properties = json_object();
	const char *help = NULL;

	for (; keys->name; keys++) {
		help = keys->help ? keys->help : help; /* another name of the key above */
		if (!is_private(keys))
			json_object_set_new(properties, keys->name, value_of(keys, help, depth));
	}
	return properties;
}

json_t *config_schema(void)
{
	json_t *service = map_of(schema_service, true, 0);
	json_t *schema = map_of(schema_project, true, 0);
	json_t *properties = json_object_get(schema, "properties");

	json_object_set_new(json_object_get(properties, "processes"), "type", json_string("object"));
	json_object_set_new(json_object_get(properties, "processes"), "additionalProperties",
		json_pack("{s:s}", "$ref", "#/$defs/service"));
	json_object_set_new(json_object_get(properties, "defaults"), "$ref", json_string("#/$defs/service"));
	json_object_update_new(schema,
		json_pack("{s:s,s:s,s:{s:o}}", "$schema", "https://json-schema.org/draft/2020-12/schema", "title", "thrum.yaml",
			"$defs", "service", service));
	return schema;
}

/* ---- the manual ---- */

/* In mdoc a line that begins with a dot or a quote is no text. */
static void put_text(struct text *out, const char *text)
{
	if (*text == '.' || *text == '\'')
		text_puts(out, "\\&");
	for (; *text; text++)
		text_puts(out, *text == '\\' ? "\\e" : (char[]){ *text, '\0' });
}

static void put_keys(struct text *out, const struct key *keys, unsigned depth)
{
	text_puts(out, ".Bl -tag -width Ds\n");
	for (; keys->name; keys++) {
		if (is_private(keys) || (keys->help && !*keys->help))
			continue;
		if (!keys->help) {
			text_format(out, "Also called\n.Ic %s .\n", keys->name);
			continue;
		}
		text_format(out, ".It Ic %s\n", keys->name);
		put_text(out, keys->help);
		text_puts(out, ".\n");
		if (keys->inner && depth < DEPTH_MOST)
			put_keys(out, keys->inner, depth + 1);
	}
	text_puts(out, ".El\n");
}

void config_manual(struct text *out)
{
	text_puts(out, ".Sh THE PROJECT\n");
	put_keys(out, schema_project, 0);
	text_puts(out, ".Sh A SERVICE\n");
	put_keys(out, schema_service, 0);
}
