#include "config/template.h"

#include <ctype.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "base/memory.h"
#include "base/text.h"
#include "config/environment.h"
#include "model/spec.h"

enum { RENDERED_MOST = 1024 * 1024,
	DEPTH_MOST = 32,
	MESSAGE_MOST = 400,
	STEPS_MOST = 100000, /* actions and calls, so that ranges in ranges end */
	ARGUMENTS_MOST = 16 };

enum value_kind { VALUE_NIL, /* a name that is nowhere */
	VALUE_BOOL,
	VALUE_NUMBER,
	VALUE_TEXT,
	VALUE_NODE }; /* a list or a map */

struct value {
	enum value_kind kind;
	bool is_true;
	double number;
	const char *text;        /* borrowed from a node, or from `made`; of all but NIL and NODE */
	const struct node *node; /* borrowed */
	const char *name;        /* of NIL: what was looked for; borrowed from `made` */
};

struct rendering {
	const char *at; /* what is still to be read */
	const struct template_vars *vars;
	const struct strings *literals;
	struct position place;
	struct problems *problems;
	struct strings made; /* texts that live until the end */
	struct text out;
	struct value dot;
	bool has_dot; /* inside of with or range; else `.` is all names */
	unsigned depth, steps;
	bool has_failed;
};

/* Said once, with what to do about braces that mean something else. */
__attribute__((format(printf, 2, 3))) static bool fail(struct rendering *rendering, const char *fmt, ...)
{
	char message[MESSAGE_MOST];
	va_list args;

	va_start(args, fmt);
	vsnprintf(message, sizeof message, fmt, args);
	va_end(args);
	if (!rendering->has_failed)
		problem_error(rendering->problems, rendering->place,
			"template: %s; write {{ \"{{\" }} for what is no template", message);
	rendering->has_failed = true;
	return false;
}

static const char *keep(struct rendering *rendering, const char *text)
{
	strings_add(&rendering->made, text);
	return rendering->made.items[rendering->made.count - 1];
}

static const char *keep_n(struct rendering *rendering, const char *text, size_t size)
{
	char *copy = memory_copy_n(text, size);
	const char *kept = keep(rendering, copy);

	free(copy);
	return kept;
}

/* ---- values ---- */

static bool is_number(const char *text, double *number)
{
	char *end;

	*number = strtod(text, &end);
	return end != text && !*end && strspn(text, "0123456789.+-eE") == strlen(text);
}

static struct value value_of_text(const char *text)
{
	return (struct value){ .kind = VALUE_TEXT, .text = text };
}

static struct value value_of_bool(bool is_true)
{
	return (struct value){ .kind = VALUE_BOOL, .is_true = is_true, .text = is_true ? "true" : "false" };
}

static struct value value_of_plain(const char *text)
{
	double number;

	if (strcmp(text, "true") == 0 || strcmp(text, "false") == 0)
		return value_of_bool(*text == 't');
	if (is_number(text, &number))
		return (struct value){ .kind = VALUE_NUMBER, .number = number, .text = text };
	return value_of_text(text);
}

static struct value value_of_node(const struct node *node, const char *name)
{
	if (!node || node_is_null(node))
		return (struct value){ .kind = VALUE_NIL, .name = name };
	if (node->kind != NODE_SCALAR)
		return (struct value){ .kind = VALUE_NODE, .node = node };
	return node->is_plain ? value_of_plain(node->text) : value_of_text(node->text);
}

static bool is_true(const struct value *value)
{
	switch (value->kind) {
	case VALUE_BOOL:
		return value->is_true;
	case VALUE_NUMBER:
		return value->number != 0;
	case VALUE_TEXT:
		return value->text[0];
	case VALUE_NODE:
		return value->node->count;
	default:
		return false;
	}
}

static struct value look_up(struct rendering *rendering, const char *name)
{
	if (strcmp(name, "PC_REPLICA_NUM") == 0)
		return value_of_text(INSTANCE_MARK);
	for (size_t i = 0; i < rendering->vars->count; i++) {
		const struct node *node = node_get(rendering->vars->maps[i], name);
		if (node)
			return value_of_node(node, name);
	}
	return value_of_node(NULL, name);
}

