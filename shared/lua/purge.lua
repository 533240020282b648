-- Deletes what the old run's next tasks have left. May be called again.
-- KEYS: controller run order; for each task: task attempts logs
-- ARGV: me; for each task: task
-- Replies: {ok} | {fenced}
-- Keeps: the order still names every task whose keys may exist.
if redis.call('GET', KEYS[1]) ~= ARGV[1] then return {'fenced'} end
if redis.call('HGET', KEYS[2], 'state') ~= 'purging' then return {'fenced'} end
for i = 4, #KEYS do redis.call('DEL', KEYS[i]) end
for i = 2, #ARGV do redis.call('LREM', KEYS[3], 1, ARGV[i]) end
return {'ok'}
