-- Opens the run: writes runmeta, the workers' signal. May be called again.
-- KEYS: controller run runmeta events signals
-- ARGV: me
-- Replies: {ok} | {already} | {fenced} | {at, loaded} tasks are missing
-- Keeps: runmeta exists only when every task of the plan does.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'loaded', 'total', 'id')
if run[1] == 'running' or run[1] == 'finished' then return {'already'} end
if run[1] ~= 'loading' then return {'fenced'} end
if run[2] ~= run[3] then return {'at', run[2]} end
redis.call('HMSET', KEYS[2], 'state', 'running', 'started_ms', now_ms())
redis.call('HMSET', KEYS[3], 'runid', run[4], 'tasksremaining', run[3], 'tasksfinished', '0', 'finished', '0')
emit(KEYS[2], KEYS[4], 'opened')
signal(KEYS[5], 'opened')
return {'ok'}