/* ---- expressions: what stands between {{ and }} ---- */

static void skip_blanks(struct rendering *rendering)
{
	while (isspace((unsigned char)*rendering->at))
		rendering->at++;
}

/* }} or -}} */
static bool is_at_end(const struct rendering *rendering)
{
	return strncmp(rendering->at, "}}", 2) == 0 || strncmp(rendering->at, "-}}", 3) == 0;
}

static const char *take_name(struct rendering *rendering)
{
	const char *from = rendering->at;

	while (isalnum((unsigned char)*rendering->at) || *rendering->at == '_')
		rendering->at++;
	return keep_n(rendering, from, (size_t)(rendering->at - from));
}

static bool take_fields(struct rendering *rendering, struct value *value)
{
	while (*rendering->at == '.') {
		rendering->at++;
		const char *name = take_name(rendering);
		if (value->kind != VALUE_NODE || value->node->kind != NODE_MAP)
			return fail(rendering, "what '.%s' is looked for in is no map", name);
		*value = value_of_node(node_get(value->node, name), name);
	}
	return true;
}

/* . or .NAME.NAME */
static bool take_field(struct rendering *rendering, struct value *value)
{
	rendering->at++;
	const char *name = take_name(rendering);
	if (!*name && !rendering->has_dot)
		return fail(rendering, "'.' alone is all variables: name one");
	if (!*name) {
		*value = rendering->dot;
		return true;
	}
	bool is_inside = rendering->has_dot && rendering->dot.kind == VALUE_NODE && rendering->dot.node->kind == NODE_MAP;
	*value = is_inside ? value_of_node(node_get(rendering->dot.node, name), name) : look_up(rendering, name);
	return take_fields(rendering, value);
}

static char unescape(char c)
{
	return c == 'n' ? '\n' : c == 't' ? '\t'
			 : c == 'r'       ? '\r'
					  : c;
}

static bool take_quoted(struct rendering *rendering, struct value *value)
{
	char quote = *rendering->at++;
	struct text word;

	text_init(&word, RENDERED_MOST);
	for (; *rendering->at && *rendering->at != quote; rendering->at++) {
		bool is_escaped = quote != '`' && *rendering->at == '\\' && rendering->at[1];
		text_putc(&word, is_escaped ? unescape(*++rendering->at) : *rendering->at);
	}
	bool has_end = *rendering->at;
	rendering->at += has_end;
	char *text = !has_end              ? NULL
		     : rendering->literals ? environment_expand(text_string(&word), rendering->literals, true, rendering->place,
						     rendering->problems)
					   : memory_copy(text_string(&word));
	text_finish(&word);
	if (!text) {
		rendering->has_failed |= has_end; /* that was said */
		return has_end ? false : fail(rendering, "a quote has no end");
	}
	*value = value_of_text(keep(rendering, text));
	free(text);
	return true;
}

static bool take_pipeline(struct rendering *rendering, struct value *value);

static bool take_parenthesis(struct rendering *rendering, struct value *value)
{
	rendering->at++;
	if (!take_pipeline(rendering, value))
		return false;
	skip_blanks(rendering);
	if (*rendering->at != ')')
		return fail(rendering, "a ) is missing");
	rendering->at++;
	return take_fields(rendering, value);
}

static bool take_bare(struct rendering *rendering, struct value *value)
{
	size_t size = strcspn(rendering->at, " \t\n|()}");
	const char *word = keep_n(rendering, rendering->at, size);

	if (strcmp(word, "nil") == 0)
		*value = (struct value){ .kind = VALUE_NIL, .name = word };
	else
		*value = value_of_plain(word);
	if (value->kind == VALUE_TEXT)
		return fail(rendering, "'%.60s' is neither a function nor a value", word);
	rendering->at += size;
	return true;
}

static bool take_operand(struct rendering *rendering, struct value *value)
{
	char c = *rendering->at;

	if (c == '(')
		return take_parenthesis(rendering, value);
	if (c == '"' || c == '`')
		return take_quoted(rendering, value);
	if (c == '$' && rendering->at[1] != '.')
		return fail(rendering, "variables of a template ($x) are not known here");
	if (c == '$') {
		bool has_dot = rendering->has_dot;
		rendering->at++;
		rendering->has_dot = false;
		bool ok = take_field(rendering, value);
		rendering->has_dot = has_dot;
		return ok;
	}
	return c == '.' ? take_field(rendering, value) : take_bare(rendering, value);
}

