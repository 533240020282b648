-- Turns a popped task into one that this worker processes, under a token drawn for this claim. May be called again.
-- KEYS: run runmeta worker processing task claims overrides events attempts
-- ARGV: worker, task, token, nonce of this process
-- Replies: {ok, attempt, spec, viewport, browser, runner, overrides} | {unknown} not registered, the list will be swept
--          {gone} somebody else answers for it: it isn't in the list any more | {closed} no run is open
-- Keeps: a processing task is in the list of the worker that its hash names, and has a token.
local worker, task, token = ARGV[1], ARGV[2], ARGV[3]
if not is_registered(KEYS[3], ARGV[4]) then return {'unknown'} end
if not holds(KEYS[4], task) then return {'gone'} end

local claim = redis.call('HGET', KEYS[6], task)
local t = redis.call('HMGET', KEYS[5], 'status', 'worker', 'attempt', 'starttime', 'spec', 'viewport', 'browser', 'runner')
local attempt = tonumber(t[3])
if claim ~= token then
  if redis.call('HGET', KEYS[2], 'finished') ~= '0' then return {'closed'} end
  -- Ours, but the process doesn't know: it forgot, or Redis came back with what it was before this worker settled.
  local is_forgotten = claim and t[1] == 'processing' and t[2] == worker
  if not is_forgotten and (claim or t[1] ~= 'waiting') then
    redis.call('LREM', KEYS[4], 1, task)
    return {'gone'}
  end
  local now = now_ms()
  if is_forgotten then
    redis.call('RPUSH', KEYS[9], lost_record(t[3], worker, t[4], now, 'the worker knew nothing of it any more'))
  end
  redis.call('HSET', KEYS[6], task, token)
  attempt = attempt + 1
  redis.call('HMSET', KEYS[5], 'status', 'processing', 'starttime', math.floor(now / 1000), 'worker', worker,
             'attempt', attempt)
  emit(KEYS[1], KEYS[8], 'e', 'claimed', 't', task, 'w', worker, 'a', attempt)
end
return {'ok', attempt, t[5], t[6], t[7], t[8], redis.call('HGET', KEYS[7], task) or ''}
