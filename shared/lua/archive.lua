-- Moves the found run into the history and begins to clear it away. May be called again.
-- KEYS: controller run runmeta taskqueue history
-- ARGV: me, summary of the run (JSON)
-- Replies: {ok} | {fenced}
-- Keeps: a run is in the history once; without runmeta no worker takes anything.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
if redis.call('HGET', KEYS[2], 'state') == 'purging' then return {'ok'} end
redis.call('LPUSH', KEYS[5], ARGV[2])
redis.call('LTRIM', KEYS[5], 0, 99)
redis.call('DEL', KEYS[3], KEYS[4])
redis.call('HSET', KEYS[2], 'state', 'purging')
return {'ok'}