/* ---- functions ---- */

struct call {
	struct rendering *rendering;
	const struct value *arguments;
	unsigned count;
};

static const char *text_of(const struct value *value)
{
	return value->kind == VALUE_NIL ? "<nil>" : value->kind == VALUE_NODE ? "[…]"
									      : value->text;
}

static bool are_equal(const struct value *one, const struct value *other)
{
	if (one->kind == VALUE_NUMBER && other->kind == VALUE_NUMBER)
		return one->number == other->number;
	if (one->kind == VALUE_NIL || other->kind == VALUE_NIL)
		return one->kind == other->kind;
	return one->kind != VALUE_NODE && other->kind != VALUE_NODE && strcmp(one->text, other->text) == 0;
}

static int order_of(const struct call *call)
{
	const struct value *one = &call->arguments[0], *other = &call->arguments[1];

	if (one->kind == VALUE_NUMBER && other->kind == VALUE_NUMBER)
		return (one->number > other->number) - (one->number < other->number);
	return strcmp(text_of(one), text_of(other));
}

static bool call_and(const struct call *call, struct value *value)
{
	for (unsigned i = 0; i < call->count; i++) {
		*value = call->arguments[i];
		if (!is_true(value))
			break;
	}
	return true;
}

static bool call_or(const struct call *call, struct value *value)
{
	for (unsigned i = 0; i < call->count; i++) {
		*value = call->arguments[i];
		if (is_true(value))
			break;
	}
	return true;
}

static bool call_not(const struct call *call, struct value *value)
{
	*value = value_of_bool(!is_true(&call->arguments[0]));
	return true;
}

/* The first with any of the others. */
static bool call_eq(const struct call *call, struct value *value)
{
	bool is_any = false;

	for (unsigned i = 1; i < call->count; i++)
		is_any |= are_equal(&call->arguments[0], &call->arguments[i]);
	*value = value_of_bool(is_any);
	return true;
}

static bool call_ne(const struct call *call, struct value *value)
{
	*value = value_of_bool(!are_equal(&call->arguments[0], &call->arguments[1]));
	return true;
}

static bool call_lt(const struct call *call, struct value *value)
{
	*value = value_of_bool(order_of(call) < 0);
	return true;
}

static bool call_le(const struct call *call, struct value *value)
{
	*value = value_of_bool(order_of(call) <= 0);
	return true;
}

static bool call_gt(const struct call *call, struct value *value)
{
	*value = value_of_bool(order_of(call) > 0);
	return true;
}

static bool call_ge(const struct call *call, struct value *value)
{
	*value = value_of_bool(order_of(call) >= 0);
	return true;
}

static bool call_len(const struct call *call, struct value *value)
{
	const struct value *of = &call->arguments[0];
	size_t count = of->kind == VALUE_NODE ? of->node->count / (of->node->kind == NODE_MAP ? 2 : 1) : strlen(text_of(of));
	char *text = memory_format("%zu", count);

	*value = value_of_plain(keep(call->rendering, text));
	free(text);
	return true;
}

static bool call_index(const struct call *call, struct value *value)
{
	*value = call->arguments[0];
	for (unsigned i = 1; i < call->count; i++) {
		const struct value *key = &call->arguments[i];
		const struct node *node = value->kind == VALUE_NODE ? value->node : NULL;
		bool is_in_list = node && node->kind == NODE_LIST && key->kind == VALUE_NUMBER && key->number >= 0 &&
				  key->number < (double)node->count;
		if (!node || (node->kind == NODE_LIST && !is_in_list))
			return fail(call->rendering, "index: there is no '%.60s'", text_of(key));
		*value = value_of_node(is_in_list ? node->items[(size_t)key->number] : node_get(node, text_of(key)), text_of(key));
	}
	return true;
}

