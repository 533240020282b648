-- Writes anew the hash of each of these tasks that Redis has lost, as an error. May be called again.
-- KEYS: controller run runmeta details events signals; for each task: task attempts
-- ARGV: me; for each task: task, spec, viewport, browser, runner
-- Replies: {ok, how many were lost} | {fenced} | {closed} the run isn't open
-- Keeps: it is counted once, and what is known of its attempts stays. An audit has taken it out of every list before.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
if redis.call('HGET', KEYS[2], 'state') ~= 'running' then return {'closed'} end
local now, count, reason = now_ms(), 0, 'its record was lost from Redis'
for i = 7, #KEYS, 2 do
  local a = 2 + (i - 7) / 2 * 5
  local task, attempt = ARGV[a], redis.call('LLEN', KEYS[i + 1])
  if redis.call('HEXISTS', KEYS[i], 'status') == 0 then
    count = count + 1
    redis.call('HMSET', KEYS[i], 'key', task, 'spec', ARGV[a + 1], 'viewport', ARGV[a + 2], 'browser', ARGV[a + 3],
               'status', 'complete', 'result', 'error', 'starttime', '0', 'duration', '0', 'durationstring', '0s',
               'runner', ARGV[a + 4], 'attempt', attempt, 'worker', '', 'flaky', '0', 'reason', reason)
    redis.call('HDEL', KEYS[4], task)
    emit(KEYS[2], KEYS[5], 'lost', 'task', task, 'worker', '', 'attempt', attempt, 'result', 'error', 'reason', reason)
    if count_finished(KEYS[2], KEYS[3], KEYS[6], now) then emit(KEYS[2], KEYS[5], 'finished') end
  end
end
return {'ok', count}
