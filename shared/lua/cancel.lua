-- Cancels the run: from the first call on nothing can be claimed, and these waiting tasks are complete without a result.
-- What is being processed is handed back by its worker, which is woken. May be called again.
-- KEYS: controller run runmeta taskqueue events signals; for each task: task
-- ARGV: me, kind (asked|deadline|failures), reason; for each task: task (those at the right end of the queue)
-- Replies: {ok, how many were cancelled} | {fenced} | {closed} no run is open
-- Keeps: a cancelled task is counted once, and the first reason and its kind stay.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'cancel')
if run[1] ~= 'running' then return {'closed'} end
local reason = run[2] or ARGV[3]
if not run[2] then
  redis.call('HMSET', KEYS[2], 'cancel', reason, 'cancel_kind', ARGV[2])
  emit(KEYS[2], KEYS[5], 'cancelling', 'kind', ARGV[2], 'reason', reason)
  signal(KEYS[6], 'cancelled')
end
local now, count = now_ms(), 0
for i = 7, #KEYS do
  local task = ARGV[i - 3]
  -- One whose hash is gone is left to an audit.
  if redis.call('LREM', KEYS[4], -1, task) == 1 and redis.call('HEXISTS', KEYS[i], 'status') == 1 then
    count = count + 1
    redis.call('HMSET', KEYS[i], 'status', 'complete', 'reason', reason)
    emit(KEYS[2], KEYS[5], 'cancelled', 'task', task, 'reason', reason)
    if count_finished(KEYS[2], KEYS[3], KEYS[6], now) then emit(KEYS[2], KEYS[5], 'finished') end
  end
end
return {'ok', count}
