#include "engine/watch.h"

#include <dirent.h>
#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/inotify.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "base/pattern.h"

enum { EVENTS = IN_CLOSE_WRITE | IN_CREATE | IN_DELETE | IN_MOVED_FROM | IN_MOVED_TO | IN_ONLYDIR,
	GLOBS_MOST = 64,
	DEPTH_MOST = 64,
	EVENTS_SIZE = 64 * 1024 };

/* A folder that the kernel watches for us. */
struct folder {
	int number;       /* of inotify */
	char *path;       /* owned; absolute */
	const char *root; /* borrowed: the path of the service that led here */
	char *only;       /* owned; the one file in it that counts; NULL: all */
};

struct watch {
	struct engine *engine;
	struct watch *next;
	char service[SERVICE_NAME_MOST + 1];
	struct strings paths;                /* owned; a copy: the service may go first */
	struct pattern *include[GLOBS_MOST]; /* owned */
	struct pattern *exclude[GLOBS_MOST];
	unsigned include_count, exclude_count;
	uint32_t debounce_ms;
	int fd;
	struct folder *folders; /* owned; the work's while it is under way, then the loop's */
	size_t folder_count, folder_room;
	bool is_cut;
	int reason;        /* errno of the first path that could not be watched */
	char trouble[256]; /* … and what it was */
	bool is_working, is_gone;
	char changed[DEATH_DETAIL_SIZE];
	uv_work_t work;
	uv_poll_t poll;
	uv_timer_t quiet;
	unsigned open_handles;
};

/* ---- which paths count ---- */

static bool matches_any(struct pattern *const *patterns, unsigned count, const char *path)
{
	for (unsigned i = 0; i < count; i++)
		if (pattern_matches(patterns[i], path, strlen(path)))
			return true;
	return false;
}

static bool is_never_watched(const char *name)
{
	return strcmp(name, ".git") == 0 || strcmp(name, "node_modules") == 0 ||
	       strcmp(name, ".hg") == 0 || strcmp(name, "__pycache__") == 0;
}

/* Globs see the path from the folder that is watched on, and the name by itself. */
static bool is_excluded(const struct watch *watch, const char *root, const char *path)
{
	size_t length = strlen(root);
	const char *below = strncmp(path, root, length) == 0 && path[length] == '/' ? path + length + 1
										    : path;
	const char *name = strrchr(path, '/');

	name = name ? name + 1 : path;
	if (is_never_watched(name) || matches_any(watch->exclude, watch->exclude_count, below) ||
		matches_any(watch->exclude, watch->exclude_count, name))
		return true;
	/* two stars below a folder mean the folder too */
	char inside[PATH_MAX + 8];
	snprintf(inside, sizeof inside, "%s/x", below);
	return matches_any(watch->exclude, watch->exclude_count, inside);
}

static bool is_included(const struct watch *watch, const char *root, const char *path)
{
	const char *name = strrchr(path, '/') + 1;
	const char *below = strlen(path) > strlen(root) ? path + strlen(root) + 1 : name;

	return !watch->include_count || matches_any(watch->include, watch->include_count, below) ||
	       matches_any(watch->include, watch->include_count, name);
}

/* Editors and tools write these beside what they edit. */
static bool is_scratch(const char *name)
{
	size_t length = strlen(name);

	return name[0] == '.' || name[length - 1] == '~' || strcmp(name, "4913") == 0 ||
	       (length > 4 && strcmp(name + length - 4, ".swp") == 0);
}

/* ---- looking through folders ---- */

static void note_trouble(struct watch *watch, const char *path)
{
	if (watch->reason)
		return;
	watch->reason = errno;
	snprintf(watch->trouble, sizeof watch->trouble, "%.200s", path);
}

static bool add_folder(struct watch *watch, const char *path, const char *root, const char *only)
{
	if (watch->folder_count == WATCH_FOLDERS) {
		watch->is_cut = true;
		return false;
	}
	int number = inotify_add_watch(watch->fd, path, EVENTS);
	if (number < 0) {
		note_trouble(watch, path);
		return false;
	}
	if (watch->folder_count == watch->folder_room) {
		watch->folder_room = watch->folder_room ? watch->folder_room * 2 : 16;
		watch->folders =
			memory_resize(watch->folders, watch->folder_room, sizeof *watch->folders);
	}
	watch->folders[watch->folder_count++] = (struct folder){ number, memory_copy(path), root,
		only ? memory_copy(only) : NULL };
	return true;
}

static bool is_folder(const char *path, const struct dirent *entry)
{
	struct stat st;

	if (entry->d_type != DT_UNKNOWN)
		return entry->d_type == DT_DIR;
	return lstat(path, &st) == 0 && S_ISDIR(st.st_mode);
}

