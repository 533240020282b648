-- Renews the controller's lease, also when it ran out and nobody took it; or gives it up.
-- KEYS: controller run
-- ARGV: me, lease (ms; 0: give it up)
-- Replies: {ok, Redis' time (ms)} | {fenced} somebody else has it, or had it in the meantime
-- Keeps: who was away while another controller was there doesn't go on with a run that may be another one.
local holder = redis.call('GET', KEYS[1]) or redis.call('HGET', KEYS[2], 'controller')
if holder ~= ARGV[1] then return {'fenced'} end
if ARGV[2] == '0' then
  redis.call('DEL', KEYS[1])
else
  redis.call('SET', KEYS[1], ARGV[1], 'PX', ARGV[2])
end
return {'ok', now_ms()}
