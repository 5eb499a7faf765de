#include <errno.h>
#include <malloc.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <ucontext.h>
#include "tests/explore/explore.h"

enum {
	THREADS = 8,
	STACK_SIZE = 128 << 10,
	CHOICES = 4096,
	STEPS = 100000, /* who takes more goes round for ever */
	SITES = 512,
	PLACES = 1024, /* of memory, in one run; a power of two */
	LATE = 16,     /* stores of one thread */
	PLACE_SITES = 32,
	ROUNDS = 50, /* of one thread that goes round alone */
	LOCAL_SIZE = 256,
	FREED = 64,
	TOLD = 100, /* steps of the story */
	STORY_SIZE = 16384
};

enum stand {
	ABSENT,
	ABLE,
	WAITING, /* for a wake */
	LOCKED,  /* until a mutex is free */
	JOINING,
	CHECKING, /* a condition */
	GONE
};

struct late {
	volatile void *at;
	size_t size;
	uint64_t value;
};

struct thread {
	enum stand stand;
	bool relaxed;         /* goes on when another one has written, or nobody else can */
	unsigned rounds_left; /* nobody else could: it may go round so often */
	bool in_vain;         /* it went round as often, and nothing came of it */
	bool timed_out;
	const volatile void *word; /* of a futex, a condition variable or a mutex */
	uint64_t deadline_ns;
	uint64_t order; /* in which they have begun to wait */
	unsigned other;
	bool (*is_true)(void *);
	void *checked;
	struct late late[LATE];
	unsigned late_count;
	struct explore_cleanup *cleanups;
	void *(*work)(void *);
	void *data;
	char local[LOCAL_SIZE];
	jmp_buf context, outermost;
	bool has_stack;
	char *stack;
};

struct choice {
	unsigned char count, chosen;
};

struct step {
	unsigned char thread;
	const struct explore_site *site;
	uint64_t value;
	const char *note;
};

/* Who came to a place of memory in this run, from which sites. */
struct place {
	uintptr_t at;
	unsigned run;
	unsigned char threads;
	bool written;
	unsigned short sites[PLACE_SITES];
	unsigned site_count;
};

static struct thread threads[THREADS];
static unsigned thread_count, current;
static struct choice choices[CHOICES];
static unsigned choice_count, choices_made;
static unsigned preemptions_left, delays_left;
static struct explore_bounds bounds;
static const struct explore_plant *plant;
static struct explore_site *sites, *numbered[SITES];
static unsigned site_count;
static bool more_shared;
static struct place places[PLACES];
static unsigned run;
static struct step told[TOLD];
static unsigned long step_count, told_count;
static uint64_t clock_ns, wait_order;
static bool failed, looks_away;
static char story[STORY_SIZE];
static jmp_buf base;
static char local_initial[LOCAL_SIZE];

/* Variables of each thread: see instrument.h */
static char filler __attribute__((section("explore_local"), used, aligned(16)));
extern char __start_explore_local[], __stop_explore_local[];

/* -- What went wrong -- */

static void tell(const char *format, ...) __attribute__((format(printf, 1, 2)));

static void tell(const char *format, ...)
{
	size_t length = strlen(story);
	va_list arguments;

	va_start(arguments, format);
	vsnprintf(story + length, sizeof story - length, format, arguments);
	va_end(arguments);
}

static void tell_steps(void)
{
	static const char *const names[] = { "load", "store", "change", "wait", "wake", "lock" };
	unsigned long first = told_count > TOLD ? told_count - TOLD : 0;

	for (unsigned long i = first; i < told_count; i++) {
		const struct step *step = &told[i % TOLD];

		tell("  thread %u: ", step->thread);
		if (step->site)
			tell("%s in %s:%d, %#llx%s\n", names[step->site->kind], step->site->function, step->site->line,
				(unsigned long long)step->value, step->note);
		else
			tell("%s\n", step->note);
	}
}

static _Noreturn void fail(const char *what, const char *detail, int line)
{
	failed = true;
	tell("%s%s", what, detail);
	if (line)
		tell(" (line %d)", line);
	tell(", in thread %u of %u; the last steps:\n", current, thread_count);
	tell_steps();
	_longjmp(base, 1);
}

void explore_judge(bool truth, const char *claim, int line)
{
	if (!truth)
		fail("this did not hold: ", claim, line);
}

