#include "client/paths.h"

#include <errno.h>
#include <fcntl.h>
#include <pwd.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <unistd.h>

#include "base/fd.h"
#include "model/spec.h"

/* A variable that holds an absolute path; others do not count, as XDG wants it. */
static const char *absolute_variable(const char *name)
{
	const char *value = getenv(name);

	return value && value[0] == '/' ? value : NULL;
}

__attribute__((format(printf, 3, 4))) static bool format_path(
	char out[PATH_MAX], struct error *err, const char *fmt, ...)
{
	va_list args;

	va_start(args, fmt);
	int length = vsnprintf(out, PATH_MAX, fmt, args);
	va_end(args);
	if (length < 0 || length >= PATH_MAX)
		return error_set(err, ENAMETOOLONG, "the path %.64s… is too long", out);
	return true;
}

/* Our own variables may be relative: to the folder thrum is started in. */
static bool make_absolute(char out[PATH_MAX], const char *path, struct error *err)
{
	char here[PATH_MAX];

	if (path[0] == '/')
		return format_path(out, err, "%s", path);
	if (!getcwd(here, sizeof here))
		return error_errno(err, "finding the current folder");
	return format_path(out, err, "%s/%s", here, path);
}

static bool is_folder(const char *path)
{
	struct stat info;

	return stat(path, &info) == 0 && S_ISDIR(info.st_mode);
}

bool paths_runtime(char out[PATH_MAX], struct error *err)
{
	const char *ours = getenv("THRUM_RUNTIME_DIR");
	const char *session = absolute_variable("XDG_RUNTIME_DIR");

	if (ours && ours[0])
		return make_absolute(out, ours, err);
	/* After su and in containers it often names a folder that was never made. */
	if (session && is_folder(session))
		return format_path(out, err, "%s/thrum", session);
	return format_path(out, err, "/tmp/thrum-%u", (unsigned)geteuid());
}

static const char *home_folder(void)
{
	const char *home = absolute_variable("HOME");
	struct passwd *user = home ? NULL : getpwuid(geteuid());

	return user ? user->pw_dir : home;
}

bool paths_state(char out[PATH_MAX], struct error *err)
{
	const char *ours = getenv("THRUM_STATE_DIR");
	const char *session = absolute_variable("XDG_STATE_HOME");
	const char *home;

	if (ours && ours[0])
		return make_absolute(out, ours, err);
	if (session)
		return format_path(out, err, "%s/thrum", session);
	if (!(home = home_folder()))
		return error_set(err, ENOENT, "there is no home folder: set THRUM_STATE_DIR");
	return format_path(out, err, "%s/.local/state/thrum", home);
}

/* mkdir -p; what is there already is judged when it is opened. */
static bool make_folders(const char *path, struct error *err)
{
	char part[PATH_MAX];

	for (const char *end = path; end;) {
		end = strchr(end + 1, '/');
		snprintf(part, sizeof part, "%.*s", end ? (int)(end - path) : PATH_MAX - 1, path);
		if (mkdir(part, 0700) < 0 && errno != EEXIST && !is_folder(part))
			return error_errno(err, "making the folder %s", part);
	}
	return true;
}

/* What others may not have: nothing at all where sockets are, writing where logs are. */
enum { RUNTIME_FORBIDDEN = 077,
	STATE_FORBIDDEN = 022 };

static bool is_ours(int fd, mode_t forbidden, const char *path, struct error *err)
{
	struct stat info;

	if (fstat(fd, &info) < 0)
		return error_errno(err, "looking at %s", path);
	if (info.st_uid != geteuid())
		return error_set(err, EPERM, "%s belongs to another user: refused", path);
	if (info.st_mode & forbidden)
		return error_set(err, EPERM, "%s is open to other users: refused; chmod 700 %s",
			path, path);
	return true;
}

static int open_folder(int parent, const char *name, mode_t forbidden, const char *path,
	struct error *err)
{
	int fd = openat(parent, name, O_RDONLY | O_DIRECTORY | O_NOFOLLOW | O_CLOEXEC);

	if (fd < 0 && (errno == ELOOP || errno == ENOTDIR))
		error_set(err, EPERM, "%s is not a folder: refused", path);
	else if (fd < 0)
		error_errno(err, "opening %s", path);
	else if (is_ours(fd, forbidden, path, err))
		return fd;
	close_if_open(fd);
	return -1;
}

static int open_project(const char *root, const char *project, mode_t forbidden,
	enum paths_missing missing, struct error *err)
{
	char path[PATH_MAX];

	if (!service_name_is_valid(project)) {
		error_set(err, EINVAL, "'%s' cannot be the name of a project: "
				       "letters, digits, '.', '_' and '-', at most %d, "
				       "the first a letter or digit",
			project, SERVICE_NAME_MOST);
		return -1;
	}
	if (!format_path(path, err, "%s/%s", root, project))
		return -1;
	if (missing == PATHS_MAKE && !make_folders(root, err))
		return -1;

	int parent = open_folder(AT_FDCWD, root, forbidden, root, err);
	if (parent < 0)
		return -1;
	int fd = -1;
	if (missing == PATHS_MAKE && mkdirat(parent, project, 0700) < 0 && errno != EEXIST)
		error_errno(err, "making the folder %s", path);
	else
		fd = open_folder(parent, project, forbidden, path, err);
	close(parent);
	return fd;
}

int paths_open_runtime(const char *project, enum paths_missing missing, struct error *err)
{
	char root[PATH_MAX];

	if (!paths_runtime(root, err))
		return -1;
	return open_project(root, project, RUNTIME_FORBIDDEN, missing, err);
}

int paths_open_state(const char *project, enum paths_missing missing, struct error *err)
{
	char root[PATH_MAX];

	if (!paths_state(root, err))
		return -1;
	return open_project(root, project, STATE_FORBIDDEN, missing, err);
}

void paths_socket_address(struct sockaddr_un *address, int folder)
{
	*address = (struct sockaddr_un){ .sun_family = AF_UNIX };
	snprintf(address->sun_path, sizeof address->sun_path, "/proc/self/fd/%d/" PATHS_SOCKET,
		folder);
}
