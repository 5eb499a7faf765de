#include "protocol/stack.h"

#include <string.h>

#include "base/utf8.h"

static void put_safe(struct text *out, const json_t *object, const char *key)
{
	const char *text = json_string_value(json_object_get(object, key));

	if (text)
		utf8_append_safe(out, text, strlen(text), false);
}

static bool has(const json_t *object, const char *key)
{
	return json_is_string(json_object_get(object, key));
}

static void describe_kernel(struct text *out, const json_t *thread)
{
	const json_t *line;
	size_t i;

	json_array_foreach(json_object_get(thread, "kernel"), i, line)
	{
		text_puts(out, "    kernel  ");
		utf8_append_safe(out, json_string_value(line), json_string_length(line), false);
		text_putc(out, '\n');
	}
	if (has(thread, "kernel_why")) {
		text_puts(out, "    kernel  ? (");
		put_safe(out, thread, "kernel_why");
		text_puts(out, ")\n");
	}
}

static void describe_frame(struct text *out, const json_t *frame, size_t number)
{
	text_format(out, "    #%-5zu  ", number);
	if (has(frame, "symbol")) {
		put_safe(out, frame, "symbol");
		text_format(out, "+0x%llx", (unsigned long long)json_integer_value(json_object_get(frame, "offset")));
	} else {
		put_safe(out, frame, "address");
	}
	if (has(frame, "module")) {
		text_puts(out, "  ");
		put_safe(out, frame, "module");
	}
	if (has(frame, "source")) {
		text_puts(out, "  ");
		put_safe(out, frame, "source");
	}
	text_putc(out, '\n');
}

static void describe_thread(struct text *out, const json_t *thread)
{
	const json_t *frame;
	size_t i;

	text_format(out, "thread %lld ", (long long)json_integer_value(json_object_get(thread, "tid")));
	put_safe(out, thread, "name");
	text_format(out, "  (stopped for %.1f ms)\n", (double)json_integer_value(json_object_get(thread, "stopped_us")) / 1000);
	describe_kernel(out, thread);
	json_array_foreach(json_object_get(thread, "frames"), i, frame) describe_frame(out, frame, i);
	if (has(thread, "why")) {
		text_puts(out, "    ");
		put_safe(out, thread, "why");
		text_putc(out, '\n');
	}
}

void stack_describe(struct text *out, const json_t *stack)
{
	long long left_out = json_integer_value(json_object_get(stack, "left_out"));
	const json_t *thread;
	size_t i;

	json_array_foreach(json_object_get(stack, "threads"), i, thread) describe_thread(out, thread);
	if (left_out)
		text_format(out, "%lld more threads were left out: --tid asks for one\n", left_out);
}