const char *explore_story(void)
{
	return story;
}

static void note(const struct explore_site *site, uint64_t value, const char *text)
{
	if (++step_count > STEPS)
		fail("it goes on for ever", "", 0);
	if (threads[current].rounds_left == 0)
		told[told_count++ % TOLD] = (struct step){ (unsigned char)current, site, value, text };
}

/* -- Sites, and what several threads come to -- */

static void enlist(struct explore_site *site)
{
	if (site->number)
		return;
	site->number = ++site_count;
	site->next = sites;
	sites = site;
	if (site_count >= SITES)
		fail("too many sites", "", 0);
	numbered[site->number] = site;
}

static bool has_fault(const struct explore_site *site, enum explore_fault fault)
{
	return plant && plant->fault == fault && plant->kind == site->kind && strcmp(plant->function, site->function) == 0;
}

static struct place *place_of(const volatile void *at)
{
	uintptr_t address = (uintptr_t)at & ~(uintptr_t)3;
	unsigned i = (unsigned)(address >> 2) * 2654435761U % PLACES;

	for (unsigned tries = 0; tries < PLACES; tries++, i = (i + 1) % PLACES) {
		if (places[i].run != run) {
			places[i] = (struct place){ .at = address, .run = run };
			return &places[i];
		}
		if (places[i].at == address)
			return &places[i];
	}
	fail("too many places", "", 0);
}

static void share(struct place *place)
{
	for (unsigned i = 0; i < place->site_count; i++) {
		struct explore_site *site = numbered[place->sites[i]];

		more_shared |= !site->to_share;
		site->to_share = true;
	}
}

static void notice(struct explore_site *site, const volatile void *at, bool writes)
{
	struct place *place = place_of(at);
	unsigned i = 0;

	enlist(site);
	while (i < place->site_count && place->sites[i] != site->number)
		i++;
	if (i == PLACE_SITES)
		fail("too many sites of one place", "", 0);
	if (i == place->site_count)
		place->sites[place->site_count++] = (unsigned short)site->number;
	place->threads |= (unsigned char)(1U << current);
	place->written |= writes;
	if (place->written && place->threads & (place->threads - 1))
		share(place);
}

/* -- Memory -- */

static uint64_t read_memory(const volatile void *at, size_t size)
{
	uint64_t value = 0;

	memcpy(&value, (const void *)(uintptr_t)at, size);
	return value;
}

static void wrote(void)
{
	for (unsigned i = 0; i < thread_count; i++) {
		threads[i].rounds_left = 0;
		if (i != current)
			threads[i].relaxed = false;
	}
}

static void write_memory(volatile void *at, size_t size, uint64_t value)
{
	if (memcmp((const void *)(uintptr_t)at, &value, size) == 0)
		return;
	memcpy((void *)(uintptr_t)at, &value, size);
	wrote();
}

static void settle(struct thread *thread)
{
	for (unsigned i = 0; i < thread->late_count; i++)
		write_memory(thread->late[i].at, thread->late[i].size, thread->late[i].value);
	thread->late_count = 0;
}

/* What this thread has written there itself and others have not seen. */
static struct late *own_late(const volatile void *at)
{
	struct thread *thread = &threads[current];

	for (unsigned i = thread->late_count; i-- > 0;)
		if (thread->late[i].at == at)
			return &thread->late[i];
	return NULL;
}

/* What is freed stays there until the end of the run, for who touches it still. */
static struct {
	char *block;
	size_t size;
} freed[FREED];
static unsigned freed_count;

void explore_free(void *block)
{
	if (!block)
		return;
	settle(&threads[current]);
	if (freed_count == FREED)
		fail("too much is freed", "", 0);
	freed[freed_count].block = block;
	freed[freed_count++].size = malloc_usable_size(block);
}

static void free_all(void)
{
	while (freed_count > 0)
		free(freed[--freed_count].block);
}

static void claim_alive(const struct explore_site *site, const volatile void *at)
{
	for (unsigned i = 0; i < freed_count; i++)
		if ((uintptr_t)at - (uintptr_t)freed[i].block < freed[i].size) {
			note(site, 0, "");
			fail("what was freed is touched", "", 0);
		}
}

/* -- Choices -- */

