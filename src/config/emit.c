#include "config/emit.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* Would it be read back as this very text, and as text? */
static bool is_plain_text(const char *text)
{
	static const char *const words[] = { "true", "false", "null", "yes", "no", "on", "off", "~", "y", "n" };
	static const char fine[] =
		"abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_./+=@%^()$;,*?<>|&!~ -";

	if (!isalpha((unsigned char)text[0]) && !strchr("./_$", text[0]))
		return false;
	if (!text[0] || text[strspn(text, fine)] || text[strlen(text) - 1] == ' ')
		return false;
	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcasecmp(words[i], text) == 0)
			return false;
	return true;
}

void config_emit_text(struct text *out, const char *text, bool is_plain)
{
	if (is_plain && *text && strspn(text, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_.%-") == strlen(text) &&
		text[0] != '-' && text[0] != '%') {
		text_puts(out, text);
		return;
	}
	if (is_plain_text(text)) {
		text_puts(out, text);
		return;
	}
	text_putc(out, '"');
	for (; *text; text++) {
		if (*text == '"' || *text == '\\')
			text_format(out, "\\%c", *text);
		else if (*text == '\n')
			text_puts(out, "\\n");
		else if ((unsigned char)*text < ' ' || *text == 0x7f)
			text_format(out, "\\x%02x", (unsigned char)*text);
		else
			text_putc(out, *text);
	}
	text_putc(out, '"');
}

static bool is_flat(const struct node *list)
{
	size_t width = 0;

	for (size_t i = 0; i < list->count; i++) {
		if (list->items[i]->kind != NODE_SCALAR)
			return false;
		width += strlen(list->items[i]->text) + 2;
	}
	return width < 80;
}

static void emit(struct text *out, const struct node *node, unsigned depth);

/* Between [ and ] a comma ends a word. */
static void emit_flat(struct text *out, const struct node *list)
{
	text_puts(out, " [");
	for (size_t i = 0; i < list->count; i++) {
		const struct node *item = list->items[i];
		bool is_safe = !strpbrk(item->text, ",?");
		text_puts(out, i ? ", " : "");
		if (is_safe)
			config_emit_text(out, item->text, item->is_plain);
		else
			text_format(out, "\"%s\"", item->text);
	}
	text_puts(out, "]\n");
}

static void emit_value(struct text *out, const struct node *value, unsigned depth)
{
	if (value->kind == NODE_SCALAR) {
		text_putc(out, ' ');
		config_emit_text(out, value->text, value->is_plain);
		text_putc(out, '\n');
	} else if (!value->count) {
		text_puts(out, value->kind == NODE_MAP ? " {}\n" : " []\n");
	} else if (value->kind == NODE_LIST && is_flat(value)) {
		emit_flat(out, value);
	} else {
		text_putc(out, '\n');
		emit(out, value, depth + 1);
	}
}

static void emit(struct text *out, const struct node *node, unsigned depth)
{
	for (size_t i = 0; i < node->count; i++) {
		bool is_map = node->kind == NODE_MAP;
		text_format(out, "%*s", (int)depth * 2, "");
		if (is_map)
			config_emit_text(out, node->items[i++]->text, false);
		text_puts(out, is_map ? ":" : "-");
		if (is_map || node->items[i]->kind != NODE_MAP || !node->items[i]->count) {
			emit_value(out, node->items[i], depth);
			continue;
		}
		/* a map in a list: its first key stands behind the dash */
		struct text inner;
		text_init(&inner, out->most);
		emit(&inner, node->items[i], depth + 1);
		text_puts(out, text_string(&inner) + depth * 2 + 1);
		text_finish(&inner);
	}
}

void config_emit(struct text *out, const struct node *node)
{
	emit(out, node, 0);
}
