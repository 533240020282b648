-- Writes the next tasks of the plan. May be called again: what is there already isn't written twice.
-- KEYS: controller run taskqueue order overrides; for each task: task
-- ARGV: me, plan digest, offset (how many tasks were loaded before these);
--       for each task: task, spec, viewport, browser, runner, overrides ('': none)
-- Replies: {ok, loaded} | {at, loaded} go on from there | {fenced}
-- Keeps: the order holds the first `loaded` tasks of the run's plan, each of them waiting and in the queue once; even if
--        Redis came back with another run that was ours too.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'digest', 'loaded')
if run[1] ~= 'loading' or run[2] ~= ARGV[2] then return {'fenced'} end
if run[3] ~= ARGV[3] then return {'at', run[3]} end
for i = 6, #KEYS do
  local a = 4 + (i - 6) * 6
  local key, overrides = ARGV[a], ARGV[a + 5]
  redis.call('HMSET', KEYS[i], 'key', key, 'spec', ARGV[a + 1], 'viewport', ARGV[a + 2], 'browser', ARGV[a + 3],
             'status', 'waiting', 'result', 'unknown', 'starttime', '0', 'duration', '0', 'durationstring', '0s',
             'runner', ARGV[a + 4], 'attempt', '0', 'worker', '', 'flaky', '0', 'reason', '')
  if overrides ~= '' then redis.call('HSET', KEYS[5], key, overrides) end
  redis.call('RPUSH', KEYS[4], key)
  redis.call('LPUSH', KEYS[3], key)
end
return {'ok', redis.call('HINCRBY', KEYS[2], 'loaded', #KEYS - 5)}