static unsigned choose(unsigned count)
{
	struct choice *choice = &choices[choices_made];

	if (count <= 1 || looks_away)
		return 0;
	if (choices_made == CHOICES)
		fail("too many choices", "", 0);
	if (choices_made == choice_count)
		choices[choice_count++] = (struct choice){ (unsigned char)count, 0 };
	else if (choice->count != count)
		fail("a run is not like the former", "", 0);
	choices_made++;
	return choice->chosen;
}

/* To the next run; false if there is none. */
static bool next_choices(void)
{
	while (choice_count > 0 && choices[choice_count - 1].chosen + 1 == choices[choice_count - 1].count)
		choice_count--;
	if (choice_count == 0)
		return false;
	choices[choice_count - 1].chosen++;
	return true;
}

static bool can_go_on(const struct thread *thread)
{
	switch (thread->stand) {
	case ABLE:
		return true;
	case LOCKED:
		return *(const volatile int *)thread->word == 0;
	case JOINING:
		return threads[thread->other].stand == GONE;
	case CHECKING:
		return thread->is_true(thread->checked);
	default:
		return false;
	}
}

static void on_stack(void)
{
	struct thread *self = &threads[current];

	for (;;) {
		/* Here a thread ends that is ended in the midst */
		_setjmp(self->outermost);
		if (self->work) {
			void *(*work)(void *) = self->work;

			self->work = NULL;
			work(self->data);
		}
		while (self->cleanups)
			explore_cleanup_pop(true);
		settle(self);
		self->stand = GONE;
		explore_relax();
	}
}

static void begin_stack(struct thread *thread)
{
	static ucontext_t context, back;

	if (!thread->stack)
		thread->stack = malloc(STACK_SIZE);
	getcontext(&context);
	context.uc_stack.ss_sp = thread->stack;
	context.uc_stack.ss_size = STACK_SIZE;
	makecontext(&context, on_stack, 0);
	thread->has_stack = true;
	swapcontext(&back, &context);
}

static void go_on_as(unsigned next)
{
	size_t local_size = (size_t)(__stop_explore_local - __start_explore_local);

	if (next == current)
		return;
	if (_setjmp(threads[current].context))
		return;
	memcpy(threads[current].local, __start_explore_local, local_size);
	memcpy(__start_explore_local, threads[next].local, local_size);
	current = next;
	if (threads[next].has_stack)
		_longjmp(threads[next].context, 1);
	begin_stack(&threads[next]);
}

enum option_kind {
	GO_ON,
	SETTLE,
	TIME_OUT
};

struct option {
	enum option_kind kind;
	unsigned thread;
	bool costs;
};

static unsigned list_able(struct option *options, bool with_current, bool relaxed)
{
	unsigned count = 0;

	for (unsigned i = 0; i < thread_count; i++)
		if ((with_current || i != current) && threads[i].relaxed == relaxed && can_go_on(&threads[i]))
			options[count++] = (struct option){ GO_ON, i, false };
	return count;
}

static unsigned list_late(struct option *options)
{
	unsigned count = 0;

	for (unsigned i = 0; i < thread_count; i++)
		if (i != current && threads[i].late_count > 0)
			options[count++] = (struct option){ SETTLE, i, false };
	return count;
}

static unsigned list_timed(struct option *options)
{
	unsigned count = 0;

	for (unsigned i = 0; i < thread_count; i++)
		if (threads[i].stand == WAITING && threads[i].deadline_ns != UINT64_MAX)
			options[count++] = (struct option){ TIME_OUT, i, true };
	return count;
}

static void time_out(struct thread *thread)
{
	thread->stand = ABLE;
	thread->timed_out = true;
	if (clock_ns < thread->deadline_ns)
		clock_ns = thread->deadline_ns;
}

static void follow(const struct option *option)
{
	if (option->costs)
		preemptions_left--;
	if (option->kind == SETTLE) {
		note(NULL, 0, "what another one has written is seen");
		settle(&threads[option->thread]);
		return;
	}
	if (option->kind == TIME_OUT) {
		note(NULL, 0, "time passes");
		time_out(&threads[option->thread]);
	}
	threads[option->thread].relaxed = false;
	go_on_as(option->thread);
}

