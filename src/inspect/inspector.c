#include "inspect/inspector.h"

#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "base/memory.h"
#include "inspect/finding.h"
#include "inspect/path.h"
#include "inspect/peers.h"
#include "inspect/subject.h"
#include "model/sample.h"
#include "procfs/file.h"
#include "procfs/stat.h"

enum {
	SUBJECTS_LEAST = 16,
	SUBJECTS_MOST = 1024,
	DESCRIPTORS_SHARE = 8, /* of those that we may open, one in so many is a subject's */
	IMAGES_MOST = 256,
};

struct known_image {
	uint64_t device, inode, size;
	struct timespec changed;
	struct image image;
};

struct inspector {
	struct workshop workshop;
	struct subject *subjects; /* owned; subject_count of them are open */
	size_t subject_count, subject_room, subject_most;
	struct known_image *images; /* owned; a ring of IMAGES_MOST */
	size_t image_count;         /* ever read */
	uint64_t turn;
	bool is_round;
	struct directory *directory; /* owned; of this round; NULL: nobody has asked yet */
};

/* ---- what files say ---- */

static bool is_same(const struct known_image *known, const struct stat *st)
{
	return known->device == st->st_dev && known->inode == st->st_ino && known->size == (uint64_t)st->st_size &&
	       known->changed.tv_sec == st->st_mtim.tv_sec && known->changed.tv_nsec == st->st_mtim.tv_nsec;
}

static const struct image *find_image(const struct inspector *inspector, const struct stat *st)
{
	size_t count = inspector->image_count < IMAGES_MOST ? inspector->image_count : IMAGES_MOST;

	for (size_t i = 0; i < count; i++)
		if (is_same(&inspector->images[i], st))
			return &inspector->images[i].image;
	return NULL;
}

static const struct image *image_of(void *context, const struct map_file *file, int32_t pid)
{
	struct inspector *inspector = context;
	const struct image *image = NULL;
	struct stat st;
	int fd = maps_open(file, pid);

	if (fd < 0)
		return NULL;
	if (fstat(fd, &st) == 0 && S_ISREG(st.st_mode) && !(image = find_image(inspector, &st))) {
		struct known_image *known = &inspector->images[inspector->image_count++ % IMAGES_MOST];
		*known = (struct known_image){ .device = st.st_dev,
			.inode = st.st_ino,
			.size = (uint64_t)st.st_size,
			.changed = st.st_mtim };
		image_read(&known->image, fd);
		image = &known->image;
	}
	close(fd);
	return image;
}

/* ---- whom it knows ---- */

static size_t subjects_most(void)
{
	struct rlimit limit;

	if (getrlimit(RLIMIT_NOFILE, &limit) < 0 || limit.rlim_cur / DESCRIPTORS_SHARE > SUBJECTS_MOST)
		return SUBJECTS_MOST;
	size_t share = limit.rlim_cur / DESCRIPTORS_SHARE;
	return share < SUBJECTS_LEAST ? SUBJECTS_LEAST : share;
}

struct inspector *inspector_create(void)
{
	struct inspector *inspector = memory_zeroed(1, sizeof *inspector);

	memory_reader_init(&inspector->workshop.memory);
	inspector->workshop.walk = memory_zeroed(1, sizeof *inspector->workshop.walk);
	inspector->workshop.image_of = image_of;
	inspector->workshop.context = inspector;
	inspector->images = memory_zeroed(IMAGES_MOST, sizeof *inspector->images);
	inspector->subject_most = subjects_most();
	inspector->workshop.budget = crew_budget_of_process();
	return inspector;
}

void inspector_destroy(struct inspector *inspector)
{
	if (!inspector)
		return;
	for (size_t i = 0; i < inspector->subject_count; i++)
		subject_close(&inspector->subjects[i]);
	crew_budget_finish(&inspector->workshop.budget);
	memory_reader_finish(&inspector->workshop.memory);
	directory_destroy(inspector->directory);
	free(inspector->workshop.walk);
	free(inspector->images);
	free(inspector->subjects);
	free(inspector);
}

/* A place for one more: when all are taken, that of whom nobody has asked for longest. */
static struct subject *make_room(struct inspector *inspector)
{
	struct subject *oldest = inspector->subjects;

