/*
 * What Redis does in one step, as it must: an answer is written if, and only if, its task was still to be answered; a
 * task of a submission is added once, however often it is sent.
 */
#ifndef FLEET_SCRIPT_H
#define FLEET_SCRIPT_H

#define FLEET_GROUP "thrum"

/*
 * Of many tasks at once. Keys: stream; of each: where its answer goes. Arguments: group; of each: entry, id, answer, "" or
 * how long (ms) the stream of answers is kept. Gives how many were still to be answered.
 */
extern const char script_finish[];
/* Keys: stream, dead letters, where answers go. Arguments: group, entry, reason, deliveries, id, answer, as above. */
extern const char script_bury[];
/* Keys: stream. Arguments: group, consumer, how long they are idle (ms), entries between spaces. Those that are others' are left. */
extern const char script_keep[];
/* Keys: stream, counter. Arguments: index, id, task, "" or where answers go, how long (ms) the counter is kept. Gives the counter. */
extern const char script_add[];

#endif
