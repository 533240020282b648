-- Renews a worker's lease and tells it what lies in its list: what it doesn't know of is to be claimed (a pop whose reply
-- was lost; a claim or a settlement that Redis forgot when it came back with an older state).
-- KEYS: runmeta workers processing worker run
-- ARGV: worker, nonce of this process
-- Replies: {ok, tasks...} | {closed} | {unknown} declared dead: register again
--          {cancelled} the run is being cancelled: hand back what runs
-- Keeps: who was declared dead, or replaced by another process of its name, stays dead until it registers.
if not is_registered(KEYS[4], ARGV[2]) then return {'unknown'} end
local run = redis.call('HMGET', KEYS[5], 'lease_ms', 'cancel')
redis.call('ZADD', KEYS[2], now_ms() + run[1], ARGV[1])
if redis.call('HGET', KEYS[1], 'finished') == '1' then return {'closed'} end
if run[2] then return {'cancelled'} end
local reply = redis.call('LRANGE', KEYS[3], 0, -1)
table.insert(reply, 1, 'ok')
return reply
