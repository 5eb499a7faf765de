#include "fleet/script.h"

// clang-format off
/* A stream of somebody else's choice may be of any type: that is no reason to do the task again. */
#define ADD_ANSWER(key, id, answer, keep) \
	"redis.pcall('XADD', " key ", 'MAXLEN', '~', " keep " == '' and '100000' or '10000000', '*',\n" \
	"	'id', " id ", 'answer', " answer ")\n"

const char script_finish[] =
	"local done, kept = {}, {}\n"
	"for i = 2, #KEYS do\n"
	"	local key, entry, id, answer, keep = KEYS[i], unpack(ARGV, 4 * i - 6, 4 * i - 3)\n"
	"	if redis.call('XACK', KEYS[1], ARGV[1], entry) == 1 then\n"
	"		done[#done + 1] = entry\n"
	ADD_ANSWER("key", "id", "answer", "keep")
	"		kept[key] = keep ~= '' and keep or nil\n"
	"	end\n"
	"end\n"
	"if done[1] then redis.call('XDEL', KEYS[1], unpack(done)) end\n"
	"for key, keep in pairs(kept) do redis.pcall('PEXPIRE', key, keep) end\n"
	"return #done";

const char script_bury[] =
	"local found = redis.call('XRANGE', KEYS[1], ARGV[2], ARGV[2])\n"
	"if redis.call('XACK', KEYS[1], ARGV[1], ARGV[2]) == 0 then return 0 end\n"
	"redis.call('XDEL', KEYS[1], ARGV[2])\n"
	"if not found[1] then return 0 end\n"
	"redis.call('XADD', KEYS[2], 'MAXLEN', '~', '100000', '*', 'entry', ARGV[2], 'reason', ARGV[3], 'deliveries', ARGV[4],\n"
	"	unpack(found[1][2]))\n"
	ADD_ANSWER("KEYS[3]", "ARGV[5]", "ARGV[6]", "ARGV[7]")
	"if ARGV[7] ~= '' then redis.pcall('PEXPIRE', KEYS[3], ARGV[7]) end\n"
	"return 1";
// clang-format on

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
