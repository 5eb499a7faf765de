/* A roster that anybody may have written: what is believed of it has ends, and is within bounds. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "engine/roster.h"

enum { HEADER_SIZE = 56,
	BOOT_ID_AT = 16,
	BOOT_ID_SIZE = 36 };

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size);

static void check(const struct roster_row *row)
{
	struct proc_stat stat = { .pid = row->pid, .starttime = row->after_us };

	if (strlen(row->service) >= sizeof row->service || strlen(row->launched_as) >= DIGEST_SIZE ||
		strlen(row->death.detail) >= DEATH_DETAIL_SIZE || row->state >= STATE_COUNT || row->death.cause >= CAUSE_COUNT ||
		row->wanted > 1 || row->pid < 0)
		__builtin_trap();
	roster_is(row, &stat);
}

/* Of this boot and version, or nothing of it would be looked at. */
static void write_file(FILE *file, const uint8_t *bytes, size_t size)
{
	uint32_t head[] = { 0x726f7374, ROSTER_VERSION, sizeof(struct roster_row) + bytes[0] % 64, bytes[1] };
	char boot_id[HEADER_SIZE - BOOT_ID_AT] = "";
	FILE *boot = fopen("/proc/sys/kernel/random/boot_id", "re");

	if (!boot || !fread(boot_id, 1, BOOT_ID_SIZE + 1, boot))
		abort();
	fclose(boot);
	fwrite(head, sizeof head, 1, file);
	fwrite(boot_id, sizeof boot_id, 1, file);
	fwrite(bytes + 2, size - 2, 1, file);
}

int LLVMFuzzerTestOneInput(const uint8_t *bytes, size_t size)
{
	static char path[64];
	struct former former;

	snprintf(path, sizeof path, "/dev/shm/thrum-fuzz-%d", (int)getpid());
	FILE *file = size > 2 ? fopen(path, "we") : NULL;
	if (!file)
		return 0;
	write_file(file, bytes, size);
	fclose(file);
	const struct roster roster = { path, -1 };
	roster_read_former(&roster, &former);
	for (uint32_t i = 0; i < former.count; i++)
		check(&former.rows[i]);
	former_finish(&former);
	unlink(path);
	return 0;
}
