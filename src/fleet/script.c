#include "fleet/script.h"

/* A stream of somebody else's choice may be of any type: that is no reason to do the task again. */
#define ANSWER(key, id, answer, keep)                                                                        \
	"local full = " keep " == '' and {'MAXLEN', '~', '100000'} or {'MAXLEN', '~', '10000000'}\n"         \
	"redis.pcall('XADD', " key ", full[1], full[2], full[3], '*', 'id', " id ", 'answer', " answer ")\n" \
	"if " keep " ~= '' then redis.pcall('PEXPIRE', " key ", " keep ") end\n"

const char script_finish[] =
	"if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end\n"
	"redis.call('XDEL', KEYS[1], ARGV[2])\n" ANSWER("KEYS[2]", "ARGV[3]", "ARGV[4]", "ARGV[5]") "return 1";

const char script_bury[] =
	"local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])\n"
	"if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end\n"
	"redis.call('XDEL', KEYS[1], ARGV[2])\n"
	"if not found[1] then return 0 end\n"
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', '100000', '*', 'entry', ARGV[2], 'reason', ARGV[3], 'deliveries', ARGV[4],\n"
	"	unpack(found[1][2]))\n" ANSWER("KEYS[3]", "ARGV[5]", "ARGV[6]", "ARGV[7]") "return 1";

const char script_keep[] =
	"local kept = 0\n"
	"for entry in ARGV[4]:gmatch('%S+') do\n"
	"	local pending = redis.call('XPENDING', KEYS[1], ARGV[1], entry, entry, 1)\n"
	"	if pending[1] and pending[1][2] == ARGV[2] then\n"
	"		redis.call('XCLAIM', KEYS[1], ARGV[1], ARGV[2], 0, entry, 'IDLE', ARGV[3], 'JUSTID')\n"
	"		kept = kept + 1\n"
	"	end\n"
	"end\n"
	"return kept";

const char script_add[] =
	"local count = tonumber(redis.call('GET', KEYS[2]) or '0')\n"
	"if count ~= tonumber(ARGV[1]) then return count end\n"
	"if ARGV[4] == '' then redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'task', ARGV[3])\n"
	"else redis.call('XADD', KEYS[1], '*', 'id', ARGV[2], 'task', ARGV[3], 'reply', ARGV[4]) end\n"
	"redis.call('SET', KEYS[2], count + 1, 'PX', ARGV[5])\n"
	"return count + 1";
