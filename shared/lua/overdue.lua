-- Which workers' lists must be swept: of those whose lease ran out, and of those that have gone within the last hour
-- (Redis may serve a pop of a connection that it doesn't know to be dead).
-- KEYS: run workers graves
-- ARGV: known (ms; 0: nothing; what this clock must have come to, if nobody has set it, as the controller knows from its
--       own)
-- Replies: {ok, Redis' time (ms), number of those whose lease ran out, their ids..., the end of each one's lease...,
--          ids of the gone...}
-- Keeps: a clock that was set forward makes nobody dead; one that was set back gives nobody more than one lease, and no
--        grave more than its hour.
local clock, known, lease_ms = now_ms(), tonumber(ARGV[1]), redis.call('HGET', KEYS[1], 'lease_ms')
local now = known > 0 and math.min(clock, known) or clock
if lease_ms then
  for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[2], '(' .. clock + lease_ms, '+inf')) do
    redis.call('ZADD', KEYS[2], clock + lease_ms, worker)
  end
end
for _, worker in ipairs(redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. clock, '+inf')) do
  redis.call('ZADD', KEYS[3], clock, worker)
end
redis.call('ZREMRANGEBYSCORE', KEYS[3], '-inf', now - 3600000)

local expired = redis.call('ZRANGEBYSCORE', KEYS[2], '-inf', now, 'WITHSCORES')
local reply = {'ok', clock, #expired / 2}
for i = 1, #expired, 2 do reply[#reply + 1] = expired[i] end
for i = 2, #expired, 2 do reply[#reply + 1] = expired[i] end
for _, worker in ipairs(redis.call('ZRANGE', KEYS[3], 0, -1)) do reply[#reply + 1] = worker end
return reply
