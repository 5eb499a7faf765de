/*
 * The primary of Node's cluster module, for workers that know no other: they are told by their environment that
 * they are workers, ask here for their sockets, and are handed connections in turn, or share the socket.
 * The wire is Node's own (lib/internal/cluster/{child,primary,round_robin_handle,shared_handle}.js,
 * versions 18 to 24): {"cmd":"NODE_CLUSTER","act":…} on the channel, descriptors beside it. Loop thread only.
 */
#ifndef ENGINE_CLUSTER_H
#define ENGINE_CLUSTER_H

#include "engine/door.h"
#include "wire/message.h"

/* A taker of mail: all that is Node's own. */
bool cluster_take(struct member *member, const struct message *message);

/* Ask its worker to take no more connections, finish those it has, and end. False: it has no channel. */
bool cluster_leave(struct member *member);

/* Its channel is being closed: what it was handed and did not take goes to others. */
void cluster_ended(struct member *member);
/* It takes more again. */
void cluster_room(struct member *member);

/* Hand on the connections that wait at this door, as far as there is somebody to take them. */
void cluster_serve(struct door *door);
/* Does its worker hold the socket at this place of the store? */
bool cluster_holds(const struct member *member, uint32_t place);
/* After a start: at all doors. */
void cluster_resume(struct engine *engine);

#endif