/* Before each operation on what is shared: somebody else may go on. */
static void point(void)
{
	struct option options[1 + 3 * THREADS] = { { GO_ON, current, false } };
	unsigned count, chosen;

	if (threads[current].rounds_left > 0 || looks_away)
		return;
	do {
		count = 1;
		count += list_late(options + count);
		if (preemptions_left > 0) {
			unsigned first = count;

			count += list_able(options + count, false, false);
			count += list_timed(options + count);
			for (; first < count; first++)
				options[first].costs = true;
		}
		chosen = choose(count);
		if (chosen > 0)
			follow(&options[chosen]);
	} while (options[chosen].kind == SETTLE);
}

static void end_run(void)
{
	for (unsigned i = 0; i < thread_count; i++)
		if (threads[i].stand != GONE)
			fail("nobody can go on", "", 0);
	if (!_setjmp(threads[current].context))
		_longjmp(base, 1);
}

/* Of those who go round in vain. */
static unsigned list_relaxed(struct option *options)
{
	unsigned count = list_able(options, false, true);

	if (count == 0)
		count = list_able(options, true, true);
	return count;
}

static unsigned list_late_hours(struct option *options)
{
	unsigned count = list_timed(options);

	for (unsigned i = 0; i < count; i++)
		options[i].costs = false;
	return count;
}

static unsigned next_in_turn(const struct option *options, unsigned count)
{
	for (unsigned i = 0; i < count; i++)
		if (options[i].thread > current)
			return i;
	return 0;
}

/* This thread does not go on now. */
static void give_way(void)
{
	struct option options[3 * THREADS];
	unsigned count = list_able(options, true, false), chosen;
	bool alone = count == 0;

	if (count == 0)
		count = list_relaxed(options);
	if (count == 0)
		count = list_late_hours(options);
	if (count == 0) {
		end_run();
		return;
	}
	/* In turn, if whoever was chosen has gone round in vain */
	chosen = threads[current].in_vain ? next_in_turn(options, count) : choose(count);
	threads[current].in_vain = false;
	if (alone)
		threads[options[chosen].thread].rounds_left = ROUNDS;
	follow(&options[chosen]);
}

static void block(enum stand stand)
{
	struct thread *self = &threads[current];

	settle(self);
	self->stand = stand;
	if (stand == WAITING)
		self->order = wait_order++;
	give_way();
	self->stand = ABLE;
}

/* -- Operations -- */

static void step(struct explore_site *site, const volatile void *at, bool writes)
{
	notice(site, at, writes);
	if (site->shared)
		point();
	/* A wake looks at no memory: somebody who sleeps elsewhere may look again, at most */
	if (site->kind != EXPLORE_WAKE)
		claim_alive(site, at);
}

uint64_t explore_load(struct explore_site *site, const volatile void *at, size_t size)
{
	const struct late *late;
	uint64_t value;

	step(site, at, false);
	late = own_late(at);
	value = late ? late->value : read_memory(at, size);
	note(site, value, "");
	return value;
}

static bool is_late(struct thread *self, const struct explore_site *site, const volatile void *at, int order)
{
	if (order == __ATOMIC_SEQ_CST)
		return false;
	if (own_late(at))
		return true;
	if (!site->shared || delays_left == 0 || self->late_count == LATE)
		return false;
	if (choose(2) == 0)
		return false;
	delays_left--;
	return true;
}

void explore_store(struct explore_site *site, volatile void *at, size_t size, uint64_t value, int order)
{
	struct thread *self = &threads[current];

	if (has_fault(site, EXPLORE_WEAKEN))
		order = __ATOMIC_RELAXED;
	step(site, at, true);
	if (is_late(self, site, at, order)) {
		note(site, value, " (late)");
		self->late[self->late_count++] = (struct late){ at, size, value };
		return;
	}
	if (order != __ATOMIC_RELAXED)
		settle(self);
	note(site, value, "");
	write_memory(at, size, value);
}

static uint64_t changed(uint64_t value, enum explore_change change, uint64_t operand)
{
	switch (change) {
	case CHANGE_ADD:
		return value + operand;
	case CHANGE_SUB:
		return value - operand;
	case CHANGE_AND:
		return value & operand;
	case CHANGE_OR:
		return value | operand;
	case CHANGE_XOR:
		return value ^ operand;
	default:
		return operand;
	}
}

