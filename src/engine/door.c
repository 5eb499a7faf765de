#include "engine/door.h"

#include <arpa/inet.h>
#include <errno.h>
#include <grp.h>
#include <netinet/in.h>
#include <pwd.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "base/fd.h"
#include "base/memory.h"
#include "engine/cluster.h"
#include "inspect/peers.h"

union address {
	struct sockaddr any;
	struct sockaddr_in four;
	struct sockaddr_in6 six;
	struct sockaddr_un path;
};

struct listening *door_listening(const struct door *door)
{
	return &door->engine->store->sockets[door->place];
}

/* ---- binding ---- */

static bool is_udp(int type)
{
	return type == ADDRESS_UDP4 || type == ADDRESS_UDP6;
}

static socklen_t fill_ipv4(union address *address, const struct listening *what)
{
	address->four = (struct sockaddr_in){ .sin_family = AF_INET, .sin_port = htons((uint16_t)what->port) };
	bool ok = !what->address[0] || inet_pton(AF_INET, what->address, &address->four.sin_addr) == 1;
	return ok ? sizeof address->four : 0;
}

static socklen_t fill_ipv6(union address *address, const struct listening *what)
{
	address->six = (struct sockaddr_in6){ .sin6_family = AF_INET6, .sin6_port = htons((uint16_t)what->port) };
	bool ok = !what->address[0] || inet_pton(AF_INET6, what->address, &address->six.sin6_addr) == 1;
	return ok ? sizeof address->six : 0;
}

static socklen_t fill_path(union address *address, const struct listening *what)
{
	address->path = (struct sockaddr_un){ .sun_family = AF_UNIX };
	if (!what->address[0] || strlen(what->address) >= sizeof address->path.sun_path)
		return 0;
	memcpy(address->path.sun_path, what->address, strlen(what->address));
	return sizeof address->path;
}

static socklen_t fill(union address *address, const struct listening *what)
{
	memset(address, 0, sizeof *address);
	if (what->type == ADDRESS_UNIX)
		return fill_path(address, what);
	return what->type == ADDRESS_IPV6 || what->type == ADDRESS_UDP6 ? fill_ipv6(address, what)
									: fill_ipv4(address, what);
}

/* A socket file to which nobody listens any more stands in the way of the next one. */
static void clear_path(const union address *address)
{
	struct stat st;
	int probe = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (probe >= 0 && lstat(address->path.sun_path, &st) == 0 && S_ISSOCK(st.st_mode) &&
		connect(probe, &address->any, sizeof address->path) < 0 && errno == ECONNREFUSED)
		unlink(address->path.sun_path);
	close_if_open(probe);
}

static bool set_options(int fd, const union address *address, const struct door_wish *wish)
{
	int yes = 1, only = wish->flags & DOOR_V6ONLY ? 1 : 0;

	if (wish->what->type == ADDRESS_UNIX)
		return true;
	if (!is_udp(wish->what->type) && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &yes, sizeof yes) < 0)
		return false;
	if (wish->is_own && setsockopt(fd, SOL_SOCKET, SO_REUSEPORT, &yes, sizeof yes) < 0)
		return false;
	return address->any.sa_family != AF_INET6 ||
	       setsockopt(fd, IPPROTO_IPV6, IPV6_V6ONLY, &only, sizeof only) == 0;
}

/* The socket's file is its service's, as if one of its processes had made it. */
static bool give_away(const char *path, const struct door_wish *wish)
{
	struct passwd *user = wish->spec->user ? getpwnam(wish->spec->user) : NULL;
	struct group *group = wish->spec->group ? getgrnam(wish->spec->group) : NULL;
	uid_t uid = user ? user->pw_uid : (uid_t)-1;
	gid_t gid = group ? group->gr_gid : user ? user->pw_gid
						 : (gid_t)-1;

	if ((user || group) && lchown(path, uid, gid) < 0)
		return false;
	return !wish->mode || chmod(path, wish->mode) == 0;
}

/* Nobody gets in before it is as it is to be: it listens last. */
static bool bind_and_listen(int fd, const union address *address, socklen_t size, const struct door_wish *wish)
{
	bool is_path = address->any.sa_family == AF_UNIX;

	if (!set_options(fd, address, wish) || bind(fd, &address->any, size) < 0)
		return false;
	if (is_path && !give_away(address->path.sun_path, wish))
		return false;
	return !wish->is_to_listen || is_udp(wish->what->type) || listen(fd, (int)wish->backlog) == 0;
}

