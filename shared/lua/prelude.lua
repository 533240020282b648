-- Put before every script when it is loaded: the few things that all of them do alike.

-- Redis' clock, in ms. No other clock is ever compared with.
local function now_ms()
  local t = redis.call('TIME')
  return t[1] * 1000 + math.floor(t[2] / 1000)
end

-- Tells the controller's board. The number has no gaps, so a reader knows whether it missed something. Which fields
-- follow the event's name: shared/event.c.
local function emit(run, events, event, ...)
  local number = redis.call('HINCRBY', run, 'events', 1)
  redis.call('XADD', events, 'MAXLEN', '~', '100000', '*', 'number', number, 'at_ms', now_ms(), 'event', event, ...)
end

-- Wakes the workers: opened, cancelled, finished.
local function signal(signals, event)
  redis.call('XADD', signals, 'MAXLEN', '~', '1000', '*', 'event', event)
end

-- Whether a list holds a value. Processing lists are as short as a worker has slots.
local function holds(list, value)
  for _, item in ipairs(redis.call('LRANGE', list, 0, -1)) do
    if item == value then return true end
  end
  return false
end

-- Whether a worker's lease runs.
local function is_alive(workers, worker, now)
  local lease_end = redis.call('ZSCORE', workers, worker)
  return lease_end and tonumber(lease_end) > now
end

-- Whether a worker's lease is still the one that was found to have run out ('': it had none, as it had gone). Who has
-- renewed it, or come back, has another: so nobody is dead because the clock was set after he was looked at.
local function is_still_dead(workers, worker, found_end, now)
  local lease_end = redis.call('ZSCORE', workers, worker)
  return not lease_end or (lease_end == found_end and tonumber(lease_end) <= now)
end

-- Whether another worker's lease runs.
local function has_others(workers, worker, now)
  return redis.call('ZCOUNT', workers, '(' .. now, '+inf') > (is_alive(workers, worker, now) and 1 or 0)
end

-- Whether this very process is the worker of that name. Who is struck off loses its hash.
local function is_registered(hash, nonce)
  return redis.call('HGET', hash, 'nonce') == nonce
end

-- The record of an attempt that nobody reports (shared/record.h). `starttime` in s.
local function lost_record(attempt, worker, starttime, now, reason)
  return cjson.encode({version = 1, attempt = tonumber(attempt), outcome = 'lost', reason = reason, worker = worker,
                       started_ms = starttime * 1000, duration_ms = math.max(0, now - starttime * 1000)})
end

-- Counts a task that has become complete; the last one finishes the run and wakes the workers.
local function count_finished(run, runmeta, signals, now)
  redis.call('HINCRBY', runmeta, 'tasksfinished', 1)
  if redis.call('HINCRBY', runmeta, 'tasksremaining', -1) == 0 then
    redis.call('HSET', runmeta, 'finished', '1')
    -- A clock that was set back makes no run that ended before it began.
    local t = redis.call('HMGET', run, 'started_ms', 'reopened_ms')
    redis.call('HMSET', run, 'state', 'finished', 'finished_ms', math.max(now, tonumber(t[1] or 0), tonumber(t[2] or 0)))
    signal(signals, 'finished')
    return true
  end
  return false
end

