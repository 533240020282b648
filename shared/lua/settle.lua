-- Ends an attempt: the task is complete and counted once, or waits for another attempt. May be called again.
-- KEYS: run runmeta taskqueue task claims settled failures processing attempts logs details events signals
-- ARGV: worker, task, token, result (passed|failed|error|skipped), reason, duration (ns), duration as text, record (JSON),
--       log ('': none), details (JSON, '': none), retries allowed after failures
-- Replies: {ok, 1: complete 0: waits again} | {already} this very settle was done | {fenced} the task isn't ours any more
-- Keeps: complete tasks are counted exactly once; finished is 1 if and only if none remains; no skip takes a failure back.
local worker, task, token, result, reason = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
if redis.call('HGET', KEYS[6], task) == token then return {'already'} end
if redis.call('HGET', KEYS[5], task) ~= token then return {'fenced'} end
local attempt = redis.call('HGET', KEYS[4], 'attempt')
if not attempt then return {'fenced'} end -- its hash is gone: an audit makes an error of it

local now = now_ms()
local failures = tonumber(redis.call('HGET', KEYS[7], task) or '0')
if result == 'failed' then failures = redis.call('HINCRBY', KEYS[7], task, 1) end
local again = result == 'failed' and failures <= tonumber(ARGV[11])
local flaky = result == 'passed' and failures > 0 and '1' or '0'
if result == 'skipped' and failures > 0 then result, reason = 'failed', 'it failed before, and skipped itself then' end

redis.call('HSET', KEYS[6], task, token)
redis.call('HDEL', KEYS[5], task)
redis.call('LREM', KEYS[8], 1, task)
redis.call('RPUSH', KEYS[9], ARGV[8])
if ARGV[9] ~= '' then redis.call('HSET', KEYS[10], attempt, ARGV[9]) end
if ARGV[10] ~= '' then redis.call('HSET', KEYS[11], task, ARGV[10]) else redis.call('HDEL', KEYS[11], task) end
if again then
  redis.call('HMSET', KEYS[4], 'status', 'waiting', 'reason', reason)
  redis.call('RPUSH', KEYS[3], task)
else
  redis.call('HMSET', KEYS[4], 'status', 'complete', 'result', result, 'reason', reason, 'duration', ARGV[6],
             'durationstring', ARGV[7], 'flaky', flaky)
end
-- How many tasks have failed since the run was opened, or since something was put back.
local failed = not again and result == 'failed' and redis.call('HINCRBY', KEYS[1], 'failed', 1)
               or redis.call('HGET', KEYS[1], 'failed') or '0'
emit(KEYS[1], KEYS[12], again and 'retried' or 'settled', 'task', task, 'worker', worker, 'attempt', attempt,
     'result', result, 'flaky', flaky, 'duration_ns', ARGV[6], 'reason', reason, 'failed', failed, 'details', ARGV[10])
if again then return {'ok', 0} end
if count_finished(KEYS[1], KEYS[2], KEYS[13], now) then emit(KEYS[1], KEYS[12], 'finished') end
return {'ok', 1}