static int bind_to(const union address *address, socklen_t size, const struct door_wish *wish)
{
	int kind = is_udp(wish->what->type) ? SOCK_DGRAM : SOCK_STREAM;
	int fd = socket(address->any.sa_family, kind | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

	if (fd < 0)
		return -1;
	if (address->any.sa_family == AF_UNIX)
		clear_path(address);
	if (bind_and_listen(fd, address, size, wish))
		return fd;
	int reason = errno;
	close(fd);
	errno = reason;
	return -1;
}

/* Any address is both kinds, where the machine has both. */
static int bind_any(const struct door_wish *wish)
{
	struct listening six = *wish->what;
	struct door_wish dual = *wish;
	union address address;

	six.type = ADDRESS_IPV6;
	dual.what = &six;
	socklen_t size = fill(&address, &six);
	int fd = bind_to(&address, size, &dual);
	if (fd >= 0 || errno == EADDRINUSE || errno == EACCES)
		return fd;
	size = fill(&address, wish->what);
	return bind_to(&address, size, wish);
}

static int make_socket(const struct door_wish *wish)
{
	union address address;

	if (wish->what->type == ADDRESS_IPV4 && !wish->what->address[0])
		return bind_any(wish);
	socklen_t size = fill(&address, wish->what);
	if (!size) {
		errno = wish->what->type == ADDRESS_UNIX ? ENAMETOOLONG : EINVAL;
		return -1;
	}
	return bind_to(&address, size, wish);
}

/* ---- opening and closing ---- */

static void on_readable(uv_poll_t *poll, int status, int events)
{
	(void)status;
	(void)events;
	cluster_serve(poll->data);
}

static void on_rested(uv_timer_t *timer)
{
	cluster_serve(timer->data);
}

void door_poll(struct door *door, bool is_wanted)
{
	if (door->is_polled == is_wanted)
		return;
	door->is_polled = is_wanted;
	if (is_wanted)
		uv_poll_start(&door->poll, UV_READABLE, on_readable);
	else
		uv_poll_stop(&door->poll);
}

void door_rest(struct door *door, uint64_t ms)
{
	door_poll(door, false);
	uv_timer_start(&door->rest, on_rested, ms, 0);
}

static struct door *add(struct engine *engine, uint32_t place, int fd)
{
	struct door *door = memory_zeroed(1, sizeof *door);

	door->engine = engine;
	door->place = place;
	door->fd = fd;
	lost_restore(&door->lost, keeper_link_take(&engine->keeper, STORE_SOCKET_SLOT + place, KEEPER_RETURNED),
		keeper_link_take(&engine->keeper, STORE_SOCKET_SLOT + place, KEEPER_RETURNED_TO));
	uv_poll_init(engine->loop, &door->poll, fd);
	uv_timer_init(engine->loop, &door->rest);
	door->poll.data = door->rest.data = door;
	door->open_handles = 2;
	engine->doors[place] = door;
	engine->door_count++;
	return door;
}

static int free_place(const struct engine *engine)
{
	for (int i = 0; i < STORE_SOCKETS; i++)
		if (!engine->store->sockets[i].is_taken)
			return i;
	return -1;
}

static void note(struct listening *place, const struct listening *what)
{
	uint32_t serial = place->serial + 1;

	*place = *what;
	place->serial = serial;
	place->connections = 0;
	atomic_store(&place->is_taken, 1);
}

/* "it is in use by somebody else: node (4711)" */
static void describe_reason(char *out, size_t size, const struct listening *what, int reason)
{
	char port[12], holder[64];

	snprintf(port, sizeof port, "%d", (int)what->port);
	if (reason != EADDRINUSE)
		snprintf(out, size, "%s", strerror(reason));
	else if (what->type == ADDRESS_UNIX ? peers_holder(holder, sizeof holder, PEER_UNIX, what->address)
					    : !is_udp(what->type) && peers_holder(holder, sizeof holder, PEER_TCP, port))
		snprintf(out, size, "it is in use by somebody else: %s", holder);
	else
		snprintf(out, size, "it is in use by somebody else");
}

static void say_why(struct error *err, const struct listening *what, int reason)
{
	char text[160];

	describe_reason(text, sizeof text, what, reason);
	if (what->type == ADDRESS_UNIX)
		error_set(err, reason, "listen on %s: %s", what->address, text);
	else
		error_set(err, reason, "listen on %s%s port %d: %s", is_udp(what->type) ? "udp " : "",
			what->address[0] ? what->address : "*", (int)what->port, text);
}

struct door *door_open(struct engine *engine, const struct door_wish *wish, struct error *err)
{
	unsigned kind = KEEPER_SOCKET;
	int place = free_place(engine), fd;

	if (place < 0) {
		error_set(err, ENFILE, "%d sockets listen already", STORE_SOCKETS);
		return NULL;
	}
	fd = make_socket(wish);
	if (fd < 0) {
		say_why(err, wish->what, errno);
		return NULL;
	}
	note(&engine->store->sockets[place], wish->what);
	keeper_link_put(&engine->keeper, STORE_SOCKET_SLOT + (uint32_t)place, &kind, &fd, 1);
	return add(engine, (uint32_t)place, fd);
}

static void on_closed(uv_handle_t *handle)
{
	struct door *door = handle->data;

	if (--door->open_handles == 0)
		free(door);
}

void door_close(struct door *door)
{
	struct engine *engine = door->engine;
	struct listening *what = door_listening(door);

	if (what->type == ADDRESS_UNIX)
		unlink(what->address);
	lost_close(&door->lost);
	uv_poll_stop(&door->poll);
	uv_close((uv_handle_t *)&door->poll, on_closed);
	uv_close((uv_handle_t *)&door->rest, on_closed);
	if (!is_udp(what->type))
		shutdown(door->fd, SHUT_RDWR); /* the keeper has a copy, and the next may be opened before it closes that */
	close(door->fd);
	keeper_link_delete(&engine->keeper, STORE_SOCKET_SLOT + door->place);
	atomic_store(&what->is_taken, 0);
	engine->doors[door->place] = NULL;
	engine->door_count--;
}

void door_restore_all(struct engine *engine)
{
	for (uint32_t i = 0; i < STORE_SOCKETS; i++) {
		if (!engine->store->sockets[i].is_taken)
			continue;
		int fd = keeper_link_take(&engine->keeper, STORE_SOCKET_SLOT + i, KEEPER_SOCKET);
		if (fd >= 0)
			add(engine, i, fd);
		else
			atomic_store(&engine->store->sockets[i].is_taken, 0);
	}
}

/* ---- finding and telling ---- */

static bool is_same(const struct listening *one, const struct listening *other)
{
	return one->given == other->given && one->instance == other->instance && one->port == other->port &&
	       one->type == other->type && one->fd == other->fd && strcmp(one->service, other->service) == 0 &&
	       strcmp(one->address, other->address) == 0 && (one->port != 0 || one->index == other->index);
}

struct door *door_find(struct engine *engine, const struct listening *what)
{
	for (uint32_t i = 0; i < STORE_SOCKETS && engine->door_count; i++)
		if (engine->doors[i] && is_same(door_listening(engine->doors[i]), what))
			return engine->doors[i];
	return NULL;
}

static unsigned own_address(const struct door *door, char host[INET6_ADDRSTRLEN], int *family)
{
	union address address = { 0 };
	socklen_t size = sizeof address;

	getsockname(door->fd, &address.any, &size);
	*family = address.any.sa_family;
	host[0] = '\0';
	if (*family == AF_INET)
		inet_ntop(AF_INET, &address.four.sin_addr, host, INET6_ADDRSTRLEN);
	if (*family == AF_INET6)
		inet_ntop(AF_INET6, &address.six.sin6_addr, host, INET6_ADDRSTRLEN);
	return *family == AF_INET ? ntohs(address.four.sin_port) : *family == AF_INET6 ? ntohs(address.six.sin6_port)
										       : 0;
}

void door_sockname(const struct door *door, char *out, size_t size)
{
	char host[INET6_ADDRSTRLEN];
	int family;
	unsigned port = own_address(door, host, &family);

	out[0] = '\0';
	if (family == AF_INET || family == AF_INET6)
		snprintf(out, size, "{\"address\":\"%s\",\"family\":\"%s\",\"port\":%u}", host,
			family == AF_INET ? "IPv4" : "IPv6", port);
}

void door_describe(const struct door *door, char *out, size_t size)
{
	const struct listening *what = door_listening(door);
	char host[INET6_ADDRSTRLEN];
	int family;
	unsigned port = own_address(door, host, &family);

	if (family == AF_UNIX)
		snprintf(out, size, "unix %s", what->address);
	else
		snprintf(out, size, family == AF_INET6 ? "%s [%s]:%u" : "%s %s:%u", is_udp(what->type) ? "udp" : "tcp", host,
			port);
}

/* ---- connections ---- */

int door_accept(struct door *door)
{
	int fd;

	do
		fd = accept4(door->fd, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
	while (fd < 0 && (errno == EINTR || errno == ECONNABORTED));
	return fd;
}

/* The keeper holds the queue before there is anything in it. */
static bool need_queue(struct door *door)
{
	static const unsigned kinds[] = { KEEPER_RETURNED, KEEPER_RETURNED_TO };

	return door->lost.ends[0] >= 0 ||
	       (lost_make(&door->lost) &&
		       keeper_link_put(&door->engine->keeper, STORE_SOCKET_SLOT + door->place, kinds, door->lost.ends, 2));
}

void door_return(struct door *door, int connection)
{
	if (need_queue(door))
		lost_add(&door->lost, connection);
	else
		close(connection);
}

/* ---- given by `listen` ---- */

static int type_of(const struct listen_spec *listen)
{
	bool is_six = listen->host && strchr(listen->host, ':');

	if (listen->kind == SOCKET_UNIX)
		return ADDRESS_UNIX;
	if (listen->kind == SOCKET_UDP)
		return is_six ? ADDRESS_UDP6 : ADDRESS_UDP4;
	return is_six ? ADDRESS_IPV6 : ADDRESS_IPV4;
}

static struct door *open_given(
	struct engine *engine, struct member *member, unsigned number, struct error *err)
{
	const struct listen_spec *listen = &member_spec(member)->listens[number];
	struct listening what = { .port = (int32_t)listen->port,
		.type = type_of(listen),
		.fd = -1,
		.given = number + 1,
		.instance = listen->is_own ? member->now.index : 0,
		.is_own = listen->is_own,
		.is_shared = true };
	const char *address = listen->kind == SOCKET_UNIX ? listen->path : listen->host;

	snprintf(what.service, sizeof what.service, "%s", member->now.service);
	snprintf(what.address, sizeof what.address, "%s", address ? address : "");
	struct door *door = door_find(engine, &what);
	struct door_wish wish = { .what = &what,
		.spec = member_spec(member),
		.mode = listen->mode,
		.backlog = listen->backlog,
		.is_to_listen = true,
		.is_own = listen->is_own };
	return door ? door : door_open(engine, &wish, err);
}

bool door_open_given(struct engine *engine, struct member *member, int fds[LISTENS_MOST], struct error *err)
{
	for (unsigned i = 0; i < member_spec(member)->listen_count; i++) {
		struct door *door = open_given(engine, member, i, err);
		if (!door)
			return false;
		fds[i] = door->fd;
	}
	return true;
}

/* ---- when nobody needs it any more ---- */

static bool is_needed(const struct engine *engine, const struct listening *what)
{
	struct service *service = project_find(&engine->project, what->service);

	for (size_t i = 0; service && i < service->count; i++) {
		const struct instance *instance = service->instances[i];
		bool is_whose = !what->is_own || instance->index == what->instance;
		if (is_whose && !instance_is_finished(instance))
			return true;
	}
	return false;
}

void door_consider(struct engine *engine, const struct member *member)
{
	if (engine->door_count && instance_is_finished(&member->now))
		door_tidy(engine);
}

void door_tidy(struct engine *engine)
{
	for (uint32_t i = 0; i < STORE_SOCKETS && engine->door_count; i++)
		if (engine->doors[i] && !is_needed(engine, door_listening(engine->doors[i])))
			door_close(engine->doors[i]);
}
