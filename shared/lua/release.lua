-- Hands a task back unharmed: the worker was told to stop, or can't take it. May be called again.
-- KEYS: run taskqueue task claims processing attempts events
-- ARGV: worker, task, token ('': it was popped but not claimed), record (JSON, '': none)
-- Replies: {ok} | {fenced} it isn't ours any more
-- Keeps: a released task is the next one to run, and costs no retry and no crash.
local worker, task, token = ARGV[1], ARGV[2], ARGV[3]
local claim = redis.call('HGET', KEYS[4], task) or ''
if claim ~= token or not holds(KEYS[5], task) then return {'fenced'} end
redis.call('LREM', KEYS[5], 1, task)
redis.call('RPUSH', KEYS[2], task)
if claim ~= '' then
  redis.call('HDEL', KEYS[4], task)
  redis.call('HMSET', KEYS[3], 'status', 'waiting', 'starttime', '0')
  if ARGV[4] ~= '' then redis.call('RPUSH', KEYS[6], ARGV[4]) end
  emit(KEYS[1], KEYS[7], 'e', 'released', 't', task, 'w', worker, 'a', redis.call('HGET', KEYS[3], 'attempt'))
end
return {'ok'}
