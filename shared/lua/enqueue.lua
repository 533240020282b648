-- Writes the next tasks of the plan. May be called again: what is there already isn't written twice.
-- KEYS: controller run taskqueue order overrides, then the key of each task's hash
-- ARGV: me, how many tasks were loaded before these, then for each: key, spec, viewport, browser, runner, overrides ('': none)
-- Replies: {ok, loaded} | {at, loaded} go on from there | {fenced}
-- Keeps: the order holds the first `loaded` tasks of the plan, each of them waiting and in the queue once.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
if redis.call('HGET', KEYS[2], 'state') ~= 'loading' then return {'fenced'} end
local loaded = redis.call('HGET', KEYS[2], 'loaded')
if loaded ~= ARGV[2] then return {'at', loaded} end
for i = 6, #KEYS do
  local a = 3 + (i - 6) * 6
  local key, overrides = ARGV[a], ARGV[a + 5]
  redis.call('HMSET', KEYS[i], 'key', key, 'spec', ARGV[a + 1], 'viewport', ARGV[a + 2], 'browser', ARGV[a + 3],
             'status', 'waiting', 'result', 'unknown', 'starttime', '0', 'duration', '0', 'durationstring', '0s',
             'runner', ARGV[a + 4], 'attempt', '0', 'worker', '', 'flaky', '0', 'reason', '')
  if overrides ~= '' then redis.call('HSET', KEYS[5], key, overrides) end
  redis.call('RPUSH', KEYS[4], key)
  redis.call('LPUSH', KEYS[3], key)
end
return {'ok', redis.call('HINCRBY', KEYS[2], 'loaded', #KEYS - 5)}
