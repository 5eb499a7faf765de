/* Names and numbers of the control protocol; doc/protocol.md says what each carries. */
#ifndef PROTOCOL_METHOD_H
#define PROTOCOL_METHOD_H

enum { PROTOCOL_VERSION = 1,
	PROTOCOL_LINE_MOST = 1024 * 1024,
	PROTOCOL_TYPED_MOST = 64 * 1024, /* bytes that may wait to be read from a terminal */
	PROTOCOL_DEATHS = 100,           /* of `history`, unless it asks for more … */
	PROTOCOL_DEATHS_MOST = 5000 };   /* … than which there is no more in a reply */

/* JSON-RPC error codes: its own, and ours. */
enum {
	PROTOCOL_PARSE_ERROR = -32700,
	PROTOCOL_INVALID_REQUEST = -32600,
	PROTOCOL_METHOD_NOT_FOUND = -32601,
	PROTOCOL_INVALID_PARAMS = -32602,
	PROTOCOL_NO_SUCH_SERVICE = -32004, /* exit status 4 */
	PROTOCOL_GONE = -32010,            /* the process meant is no longer the one there */
	PROTOCOL_REFUSED = -32011,         /* not possible now; the text says why */
	PROTOCOL_FULL = -32012,            /* too much waits already; later it may be taken */
};

#endif
