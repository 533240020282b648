-- Renews a worker's lease and tells it what lies unclaimed in its list (a pop whose reply was lost).
-- KEYS: runmeta workers processing claims run
-- ARGV: worker
-- Replies: {ok, unclaimed tasks...} | {closed} | {unknown} declared dead: register again
-- Keeps: who was declared dead stays dead until it registers.
if not redis.call('ZSCORE', KEYS[2], ARGV[1]) then return {'unknown'} end
redis.call('ZADD', KEYS[2], now_ms() + redis.call('HGET', KEYS[5], 'lease_ms'), ARGV[1])
if redis.call('HGET', KEYS[1], 'finished') == '1' then return {'closed'} end
local reply = {'ok'}
for _, task in ipairs(redis.call('LRANGE', KEYS[3], 0, -1)) do
  if redis.call('HEXISTS', KEYS[4], task) == 0 then reply[#reply + 1] = task end
end
return reply
