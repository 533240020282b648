-- Which workers' lists must be swept: of those whose lease ran out, and of those that have gone within the last hour
-- (Redis may serve a pop of a connection that it doesn't know to be dead).
-- KEYS: workers graves
-- Replies: {ok, number of those whose lease ran out, their ids..., ids of the gone...}
local now = now_ms()
redis.call('ZREMRANGEBYSCORE', KEYS[2], '-inf', now - 3600000)
local expired = redis.call('ZRANGEBYSCORE', KEYS[1], '-inf', now)
local reply = {'ok', #expired}
for _, worker in ipairs(expired) do reply[#reply + 1] = worker end
for _, worker in ipairs(redis.call('ZRANGE', KEYS[2], 0, -1)) do reply[#reply + 1] = worker end
return reply
