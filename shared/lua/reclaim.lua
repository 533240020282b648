-- Takes one task back from a worker whose lease ran out, or that left. May be called again.
-- KEYS: run runmeta taskqueue workers processing task claims crashes attempts events signals
-- ARGV: worker, end of its lease as overdue told it ('': it has gone), task
-- Replies: {ok, 1: complete as error, its crashes are spent; 0: waits again} | {gone} not in the list
--          {alive} it has another lease by now, or the clock was set back
-- Keeps: a lost worker costs a crash and never a retry; the task is in one place; it is counted once if it is given up.
local worker, task = ARGV[1], ARGV[3]
local now = now_ms()
if not is_still_dead(KEYS[4], worker, ARGV[2], now) then return {'alive'} end
if not holds(KEYS[5], task) then return {'gone'} end

local t = redis.call('HMGET', KEYS[6], 'status', 'worker', 'attempt', 'starttime')
redis.call('LREM', KEYS[5], 1, task)
if t[1] == 'waiting' then
  redis.call('RPUSH', KEYS[3], task)
  return {'ok', 0}
end
if t[1] ~= 'processing' or t[2] ~= worker then return {'gone'} end

local crashes = redis.call('HINCRBY', KEYS[8], task, 1)
local given_up = crashes >= tonumber(redis.call('HGET', KEYS[1], 'max_crashes'))
local reason = crashes == 1 and 'its worker was lost' or crashes .. ' workers were lost'
redis.call('HDEL', KEYS[7], task)
redis.call('RPUSH', KEYS[9], lost_record(t[3], worker, t[4], now, 'the worker was lost'))
if given_up then
  redis.call('HMSET', KEYS[6], 'status', 'complete', 'result', 'error', 'reason', reason)
else
  redis.call('HMSET', KEYS[6], 'status', 'waiting', 'reason', reason)
  redis.call('RPUSH', KEYS[3], task)
end
emit(KEYS[1], KEYS[10], 'lost', 'task', task, 'worker', worker, 'attempt', t[3],
     'result', given_up and 'error' or 'unknown', 'reason', reason)
if given_up and count_finished(KEYS[1], KEYS[2], KEYS[11], now) then emit(KEYS[1], KEYS[10], 'finished') end
return {'ok', given_up and 1 or 0}
