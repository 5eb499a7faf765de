#include "engine/store.h"

#include <assert.h>
#include <fcntl.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "engine/roster.h"
#include "keeper/protocol.h"

enum { STORE_MAGIC = 0x73746f72,
	STORE_WIPING = 0x77697000,
	PAGE = 4096 };

static_assert(sizeof(struct store) <= 64 * 1024 * 1024, "fits in what the keeper gives");
static_assert(STORE_SOCKET_SLOT + STORE_SOCKETS <= KEEPER_SLOTS, "a keeper slot for each");

static bool instance_makes_sense(const struct instance *instance)
{
	return instance->state < STATE_COUNT && instance->index < STORE_SEATS &&
	       memchr(instance->service, '\0', sizeof instance->service) &&
	       memchr(instance->detail, '\0', sizeof instance->detail);
}

static bool seats_make_sense(const struct store *store)
{
	for (uint32_t i = 0; i < store->seat_top; i++) {
		const struct seat *seat = &store->seats[i];
		if (seat->is_taken &&
			(seat->current > 1 || !instance_makes_sense(&seat->copies[seat->current]) ||
				!memchr(seat->launched_as, '\0', DIGEST_SIZE)))
			return false;
	}
	return true;
}

static bool lives_make_sense(const struct life *lives, uint32_t count)
{
	for (uint32_t i = 0; i < count; i++)
		if (lives[i].state > LIFE_EXITED || lives[i].seat >= STORE_SEATS || lives[i].pid < 0)
			return false;
	return true;
}

/* What would lead an engine astray; no proof that all else is right. */
static bool makes_sense(const struct store *store)
{
	return store->seat_top <= STORE_SEATS && store->life_top <= STORE_LIVES && store->cold < COLD_COUNT &&
	       seats_make_sense(store) && lives_make_sense(store->lives, store->life_top) &&
	       lives_make_sense(store->helpers, STORE_HELPERS);
}

static enum cold is_unusable(const struct store *store)
{
	if (store->magic != STORE_MAGIC || store->abi != STORE_ABI)
		return COLD_ABI;
	return makes_sense(store) ? COLD_NOT : COLD_NONSENSE;
}

/* The first page says to the end that it is being done. Events go on being numbered: more than a million a second never came. */
void store_wipe(struct store *store, int fd, enum cold why)
{
	atomic_store(&store->magic, STORE_WIPING + why);
	fallocate(fd, FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE, PAGE, (off_t)sizeof *store - PAGE);
	memset((char *)store + sizeof store->magic, 0, PAGE - sizeof store->magic);
	store->abi = STORE_ABI;
	store->cold = why;
	store->notice_base = clock_wall_us();
	atomic_store(&store->notice_count, store->notice_base);
	atomic_store(&store->magic, STORE_MAGIC);
}

struct store *store_open(int fd, struct error *err)
{
	struct store *store = mmap(NULL, sizeof *store, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);

	if (store == MAP_FAILED) {
		error_errno(err, "mapping the engine's state");
		return NULL;
	}
	if (store->magic == 0) {
		store->abi = STORE_ABI;
		store->magic = STORE_MAGIC;
	}
	uint32_t was_wiping = store->magic - STORE_WIPING;
	enum cold why = was_wiping > 0 && was_wiping < COLD_COUNT ? (enum cold)was_wiping : is_unusable(store);
	if (why)
		store_wipe(store, fd, why);
	return store;
}

void store_describe_abi(char out[ABI_TEXT_SIZE])
{
	snprintf(out, ABI_TEXT_SIZE, "keeper %d store %d roster %d", KEEPER_ABI, STORE_ABI, ROSTER_VERSION);
}

const struct instance *store_instance(const struct store *store, uint32_t seat)
{
	return &store->seats[seat].copies[store->seats[seat].current];
}

static void put_notice(struct store *store, struct notice *notice, uint64_t seq)
{
	notice->seq = seq;
	store->notices[(seq - 1) % STORE_NOTICES] = *notice;
}

void store_commit(struct store *store, uint32_t number, const struct instance *instance,
	struct notice *notices, unsigned count)
{
	struct seat *seat = &store->seats[number];
	uint32_t next = !seat->current;
	uint64_t newest = store->notice_count;

	for (unsigned i = 0; i < count; i++)
		put_notice(store, &notices[i], ++newest);
	seat->copies[next] = *instance;
	seat->notice_seq[next] = newest;
	atomic_store(&seat->current, next);
	atomic_store(&store->notice_count, newest);
}

void store_tell(struct store *store, struct notice *notice)
{
	uint64_t newest = store->notice_count + 1;

	put_notice(store, notice, newest);
	atomic_store(&store->notice_count, newest);
}

void store_recover(struct store *store)
{
	for (uint32_t i = 0; i < store->seat_top; i++) {
		const struct seat *seat = &store->seats[i];
		if (seat->is_taken && seat->notice_seq[seat->current] > store->notice_count)
			store->notice_count = seat->notice_seq[seat->current];
	}
}

uint64_t store_first_notice(const struct store *store)
{
	uint64_t count = store->notice_count;

	return count - store->notice_base > STORE_NOTICES ? count - STORE_NOTICES + 1 : store->notice_base + 1;
}

const struct notice *store_notice(const struct store *store, uint64_t seq)
{
	return &store->notices[(seq - 1) % STORE_NOTICES];
}

int store_take_seat(struct store *store, const struct instance *instance)
{
	for (uint32_t i = 0; i < STORE_SEATS; i++) {
		struct seat *seat = &store->seats[i];
		if (seat->is_taken)
			continue;
		if (i >= store->seat_top)
			atomic_store(&store->seat_top, i + 1);
		seat->copies[seat->current] = *instance;
		seat->notice_seq[seat->current] = 0;
		seat->launched_as[0] = '\0';
		seat->run_began[0] = seat->run_began[1] = UINT64_MAX;
		atomic_store(&seat->is_taken, 1);
		return (int)i;
	}
	return -1;
}

void store_free_seat(struct store *store, uint32_t seat)
{
	atomic_store(&store->seats[seat].is_taken, 0);
}

static void begin_life(struct store *store, struct life *life, uint32_t seat, uint32_t number)
{
	life->seat = seat;
	life->number = number;
	life->serial = atomic_fetch_add(&store->serial, 1) + 1;
	life->origin = store->origin;
	life->pid = 0;
	life->closed = 0;
	life->began_us = clock_monotonic_us();
	life->began_boot_us = clock_boot_us();
	life->there_boot_us = 0;
	life->failed_errno = 0;
	life->failed_step[0] = '\0';
	atomic_store(&life->state, LIFE_SPAWNING);
}

int store_take_life_at(struct store *store, uint32_t index, uint32_t seat, uint32_t number)
{
	if (store->lives[index].state != LIFE_FREE)
		return -1;
	if (index >= store->life_top)
		atomic_store(&store->life_top, index + 1);
	begin_life(store, &store->lives[index], seat, number);
	return (int)index;
}

int store_take_life(struct store *store, uint32_t seat, uint32_t number)
{
	int index = -1;

	for (uint32_t i = 0; i < STORE_LIVES && index < 0; i++)
		index = store_take_life_at(store, i, seat, number);
	return index;
}

struct life *store_take_helper(struct store *store, uint32_t seat)
{
	for (uint32_t i = 0; i < STORE_HELPERS; i++) {
		if (store->helpers[i].state != LIFE_FREE)
			continue;
		begin_life(store, &store->helpers[i], seat, 0);
		return &store->helpers[i];
	}
	return NULL;
}
