-- Puts complete tasks back that didn't pass, or not at once; all in one call, so that a finished run opens once.
-- KEYS: controller run runmeta taskqueue crashes failures releases declined details events signals; for each task: task
-- ARGV: me; for each task: task
-- Replies: {ok, how many were put back} | {fenced} | {closed} no run is there | {busy} it is being cancelled
-- Keeps: who asks is the run's controller from then on (see acquire). Passes are carried forward. Each budget starts anew, the deadline and the failures that end a run too; attempts go on
--        counting, and the time in which the run was finished isn't any of its own. Who asks twice puts back once.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'cancel', 'finished_ms')
if run[1] ~= 'running' and run[1] ~= 'finished' then return {'closed'} end
if run[1] == 'running' and run[2] then return {'busy'} end
redis.call('HSET', KEYS[2], 'controller', ARGV[1])
local count = 0
for i = 12, #KEYS do
  local task = ARGV[i - 10]
  local t = redis.call('HMGET', KEYS[i], 'status', 'result', 'flaky')
  if t[1] == 'complete' and (t[2] ~= 'passed' or t[3] == '1') then
    count = count + 1
    redis.call('HMSET', KEYS[i], 'status', 'waiting', 'result', 'unknown', 'starttime', '0', 'duration', '0',
               'durationstring', '0s', 'flaky', '0', 'reason', '')
    for k = 5, 9 do redis.call('HDEL', KEYS[k], task) end
    redis.call('LPUSH', KEYS[4], task)
    emit(KEYS[2], KEYS[10], 'rerun', 'task', task)
  end
end
if count > 0 then
  redis.call('HINCRBY', KEYS[3], 'tasksremaining', count)
  redis.call('HINCRBY', KEYS[3], 'tasksfinished', -count)
  redis.call('HSET', KEYS[3], 'finished', '0')
  if run[1] == 'finished' then
    local now = now_ms()
    redis.call('HINCRBY', KEYS[2], 'idle_ms', math.max(0, now - run[3]))
    redis.call('HMSET', KEYS[2], 'state', 'running', 'reopened_ms', now)
  end
  redis.call('HINCRBY', KEYS[2], 'reruns', 1)
  redis.call('HDEL', KEYS[2], 'finished_ms', 'cancel', 'cancel_kind', 'failed', 'summary')
  signal(KEYS[11], 'opened')
end
return {'ok', count}
