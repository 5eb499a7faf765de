#include "protocol/answer.h"

#include <string.h>

#define HEAD "{\"jsonrpc\":\"2.0\",\"method\":\"result\",\"params\":"

static void put_ms(struct text *line, const char *name, uint64_t us)
{
	text_puts(line, name);
	text_put_number(line, us / 1000, '.');
	text_putc(line, (char)('0' + us / 100 % 10));
	text_putc(line, (char)('0' + us / 10 % 10));
	text_putc(line, (char)('0' + us % 10));
}

void answer_write(struct text *line, const struct answer *answer)
{
	text_puts(line, HEAD "{\"taskId\":");
	text_put_number(line, answer->task, ',');
	text_puts(line, "\"index\":");
	text_put_number(line, answer->index, ',');
	text_puts(line, answer->ok ? "\"ok\":true,\"result\":" : "\"ok\":false,\"error\":");
	text_append(line, answer->value.at, answer->value.size);
	text_puts(line, ",\"attempts\":");
	text_put_number(line, answer->attempts, ',');
	put_ms(line, "\"wait_ms\":", answer->wait_us);
	put_ms(line, ",\"run_ms\":", answer->run_us);
	text_puts(line, "}}\n");
}

static bool skip(struct span *rest, const char *word)
{
	size_t size = strlen(word);

	if (rest->size < size || memcmp(rest->at, word, size) != 0)
		return false;
	*rest = (struct span){ rest->at + size, rest->size - size };
	return true;
}

static bool read_number(struct span *rest, uint64_t *number)
{
	const char *begin = rest->at;

	for (*number = 0; rest->size && *rest->at >= '0' && *rest->at <= '9'; rest->at++, rest->size--)
		*number = *number * 10 + (uint64_t)(*rest->at - '0');
	return rest->at > begin;
}

bool answer_read(struct told_answer *told, const char *line, size_t size)
{
	struct span rest = { line, size };
	uint64_t task;

	if (size < 2 || memcmp(line + size - 2, "}}", 2) != 0 || !skip(&rest, HEAD))
		return false;
	told->map = (struct span){ rest.at, rest.size - 1 };
	if (!skip(&rest, "{\"taskId\":") || !read_number(&rest, &task) || !skip(&rest, ",\"index\":") ||
		!read_number(&rest, &told->index) || !skip(&rest, ","))
		return false;
	told->outcome = (struct span){ rest.at, rest.size - 2 };
	told->ok = skip(&rest, "\"ok\":true,");
	return told->ok || skip(&rest, "\"ok\":false,");
}
