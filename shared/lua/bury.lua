-- Strikes off a worker: its lease ran out and its list was swept, or it leaves by itself with nothing claimed. May be
-- called again.
-- KEYS: run workers graves processing taskqueue claims worker events
-- ARGV: worker, nonce ('': its lease ran out; of the process that leaves), end of that lease (as overdue told it)
-- Replies: {ok} | {alive} it has another lease by now, or the clock was set back | {busy} it still holds tasks
-- Keeps: its list goes on being swept. Another process of its name isn't touched.
local worker, nonce = ARGV[1], ARGV[2]
local leaves = nonce ~= ''
local now = now_ms()
if leaves then
  local known = redis.call('HGET', KEYS[7], 'nonce')
  if known and known ~= nonce then return {'ok'} end
elseif not is_still_dead(KEYS[2], worker, ARGV[3], now) then
  return {'alive'}
end
local items = redis.call('LRANGE', KEYS[4], 0, -1)
for _, task in ipairs(items) do
  if not leaves or redis.call('HEXISTS', KEYS[6], task) == 1 then return {'busy'} end
end
for _, task in ipairs(items) do redis.call('RPUSH', KEYS[5], task) end
redis.call('DEL', KEYS[4], KEYS[7])
redis.call('ZADD', KEYS[3], 'NX', now, worker)
if redis.call('ZREM', KEYS[2], worker) == 1 then
  emit(KEYS[1], KEYS[8], leaves and 'left' or 'buried', 'worker', worker)
end
return {'ok'}
