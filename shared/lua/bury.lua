-- Strikes off a worker: its lease ran out and its list was swept, or it leaves by itself with nothing claimed.
-- KEYS: run workers graves processing taskqueue claims worker events
-- ARGV: worker, 1: it leaves by itself
-- Replies: {ok} | {alive} | {busy} it still holds tasks
-- Keeps: its list goes on being swept.
local worker, leaves = ARGV[1], ARGV[2] == '1'
local now = now_ms()
if not leaves and is_alive(KEYS[2], worker, now) then return {'alive'} end
local items = redis.call('LRANGE', KEYS[4], 0, -1)
for _, task in ipairs(items) do
  if not leaves or redis.call('HEXISTS', KEYS[6], task) == 1 then return {'busy'} end
end
for _, task in ipairs(items) do redis.call('RPUSH', KEYS[5], task) end
redis.call('DEL', KEYS[4], KEYS[7])
redis.call('ZADD', KEYS[3], now, worker)
if redis.call('ZREM', KEYS[2], worker) == 1 then
  emit(KEYS[1], KEYS[8], 'e', leaves and 'left' or 'buried', 'w', worker)
end
return {'ok'}