static void begin_change(struct explore_site *site, volatile void *at, int order)
{
	bool lets_late = order == __ATOMIC_RELAXED || order == __ATOMIC_ACQUIRE || has_fault(site, EXPLORE_WEAKEN);

	step(site, at, true);
	if (!lets_late || own_late(at))
		settle(&threads[current]);
}

uint64_t explore_change(struct explore_site *site, volatile void *at, size_t size, enum explore_change change, uint64_t operand, int order)
{
	uint64_t former;

	begin_change(site, at, order);
	former = read_memory(at, size);
	if (has_fault(site, EXPLORE_TEAR))
		point();
	note(site, former, "");
	write_memory(at, size, changed(former, change, operand));
	return former;
}

bool explore_compare(struct explore_site *site, volatile void *at, size_t size, void *expected, uint64_t desired, int order)
{
	uint64_t former;

	begin_change(site, at, order);
	former = read_memory(at, size);
	note(site, former, "");
	if (former != read_memory(expected, size)) {
		memcpy(expected, &former, size);
		return false;
	}
	if (has_fault(site, EXPLORE_TEAR))
		point();
	write_memory(at, size, desired);
	return true;
}

void explore_fence(void)
{
	settle(&threads[current]);
}

uint64_t explore_now_ns(void)
{
	return ++clock_ns;
}

void explore_relax(void)
{
	struct thread *self = &threads[current];

	settle(self);
	if (self->stand == GONE) {
		give_way();
		return;
	}
	if (self->rounds_left > 0) {
		if (--self->rounds_left > 0)
			return;
		self->in_vain = true;
	}
	self->relaxed = true;
	give_way();
}

static int sleep_on(const volatile void *word, uint64_t deadline_ns)
{
	struct thread *self = &threads[current];

	if (deadline_ns <= clock_ns)
		return -ETIMEDOUT;
	self->word = word;
	self->deadline_ns = deadline_ns;
	self->timed_out = false;
	self->rounds_left = 0;
	block(WAITING);
	return self->timed_out ? -ETIMEDOUT : 0;
}

int explore_futex_wait(struct explore_site *site, const volatile void *word, uint32_t value, uint64_t deadline_ns)
{
	settle(&threads[current]);
	step(site, word, false);
	note(site, read_memory(word, 4), "");
	if (read_memory(word, 4) != value && !has_fault(site, EXPLORE_BLIND))
		return 0;
	return sleep_on(word, deadline_ns);
}

/* Whoever has waited longest. */
static struct thread *first_waiting(const volatile void *word)
{
	struct thread *first = NULL;

	for (unsigned i = 0; i < thread_count; i++)
		if (threads[i].stand == WAITING && threads[i].word == word && (!first || threads[i].order < first->order))
			first = &threads[i];
	return first;
}

int explore_futex_wake(struct explore_site *site, const volatile void *word, int count)
{
	struct thread *thread;
	int woken = 0;

	settle(&threads[current]);
	step(site, word, true);
	note(site, (uint64_t)count, "");
	if (has_fault(site, EXPLORE_DROP))
		return 0;
	for (; woken < count && (thread = first_waiting(word)); woken++)
		thread->stand = ABLE;
	if (woken > 0)
		wrote();
	return woken;
}

int explore_lock(struct explore_site *site, void *mutex)
{
	struct thread *self = &threads[current];

	step(site, mutex, true);
	note(site, read_memory(mutex, 4), "");
	self->word = mutex;
	self->rounds_left = 0;
	settle(self);
	while (read_memory(mutex, 4) != 0)
		block(LOCKED);
	write_memory(mutex, 4, 1);
	return 0;
}

int explore_unlock(void *mutex)
{
	settle(&threads[current]);
	write_memory(mutex, 4, 0);
	return 0;
}

int explore_condition_wait(struct explore_site *site, void *condition, void *mutex, uint64_t deadline_ns)
{
	int status;

	step(site, condition, false);
	note(site, 0, "");
	explore_unlock(mutex);
	status = sleep_on(condition, deadline_ns);
	explore_lock(site, mutex);
	return -status;
}

void explore_condition_wake(struct explore_site *site, void *condition, int count)
{
	explore_futex_wake(site, condition, count);
}

/* -- Threads -- */