static bool call_print(const struct call *call, struct value *value)
{
	struct text text;

	text_init(&text, RENDERED_MOST);
	for (unsigned i = 0; i < call->count; i++)
		text_puts(&text, text_of(&call->arguments[i]));
	*value = value_of_text(keep(call->rendering, text_string(&text)));
	text_finish(&text);
	return true;
}

/* %v, %s, %d and %q; a width is not known here */
static bool call_printf(const struct call *call, struct value *value)
{
	unsigned next = 1;
	bool ok = true;
	struct text text;

	text_init(&text, RENDERED_MOST);
	for (const char *c = text_of(&call->arguments[0]); *c && ok; c++) {
		if (*c != '%' || c[1] == '%') {
			text_putc(&text, *c);
			c += *c == '%';
			continue;
		}
		c++;
		ok = *c && strchr("vsdq", *c) && next < call->count;
		if (ok)
			text_format(&text, *c == 'q' ? "\"%s\"" : "%s", text_of(&call->arguments[next++]));
	}
	*value = value_of_text(keep(call->rendering, text_string(&text)));
	text_finish(&text);
	return ok || fail(call->rendering, "printf takes %%v %%s %%d %%q, and a value for each");
}

static const struct function {
	const char *name;
	unsigned least, most;
	bool (*call)(const struct call *call, struct value *value);
} functions[] = {
	{ "and", 1, ARGUMENTS_MOST, call_and },
	{ "or", 1, ARGUMENTS_MOST, call_or },
	{ "not", 1, 1, call_not },
	{ "eq", 2, ARGUMENTS_MOST, call_eq },
	{ "ne", 2, 2, call_ne },
	{ "lt", 2, 2, call_lt },
	{ "le", 2, 2, call_le },
	{ "gt", 2, 2, call_gt },
	{ "ge", 2, 2, call_ge },
	{ "len", 1, 1, call_len },
	{ "index", 1, ARGUMENTS_MOST, call_index },
	{ "print", 0, ARGUMENTS_MOST, call_print },
	{ "printf", 1, ARGUMENTS_MOST, call_printf },
};

static const struct function *find_function(struct rendering *rendering)
{
	size_t size = strspn(rendering->at, "abcdefghijklmnopqrstuvwxyz");

	for (size_t i = 0; size && i < sizeof functions / sizeof *functions; i++)
		if (strlen(functions[i].name) == size && strncmp(functions[i].name, rendering->at, size) == 0) {
			rendering->at += size;
			return &functions[i];
		}
	return NULL;
}

/* last: what the command before a | gave, or NULL. */
static bool take_call(struct rendering *rendering, const struct function *function, const struct value *last, struct value *value)
{
	struct value arguments[ARGUMENTS_MOST];
	struct call call = { rendering, arguments, 0 };

	for (;;) {
		skip_blanks(rendering);
		if (!*rendering->at || strchr("|)", *rendering->at) || is_at_end(rendering))
			break;
		if (call.count == ARGUMENTS_MOST - 1)
			return fail(rendering, "%s has too many arguments", function->name);
		if (!take_operand(rendering, &arguments[call.count++]))
			return false;
	}
	if (last)
		arguments[call.count++] = *last;
	if (call.count < function->least || call.count > function->most)
		return fail(rendering, "%s has the wrong number of arguments", function->name);
	return function->call(&call, value);
}

static bool take_command(struct rendering *rendering, const struct value *last, struct value *value)
{
	skip_blanks(rendering);
	if (++rendering->steps > STEPS_MOST)
		return fail(rendering, "this takes too long");
	const struct function *function = find_function(rendering);
	if (function)
		return take_call(rendering, function, last, value);
	if (last)
		return fail(rendering, "after a | comes a function");
	if (!*rendering->at || is_at_end(rendering))
		return fail(rendering, "there is nothing between {{ and }}");
	return take_operand(rendering, value);
}

static bool take_pipeline(struct rendering *rendering, struct value *value)
{
	bool ok = ++rendering->depth <= DEPTH_MOST || fail(rendering, "this is nested too deep");

	ok = ok && take_command(rendering, NULL, value);
	for (skip_blanks(rendering); ok && *rendering->at == '|'; skip_blanks(rendering)) {
		struct value last = *value;
		rendering->at++;
		ok = take_command(rendering, &last, value);
	}
	rendering->depth--;
	return ok;
}

