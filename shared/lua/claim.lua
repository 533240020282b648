-- Turns a popped task into one that this worker processes, under a token drawn for this claim. May be called again.
-- KEYS: run runmeta workers processing task claims overrides events taskqueue
-- ARGV: worker, task, token
-- Replies: {ok, attempt, spec, viewport, browser, runner, overrides} | {unknown} not registered, the list will be swept
--          {gone} it isn't (any more) in the list as a waiting task | {closed} no run is open; it went back
-- Keeps: a processing task is in the list of the worker that its hash names, and has a token.
local worker, task, token = ARGV[1], ARGV[2], ARGV[3]
if not redis.call('ZSCORE', KEYS[3], worker) then return {'unknown'} end
if not holds(KEYS[4], task) then return {'gone'} end

local claim = redis.call('HGET', KEYS[6], task)
if claim ~= token then
  if redis.call('HGET', KEYS[2], 'finished') ~= '0' then
    redis.call('LREM', KEYS[4], 1, task)
    redis.call('RPUSH', KEYS[9], task)
    return {'closed'}
  end
  local t = redis.call('HMGET', KEYS[5], 'status', 'worker')
  if claim or t[1] ~= 'waiting' then
    -- Unless it is ours under another token, it has no business in this list: somebody else answers for it.
    if t[1] ~= 'processing' or t[2] ~= worker then redis.call('LREM', KEYS[4], 1, task) end
    return {'gone'}
  end
  redis.call('HSET', KEYS[6], task, token)
  redis.call('HMSET', KEYS[5], 'status', 'processing', 'starttime', math.floor(now_ms() / 1000), 'worker', worker,
             'duration', '0', 'durationstring', '0s', 'result', 'unknown')
  local attempt = redis.call('HINCRBY', KEYS[5], 'attempt', 1)
  emit(KEYS[1], KEYS[8], 'e', 'claimed', 't', task, 'w', worker, 'a', attempt)
end
local t = redis.call('HMGET', KEYS[5], 'attempt', 'spec', 'viewport', 'browser', 'runner')
return {'ok', t[1], t[2], t[3], t[4], t[5], redis.call('HGET', KEYS[7], task) or ''}
