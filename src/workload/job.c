#include "workload/job.h"

#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <thrum.h>
#include <unistd.h>

enum {
	FIB_MOST = 60, /* some hours */
	PATH_SIZE = 4096,
	PIECE = 64 * 1024,
	ECHO_MOST = ANSWER_SIZE - 1
};

static const uint64_t number_most = UINT64_C(1) << 53; /* above it JSON's numbers have gaps */

/* ---- what tasks say ---- */

static int refuse(char *answer, const char *format, ...) __attribute__((format(printf, 2, 3)));

static int refuse(char *answer, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(answer, ANSWER_SIZE, format, args);
	va_end(args);
	return -EINVAL;
}

/* A whole number; words of the command line come as strings. */
static bool read_number(const char *payload, size_t size, const char *name, uint64_t *number)
{
	double value = -1;
	char text[32], after;

	if (thrum_message_number(payload, size, name, &value) < 0 &&
		(thrum_message_string(payload, size, name, text, sizeof text) < 0 || sscanf(text, "%lf%c", &value, &after) != 1))
		return false;
	if (!(value >= 0 && value <= (double)number_most) || value != (double)(uint64_t)value)
		return false;
	*number = (uint64_t)value;
	return true;
}

static bool number_of(const char *payload, size_t size, const char *name, uint64_t *number)
{
	return read_number(payload, size, name, number) || read_number(payload, size, "value", number);
}

/* ---- numbers ---- */

/* As slow as it is on purpose: each step a call. */
static uint64_t fib(uint64_t n)
{
	return n < 2 ? n : fib(n - 1) + fib(n - 2);
}

int job_fib(const char *payload, size_t size, char answer[ANSWER_SIZE])
{
	uint64_t n;

	if (!number_of(payload, size, "n", &n) || n > FIB_MOST)
		return refuse(answer, "a task is {\"n\": N}, and N from 0 to %d", FIB_MOST);
	snprintf(answer, ANSWER_SIZE, "%" PRIu64, fib(n));
	return 0;
}

/* The smallest divisor above 1; the number itself, if it is prime. */
static uint64_t divisor_of(uint64_t number)
{
	if (number % 2 == 0)
		return 2;
	for (uint64_t divisor = 3; divisor <= number / divisor; divisor += 2)
		if (number % divisor == 0)
			return divisor;
	return number;
}

static bool is_prime(uint64_t number)
{
	return number > 1 && divisor_of(number) == number;
}

int job_prime(const char *payload, size_t size, char answer[ANSWER_SIZE])
{
	uint64_t n;

	if (!number_of(payload, size, "n", &n))
		return refuse(answer, "a task is {\"n\": N}, and N from 0 to 2^53");
	if (n < 2 || is_prime(n))
		snprintf(answer, ANSWER_SIZE, "{\"n\":%" PRIu64 ",\"prime\":%s}", n, n < 2 ? "false" : "true");
	else
		snprintf(answer, ANSWER_SIZE, "{\"n\":%" PRIu64 ",\"prime\":false,\"divisor\":%" PRIu64 "}", n, divisor_of(n));
	return 0;
}

uint64_t job_count_primes(uint64_t from, uint64_t below)
{
	uint64_t count = 0;

	for (uint64_t number = from; number < below; number++)
		count += is_prime(number);
	return count;
}

int job_primes(const char *payload, size_t size, char answer[ANSWER_SIZE])
{
	uint64_t from = 0, below;

	if (!number_of(payload, size, "below", &below))
		return refuse(answer, "a task is {\"below\": N}, and perhaps \"from\", from 0 to 2^53");
	read_number(payload, size, "from", &from);
	snprintf(answer, ANSWER_SIZE, "%" PRIu64, job_count_primes(from, below));
	return 0;
}

/* ---- checksums ---- */

static uint32_t checksum_of_byte(uint32_t byte)
{
	uint32_t sum = byte << 24;

	for (int bit = 0; bit < 8; bit++)
		sum = sum << 1 ^ (sum >> 31 ? UINT32_C(0x04c11db7) : 0);
	return sum;
}

/* Every thread that comes first writes the same. */
static const uint32_t *checksum_table(void)
{
	static _Thread_local uint32_t table[256];

	if (!table[1])
		for (uint32_t byte = 0; byte < 256; byte++)
			table[byte] = checksum_of_byte(byte);
	return table;
}

uint32_t job_checksum_add(uint32_t sum, const void *bytes, size_t size)
{
	const uint32_t *table = checksum_table();
	const unsigned char *byte = bytes;

	for (size_t i = 0; i < size; i++)
		sum = sum << 8 ^ table[sum >> 24 ^ byte[i]];
	return sum;
}

uint32_t job_checksum_end(uint32_t sum, uint64_t size)
{
	for (; size; size >>= 8)
		sum = job_checksum_add(sum, &(unsigned char){ (unsigned char)size }, 1);
	return ~sum;
}

/* 0, or a negative errno value. */
static int checksum_file(int fd, uint32_t *sum, uint64_t *size)
{
	char piece[PIECE];
	ssize_t got;

	*sum = 0;
	*size = 0;
	while ((got = read(fd, piece, sizeof piece)) != 0) {
		if (got < 0 && errno == EINTR)
			continue;
		if (got < 0)
			return -errno;
		*sum = job_checksum_add(*sum, piece, (size_t)got);
		*size += (uint64_t)got;
	}
	*sum = job_checksum_end(*sum, *size);
	return 0;
}

int job_checksum(const char *payload, size_t size, char answer[ANSWER_SIZE])
{
	char path[PATH_SIZE];
	uint32_t sum;
	uint64_t bytes;

	if (thrum_message_string(payload, size, "path", path, sizeof path) < 0 &&
		thrum_message_string(payload, size, "value", path, sizeof path) < 0)
		return refuse(answer, "a task is {\"path\": FILE}");
	/* what is no file might never end */
	int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK);
	struct stat facts;
	int status = fd < 0 || fstat(fd, &facts) < 0 ? -errno : S_ISREG(facts.st_mode) ? 0
										       : -EINVAL;
	if (status == 0)
		status = checksum_file(fd, &sum, &bytes);
	if (fd >= 0)
		close(fd);
	if (status < 0)
		return refuse(answer, "%.400s: %s", path, status == -EINVAL ? "no plain file" : strerror(-status));
	snprintf(answer, ANSWER_SIZE, "{\"checksum\":%" PRIu32 ",\"bytes\":%" PRIu64 "}", sum, bytes);
	return 0;
}

/* ---- nothing ---- */

int job_echo(const char *payload, size_t size, char answer[ANSWER_SIZE])
{
	const char *value;
	size_t value_size;

	if (thrum_message_member(payload, size, "value", &value, &value_size) < 0 &&
		thrum_message_member(payload, size, "id", &value, &value_size) < 0)
		return refuse(answer, "a task without a number");
	if (value_size > ECHO_MOST)
		return refuse(answer, "a value of %zu bytes; %d are the most", value_size, ECHO_MOST);
	memcpy(answer, value, value_size);
	answer[value_size] = '\0';
	return 0;
}