/* ---- actions ---- */

/* How a stretch of text ended. */
enum end { END_OF_TEXT,
	END_OF_BLOCK,
	END_AT_ELSE,
	END_AT_ELSE_IF,
	END_FAILED };

static bool close_action(struct rendering *rendering)
{
	skip_blanks(rendering);
	if (!is_at_end(rendering))
		return *rendering->at ? fail(rendering, "'%.20s' was not expected", rendering->at) : fail(rendering, "{{ has no }}");
	bool is_trimming = *rendering->at == '-';
	rendering->at += is_trimming ? 3 : 2;
	if (is_trimming)
		skip_blanks(rendering);
	return true;
}

static bool take_word(struct rendering *rendering, const char *word)
{
	size_t size = strlen(word);

	if (strncmp(rendering->at, word, size) != 0 || isalnum((unsigned char)rendering->at[size]))
		return false;
	rendering->at += size;
	skip_blanks(rendering);
	return true;
}

static enum end render(struct rendering *rendering, bool is_active);

/* What is not carried out is passed over as text, quotes apart. */
static bool pass_over(struct rendering *rendering)
{
	for (char quote = 0; *rendering->at && (quote || !is_at_end(rendering)); rendering->at++) {
		if (quote && *rendering->at == '\\' && quote == '"' && rendering->at[1])
			rendering->at++;
		else if (*rendering->at == quote)
			quote = 0;
		else if (!quote && strchr("\"`", *rendering->at))
			quote = *rendering->at;
	}
	return close_action(rendering);
}

static bool take_condition(struct rendering *rendering, bool is_active, struct value *value)
{
	*value = value_of_bool(false);
	if (!is_active)
		return pass_over(rendering);
	return take_pipeline(rendering, value) && close_action(rendering);
}

static bool render_if(struct rendering *rendering, bool is_active)
{
	bool is_done = false; /* one branch was taken */

	for (;;) {
		struct value value;
		if (!take_condition(rendering, is_active && !is_done, &value))
			return false;
		bool is_taken = is_active && !is_done && is_true(&value);
		is_done |= is_taken;
		enum end end = render(rendering, is_taken);
		if (end == END_AT_ELSE)
			end = render(rendering, is_active && !is_done);
		if (end == END_OF_BLOCK)
			return true;
		if (end != END_AT_ELSE_IF)
			return fail(rendering, "if has no {{end}}");
	}
}

/* Once for the value of `with`, or for each item of `range`; what follows is the same text each time. */
static bool render_items(struct rendering *rendering, const struct value *values, size_t count, bool is_active)
{
	const char *body = rendering->at;
	struct value dot = rendering->dot;
	bool has_dot = rendering->has_dot;
	enum end end = END_FAILED;

	for (size_t i = 0; i < (count ? count : 1); i++) {
		rendering->at = body;
		if (count)
			rendering->dot = values[i];
		rendering->has_dot = has_dot || count;
		end = render(rendering, is_active && count);
		if (end == END_FAILED)
			break;
	}
	rendering->dot = dot;
	rendering->has_dot = has_dot;
	if (end == END_AT_ELSE)
		end = render(rendering, is_active && !count);
	return end == END_OF_BLOCK || fail(rendering, "with or range has no {{end}}");
}

static bool render_with(struct rendering *rendering, bool is_active)
{
	struct value value;

	return take_condition(rendering, is_active, &value) && render_items(rendering, &value, is_active && is_true(&value), is_active);
}

static bool render_range(struct rendering *rendering, bool is_active)
{
	struct value over;

	if (!take_condition(rendering, is_active, &over))
		return false;
	if (is_active && over.kind != VALUE_NODE && over.kind != VALUE_NIL)
		return fail(rendering, "range: '%.60s' is no list", text_of(&over));
	bool is_map = over.kind == VALUE_NODE && over.node->kind == NODE_MAP;
	size_t count = over.kind == VALUE_NODE ? over.node->count / (is_map ? 2 : 1) : 0;
	struct value *values = memory_zeroed(count + 1, sizeof *values);
	for (size_t i = 0; i < count; i++)
		values[i] = value_of_node(over.node->items[is_map ? 2 * i + 1 : i], "");
	bool ok = render_items(rendering, values, count, is_active);
	free(values);
	return ok;
}

