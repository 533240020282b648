-- Keeps what an attempt has put out so far, while it runs: for who follows it, and for when its worker is killed.
-- KEYS: claims task logs
-- ARGV: task, token, output
-- Replies: {ok} | {fenced} the task isn't ours any more
-- Keeps: the output of an attempt is its own; what it is settled with stands.
if redis.call('HGET', KEYS[1], ARGV[1]) ~= ARGV[2] then return {'fenced'} end
local attempt = redis.call('HGET', KEYS[2], 'attempt')
if not attempt then return {'fenced'} end -- its hash is gone: an audit makes an error of it
redis.call('HSET', KEYS[3], attempt, ARGV[3])
return {'ok'}