/* Links are not followed: they may lead round in a circle. */
static void add_tree(struct watch *watch, const char *path, const char *root, int depth)
{
	DIR *dir = depth < DEPTH_MOST && add_folder(watch, path, root, NULL) ? opendir(path) : NULL;
	char below[PATH_MAX];

	for (struct dirent *entry; dir && (entry = readdir(dir));) {
		if (strcmp(entry->d_name, ".") == 0 || strcmp(entry->d_name, "..") == 0)
			continue;
		int length = snprintf(below, sizeof below, "%s/%s", path, entry->d_name);
		if (length < (int)sizeof below && is_folder(below, entry) &&
			!is_excluded(watch, root, below))
			add_tree(watch, below, root, depth + 1);
	}
	if (dir)
		closedir(dir);
}

/* A file is seen by way of its folder: editors put another one in its place. */
static void add_file(struct watch *watch, const char *path)
{
	const char *slash = strrchr(path, '/');
	char *folder = memory_copy_n(path, slash == path ? 1 : (size_t)(slash - path));

	add_folder(watch, folder, path, slash + 1);
	free(folder);
}

static void look_through(uv_work_t *work)
{
	struct watch *watch = work->data;
	struct stat st;

	for (size_t i = 0; i < watch->paths.count; i++) {
		const char *path = watch->paths.items[i];
		if (stat(path, &st) < 0)
			note_trouble(watch, path);
		else if (S_ISDIR(st.st_mode))
			add_tree(watch, path, path, 0);
		else
			add_file(watch, path);
	}
}

/* ---- what has changed ---- */

static struct folder *find_folder(struct watch *watch, int number)
{
	for (size_t i = 0; i < watch->folder_count; i++)
		if (watch->folders[i].number == number)
			return &watch->folders[i];
	return NULL;
}

static void forget_folder(struct watch *watch, int number)
{
	struct folder *folder = find_folder(watch, number);

	if (!folder)
		return;
	free(folder->path);
	free(folder->only);
	*folder = watch->folders[--watch->folder_count];
}

static void restart(struct engine *engine, const struct watch *watch)
{
	struct service *service = project_find(&engine->project, watch->service);

	for (size_t i = 0; service && i < service->count; i++) {
		const struct instance *instance = service->instances[i];
		bool has_given_up = instance->state == STATE_FATAL || instance->state == STATE_FAILED ||
				    instance->state == STATE_BACKOFF;
		struct happening happening = { .seat = member_of(service->instances[i])->seat,
			.event = EVENT_RESTART,
			.cause = CAUSE_WATCH };
		if (!instance->wanted || (!instance->pid && !has_given_up))
			continue;
		snprintf(happening.why, sizeof happening.why, "%s", watch->changed);
		engine_queue(engine, &happening);
	}
	engine_see_through(engine);
}

static void on_quiet(uv_timer_t *timer)
{
	struct watch *watch = timer->data;

	restart(watch->engine, watch);
	watch->changed[0] = '\0';
}

static void note_change(struct watch *watch, const char *path)
{
	if (!watch->changed[0])
		snprintf(watch->changed, sizeof watch->changed, "%.110s", path);
	uv_update_time(watch->engine->loop);
	uv_timer_start(&watch->quiet, on_quiet, watch->debounce_ms, 0);
}

static void take_event(struct watch *watch, const struct inotify_event *event)
{
	char path[PATH_MAX];

	if (event->mask & IN_Q_OVERFLOW) {
		note_change(watch, "more than can be told");
		return;
	}
	struct folder *folder = find_folder(watch, event->wd);
	if (event->mask & IN_IGNORED)
		forget_folder(watch, event->wd);
	if (!folder || !event->len || event->mask & IN_IGNORED)
		return;
	if (folder->only && strcmp(folder->only, event->name) != 0)
		return;
	const char *root = folder->root;
	snprintf(path, sizeof path, "%s/%s", folder->path, event->name);
	if (!folder->only && (is_scratch(event->name) || is_excluded(watch, root, path)))
		return;
	if (event->mask & IN_ISDIR && event->mask & (IN_CREATE | IN_MOVED_TO))
		add_tree(watch, path, root, 0);
	bool is_file_made = event->mask & IN_CREATE && !(event->mask & IN_ISDIR);
	if (!is_file_made && (folder->only || event->mask & IN_ISDIR || is_included(watch, root, path)))
		note_change(watch, path);
}

static void on_readable(uv_poll_t *poll, int status, int events)
{
	struct watch *watch = poll->data;
	static _Alignas(struct inotify_event) char buffer[EVENTS_SIZE];
	ssize_t size = read(watch->fd, buffer, sizeof buffer);

	(void)status;
	(void)events;
	for (char *at = buffer; size > 0 && at < buffer + size;) {
		const struct inotify_event *event = (const struct inotify_event *)(void *)at;
		take_event(watch, event);
		at += sizeof *event + event->len;
	}
}

/* ---- coming and going ---- */

