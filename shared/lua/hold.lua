-- Renews the controller's lease, or gives it up.
-- KEYS: controller
-- ARGV: me, lease (ms; 0: give it up)
-- Replies: {ok} | {fenced} somebody else has it
local holder = redis.call('GET', KEYS[1])
if holder and holder ~= ARGV[1] then return {'fenced'} end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return {'ok'}