static unsigned add_thread(void *(*work)(void *), void *data)
{
	struct thread *thread = &threads[thread_count];

	if (thread_count == THREADS)
		fail("too many threads", "", 0);
	thread->stand = ABLE;
	thread->relaxed = thread->in_vain = thread->timed_out = false;
	thread->rounds_left = 0;
	thread->late_count = 0;
	thread->cleanups = NULL;
	thread->work = work;
	thread->data = data;
	memcpy(thread->local, local_initial, sizeof thread->local);
	return thread_count++;
}

unsigned explore_start(void *(*work)(void *), void *data)
{
	unsigned thread;

	settle(&threads[current]);
	thread = add_thread(work, data);
	note(NULL, 0, "starts another");
	wrote();
	return thread;
}

int explore_join(unsigned thread)
{
	struct thread *self = &threads[current];

	self->other = thread;
	self->rounds_left = 0;
	settle(self);
	if (threads[thread].stand != GONE)
		block(JOINING);
	return 0;
}

void explore_until(bool (*is_true)(void *), void *data)
{
	struct thread *self = &threads[current];

	self->is_true = is_true;
	self->checked = data;
	self->rounds_left = 0;
	settle(self);
	if (!is_true(data))
		block(CHECKING);
}

static bool nobody_else(void *unused)
{
	(void)unused;
	for (unsigned i = 1; i < thread_count; i++)
		if (can_go_on(&threads[i]))
			return false;
	return true;
}

void explore_look(bool at_this)
{
	looks_away = true;
	explore_until(nobody_else, NULL);
	looks_away = !at_this;
}

_Noreturn void explore_exit(void)
{
	while (threads[current].cleanups)
		explore_cleanup_pop(true);
	_longjmp(threads[current].outermost, 1);
}

void explore_cleanup_push(struct explore_cleanup *cleanup)
{
	cleanup->outer = threads[current].cleanups;
	threads[current].cleanups = cleanup;
}

void explore_cleanup_pop(bool runs)
{
	struct explore_cleanup *cleanup = threads[current].cleanups;

	threads[current].cleanups = cleanup->outer;
	if (runs)
		cleanup->work(cleanup->data);
}

/* -- Runs -- */

static void *begin_scenario(void *scenario)
{
	(*(explore_scenario **)scenario)();
	return NULL;
}

static void run_once(explore_scenario **scenario)
{
	run++;
	choices_made = 0;
	step_count = told_count = 0;
	clock_ns = 1000;
	thread_count = 0;
	preemptions_left = bounds.preemptions;
	delays_left = bounds.delays;
	looks_away = false;
	add_thread(begin_scenario, scenario);
	current = 0;
	memcpy(__start_explore_local, local_initial, (size_t)(__stop_explore_local - __start_explore_local));
	if (_setjmp(base) == 0) {
		if (threads[0].has_stack)
			_longjmp(threads[0].context, 1);
		begin_stack(&threads[0]);
	}
}

static void take_over_sharing(void)
{
	for (struct explore_site *site = sites; site; site = site->next)
		site->shared = site->to_share;
}

unsigned long explore_run(explore_scenario *scenario, struct explore_bounds bounds_, const struct explore_plant *plant_)
{
	unsigned long count;

	bounds = bounds_;
	plant = plant_;
	memcpy(local_initial, __start_explore_local, (size_t)(__stop_explore_local - __start_explore_local));
	/* As long as more is found to be shared, there are more points */
	do {
		more_shared = false;
		choice_count = 0;
		count = 0;
		do {
			run_once(&scenario);
			free_all();
			count++;
		} while (!failed && next_choices());
		take_over_sharing();
	} while (!failed && more_shared);
	return failed ? 0 : count;
}

const struct explore_site *explore_sites(void)
{
	return sites;
}

bool explore_can_plant(enum explore_fault fault, enum explore_kind kind)
{
	static const bool can[][EXPLORE_KINDS] = {
		[EXPLORE_WEAKEN] = { [EXPLORE_STORE] = true, [EXPLORE_CHANGE] = true },
		[EXPLORE_TEAR] = { [EXPLORE_CHANGE] = true },
		[EXPLORE_DROP] = { [EXPLORE_WAKE] = true },
		[EXPLORE_BLIND] = { [EXPLORE_WAIT] = true },
	};

	return can[fault][kind];
}
