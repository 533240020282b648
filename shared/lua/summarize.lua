-- Keeps the summary of a finished run, for the history that a later run moves it to. May be called again.
-- KEYS: controller run
-- ARGV: me, summary (JSON), how often the run had been put back when the summary was made
-- Replies: {ok} | {fenced} somebody else has the lease, or had it in the meantime
--          {closed} the run isn't finished any more, or has finished once more
-- Keeps: a summary is of the run as it ended, by its last controller. The lease may have run out if nobody took it: the
--        run has ended, and nobody else would write it.
local holder = redis.call('GET', KEYS[1]) or redis.call('HGET', KEYS[2], 'controller')
if holder ~= ARGV[1] then return {'fenced'} end
local run = redis.call('HMGET', KEYS[2], 'state', 'reruns')
if run[1] ~= 'finished' or (run[2] or '0') ~= ARGV[3] then return {'closed'} end
redis.call('HSET', KEYS[2], 'summary', ARGV[2])
return {'ok'}