static bool render_value(struct rendering *rendering, bool is_active)
{
	struct value value;

	if (!is_active)
		return pass_over(rendering);
	if (!take_pipeline(rendering, &value))
		return false;
	if (value.kind == VALUE_NIL)
		return fail(rendering, "no variable is called '%.60s': name it under vars", value.name);
	if (value.kind == VALUE_NODE)
		return fail(rendering, "a list or a map is no text: range goes through it");
	text_puts(&rendering->out, value.text);
	return close_action(rendering);
}

static enum end as_end(bool ok, enum end end)
{
	return ok ? end : END_FAILED;
}

/* What follows {{; END_OF_TEXT: the text goes on. */
static enum end take_action(struct rendering *rendering, bool is_active)
{
	static const char *const unknown[] = { "define", "template", "block", "break", "continue" };
	const char *comment = strncmp(rendering->at, "/*", 2) == 0 ? strstr(rendering->at, "*/") : NULL;

	if (comment) {
		rendering->at = comment + 2;
		return as_end(close_action(rendering), END_OF_TEXT);
	}
	if (take_word(rendering, "end"))
		return as_end(close_action(rendering), END_OF_BLOCK);
	if (take_word(rendering, "else"))
		return take_word(rendering, "if") ? END_AT_ELSE_IF : as_end(close_action(rendering), END_AT_ELSE);
	if (take_word(rendering, "if"))
		return as_end(render_if(rendering, is_active), END_OF_TEXT);
	if (take_word(rendering, "with"))
		return as_end(render_with(rendering, is_active), END_OF_TEXT);
	if (take_word(rendering, "range"))
		return as_end(render_range(rendering, is_active), END_OF_TEXT);
	for (size_t i = 0; i < sizeof unknown / sizeof *unknown; i++)
		if (take_word(rendering, unknown[i]))
			return as_end(fail(rendering, "'%s' is not known here", unknown[i]), END_FAILED);
	return as_end(render_value(rendering, is_active), END_OF_TEXT);
}

static void put_stretch(struct rendering *rendering, const char *until, bool is_trimming, bool is_active)
{
	while (is_trimming && until > rendering->at && isspace((unsigned char)until[-1]))
		until--;
	if (is_active)
		text_append(&rendering->out, rendering->at, (size_t)(until - rendering->at));
}

/* Until the text is over, or a word that is not its own ends it. */
static enum end render(struct rendering *rendering, bool is_active)
{
	enum end end = END_OF_TEXT;

	if (++rendering->depth > DEPTH_MOST)
		return as_end(fail(rendering, "this is nested too deep"), END_FAILED);
	while (end == END_OF_TEXT) {
		const char *open = strstr(rendering->at, "{{");
		if (++rendering->steps > STEPS_MOST)
			end = as_end(fail(rendering, "this takes too long"), END_FAILED);
		if (!open || end == END_FAILED)
			break;
		bool is_trimming = open[2] == '-' && isspace((unsigned char)open[3]);
		put_stretch(rendering, open, is_trimming, is_active);
		rendering->at = open + 2 + is_trimming;
		skip_blanks(rendering);
		end = take_action(rendering, is_active);
	}
	if (end == END_OF_TEXT) {
		put_stretch(rendering, rendering->at + strlen(rendering->at), false, is_active);
		rendering->at += strlen(rendering->at);
	}
	rendering->depth--;
	return end;
}

char *template_render(const char *text, const struct template_vars *vars, const struct strings *literals,
	struct position at, struct problems *problems)
{
	struct rendering rendering = { .at = text, .vars = vars, .literals = literals, .place = at, .problems = problems };

	text_init(&rendering.out, RENDERED_MOST);
	enum end end = render(&rendering, true);
	if (end != END_OF_TEXT && end != END_FAILED)
		fail(&rendering, "an {{end}} or {{else}} has no beginning");
	if (rendering.out.full)
		fail(&rendering, "this grows too large");
	strings_finish(&rendering.made);
	if (!rendering.has_failed)
		return text_take(&rendering.out);
	text_finish(&rendering.out);
	return NULL;
}