	if (inspector->subject_count < inspector->subject_most) {
		if (inspector->subject_count == inspector->subject_room) {
			inspector->subject_room = inspector->subject_room ? inspector->subject_room * 2 : 4;
			inspector->subjects = memory_resize(inspector->subjects, inspector->subject_room,
				sizeof *inspector->subjects);
		}
		return &inspector->subjects[inspector->subject_count++];
	}
	for (size_t i = 1; i < inspector->subject_count; i++)
		if (inspector->subjects[i].used < oldest->used)
			oldest = &inspector->subjects[i];
	subject_close(oldest);
	return oldest;
}

static struct subject *find_subject(struct inspector *inspector, int32_t pid, uint64_t starttime)
{
	struct subject *subject = NULL;

	for (size_t i = 0; i < inspector->subject_count && !subject; i++)
		if (inspector->subjects[i].pid == pid)
			subject = &inspector->subjects[i];
	if (subject && subject->starttime != starttime) {
		subject_close(subject);
		subject_open(subject, pid, starttime);
	} else if (!subject) {
		subject = make_room(inspector);
		subject_open(subject, pid, starttime);
	}
	subject->used = ++inspector->turn;
	return subject;
}

/* ---- looking ---- */

/* Whoever waited and has not run since waits still. */
static void stand_still(struct subject *subject, struct inside *inside)
{
	*inside = subject->last;
	if (inside->utilisation > 0)
		inside->utilisation = 0;
}

void inspector_sum(struct inspector *inspector, int32_t pid, uint64_t starttime, uint64_t threads,
	struct inside *inside)
{
	struct subject *subject = find_subject(inspector, pid, starttime);
	uint64_t cpu_ns = proc_cpu_ns(pid);
	struct study study = { 0 };

	if (subject->is_quiet && cpu_ns == subject->cpu_ns && cpu_ns != SAMPLE_UNKNOWN) {
		stand_still(subject, inside);
		return;
	}
	subject->cpu_ns = cpu_ns;
	subject_read(subject, &inspector->workshop, threads, &study);
	*inside = study.inside;
	study_finish(&study);
}

static void take_name(struct study *study)
{
	char path[INSPECT_PATH_SIZE];

	if (proc_file_read(AT_FDCWD, inspect_path(path, study->pid, "comm"), study->process, sizeof study->process) > 0)
		study->process[strcspn(study->process, "\n")] = '\0';
}

/* Descriptors for so many threads: those are let go whom nobody has looked at for longest. */
static void make_budget(struct inspector *inspector, const struct subject *wanting, uint64_t threads)
{
	const struct crew_budget *budget = &inspector->workshop.budget;

	while (budget->used && budget->used + threads > budget->most) {
		struct subject *oldest = NULL;
		for (size_t i = 0; i < inspector->subject_count; i++) {
			struct subject *subject = &inspector->subjects[i];
			if (subject != wanting && subject->crew.is_open && (!oldest || subject->used < oldest->used))
				oldest = subject;
		}
		if (!oldest)
			return;
		crew_close(&oldest->crew);
	}
}

void inspector_begin_round(struct inspector *inspector)
{
	inspector->is_round = true;
}

void inspector_end_round(struct inspector *inspector)
{
	inspector->is_round = false;
	directory_destroy(inspector->directory);
	inspector->directory = NULL;
}

bool inspector_study(struct inspector *inspector, int32_t pid, struct study *study, struct error *err)
{
	struct proc_stat stat;

	*study = (struct study){ .pid = pid, .inside = INSIDE_UNKNOWN };
	if (!proc_stat_read(pid, &stat) || proc_is_dead(stat.state, stat.threads))
		return error_set(err, 0, "there is no process %d", (int)pid);
	struct subject *subject = find_subject(inspector, pid, stat.starttime);
	take_name(study);
	subject->cpu_ns = proc_cpu_ns(pid);
	subject_read(subject, &inspector->workshop, stat.threads, study);
	make_budget(inspector, subject, stat.threads);
	subject_read_threads(subject, &inspector->workshop, study);
	if (inspector->is_round && !inspector->directory)
		inspector->directory = directory_create();
	subject_read_peers(subject, inspector->directory, study);
	findings_add(study, subject->reason);
	return true;
}
