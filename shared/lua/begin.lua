-- Starts a run: nothing of an older one is left, nothing can be taken yet.
-- KEYS: controller run runmeta taskqueue order overrides claims settled crashes failures details workers events signals
-- ARGV: me, then name and value of each field of the run
-- Replies: {ok} | {fenced}
-- Keeps: without runmeta no worker takes anything. The list of graves stays: a pop of an old worker may still come.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('HMSET', KEYS[2], 'state', 'loading', 'loaded', '0', 'events', '0')
return {'ok'}
