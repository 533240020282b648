-- Hands a task back unharmed: the worker was told to stop, or can't take it. May be called again.
-- KEYS: run taskqueue task claims processing attempts events runmeta signals releases
-- ARGV: worker, task, token ('': it was popped but not claimed), record (JSON, '': none)
-- Replies: {ok, 1: complete as error, it was handed back too often; 0: waits again} | {fenced} it isn't ours any more
-- Keeps: a released task is the next one to run, and costs no retry and no crash; but no task goes round for ever.
local worker, task, token = ARGV[1], ARGV[2], ARGV[3]
local claim = redis.call('HGET', KEYS[4], task) or ''
local attempt = redis.call('HGET', KEYS[3], 'attempt')
if claim ~= token or not holds(KEYS[5], task) then return {'fenced'} end
if claim ~= '' and not attempt then return {'fenced'} end -- its hash is gone: an audit makes an error of it
redis.call('LREM', KEYS[5], 1, task)
local given_up = false
if claim ~= '' then
  local run = redis.call('HMGET', KEYS[1], 'max_releases', 'cancel')
  local releases = run[2] and 0 or redis.call('HINCRBY', KEYS[10], task, 1)
  given_up = releases > tonumber(run[1])
  local reason = given_up and 'handed back ' .. releases .. ' times by workers that were told to stop' or ''
  redis.call('HDEL', KEYS[4], task)
  if ARGV[4] ~= '' then redis.call('RPUSH', KEYS[6], ARGV[4]) end
  if given_up then
    redis.call('HMSET', KEYS[3], 'status', 'complete', 'result', 'error', 'reason', reason)
  else
    redis.call('HMSET', KEYS[3], 'status', 'waiting', 'starttime', '0')
  end
  emit(KEYS[1], KEYS[7], 'released', 'task', task, 'worker', worker, 'attempt', attempt,
       'result', given_up and 'error' or 'unknown', 'reason', reason)
end
if not given_up then
  redis.call('RPUSH', KEYS[2], task)
elseif count_finished(KEYS[1], KEYS[8], KEYS[9], now_ms()) then
  emit(KEYS[1], KEYS[7], 'finished')
end
return {'ok', given_up and 1 or 0}
