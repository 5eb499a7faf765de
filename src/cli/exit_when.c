#include "cli/exit_when.h"

#include <string.h>

#include "config/gateway.h"

static bool has_ended(const struct row *row)
{
	return row->has_last_death;
}

static bool has_failed(const struct row *row)
{
	return row->state == STATE_FAILED || row->state == STATE_FATAL;
}

/* The gateway is there for the others. */
static bool counts(const struct row *row)
{
	return !gateway_is(row->service);
}

static bool is_any(const struct replica *replica, bool (*is_true)(const struct row *row))
{
	for (size_t i = 0; i < replica->row_count; i++)
		if (counts(&replica->rows[i].row) && is_true(&replica->rows[i].row))
			return true;
	return false;
}

/* One that is tried again after `fatal` is not over. */
static bool is_over(const struct row *row)
{
	return state_is_over(row->state) && !row->deadline_us;
}

static bool are_all_over(const struct replica *replica)
{
	for (size_t i = 0; i < replica->row_count; i++)
		if (counts(&replica->rows[i].row) && !is_over(&replica->rows[i].row))
			return false;
	return true;
}

/* As a shell has it: the exit status, or 128 and the signal. */
static int status_of_row(const struct row *row)
{
	if (!row->has_last_death)
		return 1;
	return row->last_death.signal ? 128 + row->last_death.signal : row->last_death.code;
}

/* Over when all of its instances are; of several statuses, the first that is no success. */
static struct exit_verdict status_of(const struct replica *replica, const char *service)
{
	struct exit_verdict verdict = { false, -1 };

	for (size_t i = 0; i < replica->row_count; i++) {
		const struct row *row = &replica->rows[i].row;
		if (strcmp(row->service, service) != 0)
			continue;
		if (!is_over(row))
			return (struct exit_verdict){ false, -1 };
		verdict.is_over = true;
		if (verdict.status <= 0)
			verdict.status = status_of_row(row);
	}
	return verdict;
}

struct exit_verdict exit_when(const struct replica *replica, const char *when)
{
	if (!when || strcmp(when, "all-done") == 0)
		return (struct exit_verdict){ are_all_over(replica), -1 };
	if (strcmp(when, "never") == 0)
		return (struct exit_verdict){ false, -1 };
	if (strcmp(when, "any-exit") == 0)
		return (struct exit_verdict){ is_any(replica, has_ended), -1 };
	if (strcmp(when, "any-failure") == 0)
		return (struct exit_verdict){ is_any(replica, has_failed), -1 };
	return status_of(replica, when);
}

bool exit_when_is_valid(const char *when, const char *const *services)
{
	static const char *const words[] = { "all-done", "any-exit", "any-failure", "never" };

	for (size_t i = 0; i < sizeof words / sizeof *words; i++)
		if (strcmp(words[i], when) == 0)
			return true;
	for (; *services; services++)
		if (strcmp(*services, when) == 0)
			return true;
	return false;
}
