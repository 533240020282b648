-- Starts a run: nothing of an older one is left, nothing can be taken yet. May be called again until tasks are loaded.
-- KEYS: controller run runmeta taskqueue order overrides claims settled crashes failures releases declined details
--       workers events signals
-- ARGV: me; for each field of the run: name, value
-- Replies: {ok} | {fenced} | {busy} a run is there that wasn't cleared away
-- Keeps: without runmeta no worker takes anything. The list of graves stays: a pop of an old worker may still come.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'loaded')
local is_cleared = not run[1] or (run[1] == 'purging' and redis.call('LLEN', KEYS[5]) == 0)
if not is_cleared and not (run[1] == 'loading' and run[2] == '0') then return {'busy'} end
for i = 2, #KEYS do redis.call('DEL', KEYS[i]) end
for i = 2, #ARGV, 2 do redis.call('HSET', KEYS[2], ARGV[i], ARGV[i + 1]) end
redis.call('HMSET', KEYS[2], 'state', 'loading', 'loaded', '0', 'events', '0', 'controller', ARGV[1])
return {'ok'}
