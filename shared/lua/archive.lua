-- Moves the found run into the history and begins to clear it away. May be called again.
-- KEYS: controller run runmeta taskqueue claims history workers graves; for each worker: processing worker
-- ARGV: me, summary of the run (JSON); for each worker: worker (all whose lease ran out or that have gone)
-- Replies: {ok} | {fenced} somebody else has the lease, or no run is there | {busy} not every worker was named
--          {occupied, run id, state, worker, its name} it is alive: nothing was touched
-- Keeps: a run is in the history once. From here on nobody holds anything of it: no queue to pop from, no list to sweep,
--        no token to settle with; and whoever might still pop is in the graves.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'id', 'state')
if not run[2] then return {'fenced'} end
if run[2] == 'purging' then return {'ok'} end
local now = now_ms()
local alive = redis.call('ZRANGEBYSCORE', KEYS[7], '(' .. now, '+inf', 'LIMIT', 0, 1)
if alive[1] then return {'occupied', run[1], run[2], 'worker', alive[1]} end
local named = {}
for i = 3, #ARGV do named[ARGV[i]] = true end
local workers = redis.call('ZRANGE', KEYS[7], 0, -1)
for _, worker in ipairs(workers) do
  if not named[worker] then return {'busy'} end
end
for _, worker in ipairs(redis.call('ZRANGE', KEYS[8], 0, -1)) do
  if not named[worker] then return {'busy'} end
end

redis.call('LPUSH', KEYS[6], ARGV[2])
redis.call('LTRIM', KEYS[6], 0, 99)
for _, worker in ipairs(workers) do redis.call('ZADD', KEYS[8], now, worker) end
redis.call('DEL', KEYS[3], KEYS[4], KEYS[5], KEYS[7])
for i = 9, #KEYS do redis.call('DEL', KEYS[i]) end
redis.call('HMSET', KEYS[2], 'state', 'purging', 'controller', ARGV[1])
return {'ok'}
