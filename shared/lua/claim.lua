-- Turns a popped task into one that this worker processes, under a token drawn for this claim. May be called again.
-- KEYS: run worker processing task claims overrides events attempts workers taskqueue declined
-- ARGV: worker, task, token, nonce of this process
-- Replies: {ok, attempt, spec, viewport, browser, runner, overrides} | {unknown} not registered, the list will be swept
--          {gone} somebody else answers for it: it isn't in the list any more | {closed} no run is open
-- Keeps: a processing task is in the list of the worker that its hash names, and has a token.
local worker, task, token = ARGV[1], ARGV[2], ARGV[3]
if not is_registered(KEYS[2], ARGV[4]) then return {'unknown'} end
if not holds(KEYS[3], task) then return {'gone'} end

local claim = redis.call('HGET', KEYS[5], task)
local t = redis.call('HMGET', KEYS[4], 'status', 'worker', 'attempt', 'starttime', 'spec', 'viewport', 'browser', 'runner')
local attempt = tonumber(t[3])
if not attempt then -- its hash is gone: an audit makes an error of it
  redis.call('LREM', KEYS[3], 1, task)
  redis.call('HDEL', KEYS[5], task)
  return {'gone'}
end
if claim ~= token then
  local run = redis.call('HMGET', KEYS[1], 'state', 'cancel')
  if run[1] ~= 'running' or run[2] then return {'closed'} end
  -- Ours, but the process doesn't know: it forgot, or Redis came back with what it was before this worker settled.
  local is_forgotten = claim and t[1] == 'processing' and t[2] == worker
  local is_ours = is_forgotten or (not claim and t[1] == 'waiting')
  local now = now_ms()
  -- It didn't end well here, so it is left to the others, who get it at once if they are idle. When it has come back
  -- twice they are all busy for long, and it runs here.
  local is_declined = is_ours and not is_forgotten and t[2] == worker and has_others(KEYS[9], worker, now)
                      and redis.call('HINCRBY', KEYS[11], task, 1) <= 2
  if not is_ours or is_declined then
    redis.call('LREM', KEYS[3], 1, task)
    if is_declined then redis.call('LPUSH', KEYS[10], task) end
    return {'gone'}
  end
  if attempt > 0 then redis.call('HDEL', KEYS[11], task) end
  if is_forgotten then
    redis.call('RPUSH', KEYS[8], lost_record(t[3], worker, t[4], now, 'the worker knew nothing of it any more'))
  end
  redis.call('HSET', KEYS[5], task, token)
  attempt = attempt + 1
  redis.call('HMSET', KEYS[4], 'status', 'processing', 'starttime', math.floor(now / 1000), 'worker', worker,
             'attempt', attempt)
  emit(KEYS[1], KEYS[7], 'claimed', 'task', task, 'worker', worker, 'attempt', attempt)
end
return {'ok', attempt, t[5], t[6], t[7], t[8], redis.call('HGET', KEYS[6], task) or ''}
