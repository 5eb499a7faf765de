#include "engine/store.h"

#include <assert.h>
#include <sys/mman.h>

#include "base/clock.h"
#include "keeper/protocol.h"

enum { STORE_MAGIC = 0x73746f72 };

static_assert(sizeof(struct store) <= 64 * 1024 * 1024, "fits in what the keeper gives");
static_assert(STORE_SOCKET_SLOT + STORE_SOCKETS <= KEEPER_SLOTS, "a keeper slot for each");

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
	if (store->magic != STORE_MAGIC || store->abi != STORE_ABI) {
		munmap(store, sizeof *store);
		error_set(err, 0, "the engine's state is of another version: thrum down, then up");
		return NULL;
	}
	return store;
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

	return count > STORE_NOTICES ? count - STORE_NOTICES + 1 : 1;
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

int store_take_life(struct store *store, uint32_t seat, uint32_t number)
{
	for (uint32_t i = 0; i < STORE_LIVES; i++) {
		if (store->lives[i].state != LIFE_FREE)
			continue;
		if (i >= store->life_top)
			atomic_store(&store->life_top, i + 1);
		begin_life(store, &store->lives[i], seat, number);
		return (int)i;
	}
	return -1;
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