static void free_watch(struct watch *watch)
{
	for (size_t i = 0; i < watch->folder_count; i++) {
		free(watch->folders[i].path);
		free(watch->folders[i].only);
	}
	free(watch->folders);
	for (unsigned i = 0; i < watch->include_count; i++)
		pattern_destroy(watch->include[i]);
	for (unsigned i = 0; i < watch->exclude_count; i++)
		pattern_destroy(watch->exclude[i]);
	strings_finish(&watch->paths);
	close_if_open(watch->fd);
	free(watch);
}

static void on_closed(uv_handle_t *handle)
{
	struct watch *watch = handle->data;

	if (--watch->open_handles == 0)
		free_watch(watch);
}

static void tell_trouble(struct watch *watch)
{
	if (watch->is_cut)
		engine_tell(watch->engine, "%s: more than %d folders are to be watched: the others are not",
			watch->service, WATCH_FOLDERS);
	if (watch->reason)
		engine_tell(watch->engine, "%s: %.60s cannot be watched: %s", watch->service,
			watch->trouble,
			watch->reason == ENOSPC ? "fs.inotify.max_user_watches is used up"
						: strerror(watch->reason));
}

static void on_looked_through(uv_work_t *work, int status)
{
	struct watch *watch = work->data;

	(void)status;
	watch->is_working = false;
	if (watch->is_gone) {
		free_watch(watch);
		return;
	}
	tell_trouble(watch);
	uv_poll_init(watch->engine->loop, &watch->poll, watch->fd);
	uv_timer_init(watch->engine->loop, &watch->quiet);
	watch->poll.data = watch->quiet.data = watch;
	watch->open_handles = 2;
	uv_poll_start(&watch->poll, UV_READABLE, on_readable);
}

static unsigned compile_all(struct pattern **patterns, const struct strings *globs)
{
	unsigned count = 0;
	struct error err;

	for (size_t i = 0; i < globs->count && count < GLOBS_MOST; i++) {
		patterns[count] = pattern_create_glob(globs->items[i], &err);
		count += patterns[count] != NULL;
	}
	return count;
}

static void begin(struct engine *engine, const struct service_spec *spec)
{
	int fd = inotify_init1(IN_NONBLOCK | IN_CLOEXEC);

	if (fd < 0) {
		engine_tell(engine, "%s: its files cannot be watched: %s", spec->name, strerror(errno));
		return;
	}
	struct watch *watch = memory_zeroed(1, sizeof *watch);
	watch->engine = engine;
	watch->fd = fd;
	watch->debounce_ms = spec->watch.debounce_ms;
	snprintf(watch->service, sizeof watch->service, "%s", spec->name);
	for (size_t i = 0; i < spec->watch.paths.count; i++)
		strings_add(&watch->paths, spec->watch.paths.items[i]);
	watch->include_count = compile_all(watch->include, &spec->watch.include);
	watch->exclude_count = compile_all(watch->exclude, &spec->watch.exclude);
	watch->next = engine->watches;
	engine->watches = watch;
	watch->work.data = watch;
	watch->is_working = true;
	uv_queue_work(engine->loop, &watch->work, look_through, on_looked_through);
}

static void end(struct watch *watch)
{
	watch->is_gone = true;
	if (watch->is_working)
		return;
	uv_poll_stop(&watch->poll);
	uv_close((uv_handle_t *)&watch->poll, on_closed);
	uv_close((uv_handle_t *)&watch->quiet, on_closed);
}

static bool is_watched(const struct engine *engine, const char *name)
{
	for (const struct watch *watch = engine->watches; watch; watch = watch->next)
		if (strcmp(watch->service, name) == 0)
			return true;
	return false;
}

static bool is_as_wanted(const struct engine *engine, const struct watch *watch)
{
	const struct service *service = project_find(&engine->project, watch->service);
	const struct strings *paths = service ? &service->spec->watch.paths : NULL;

	if (!paths || paths->count != watch->paths.count ||
		watch->debounce_ms != service->spec->watch.debounce_ms)
		return false;
	for (size_t i = 0; i < paths->count; i++)
		if (strcmp(paths->items[i], watch->paths.items[i]) != 0)
			return false;
	return true;
}

static void end_unless(struct engine *engine, bool (*is_kept)(const struct engine *, const struct watch *))
{
	for (struct watch **place = &engine->watches, *watch; (watch = *place);) {
		if (is_kept && is_kept(engine, watch)) {
			place = &watch->next;
			continue;
		}
		*place = watch->next;
		end(watch);
	}
}

void watch_arrange(struct engine *engine)
{
	end_unless(engine, is_as_wanted);
	for (size_t i = 0; i < engine->project.count; i++) {
		const struct service_spec *spec = engine->project.services[i].spec;
		if (spec->watch.paths.count && !is_watched(engine, spec->name))
			begin(engine, spec);
	}
}

void watch_close(struct engine *engine)
{
	end_unless(engine, NULL);
}
