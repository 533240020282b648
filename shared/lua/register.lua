-- A worker joins the run, or joins again after it was cut off. Tasks that a lost pop left in its list go back.
-- KEYS: run runmeta workers graves worker processing taskqueue claims controller events
-- ARGV: worker, nonce of this process, host, pid, slots, identity of this process (shared/lease_holder.h)
-- Replies: {ok, then name and value of each field of the run} | {waiting} no run is open
--          {closed, id, 1: its controller is alive} | {taken} another process has this name, or has left claimed tasks
-- Keeps: a worker is leased before its first pop; a name stands for one process at a time.
local worker, nonce = ARGV[1], ARGV[2]
local meta = redis.call('HMGET', KEYS[2], 'finished', 'runid')
if not meta[1] then return {'waiting'} end
if meta[1] == '1' then
  local holder = redis.call('GET', KEYS[9])
  return {'closed', meta[2], holder and holder == redis.call('HGET', KEYS[1], 'controller') and 1 or 0}
end

local now = now_ms()
local known = redis.call('HGET', KEYS[5], 'nonce')
local items = redis.call('LRANGE', KEYS[6], 0, -1)
if known ~= nonce then
  if is_alive(KEYS[3], worker, now) then return {'taken'} end
  for _, task in ipairs(items) do
    if redis.call('HEXISTS', KEYS[8], task) == 1 then return {'taken'} end
  end
end

local run = redis.call('HGETALL', KEYS[1])
local lease_ms = redis.call('HGET', KEYS[1], 'lease_ms')
redis.call('ZADD', KEYS[3], now + lease_ms, worker)
redis.call('ZREM', KEYS[4], worker)
redis.call('HMSET', KEYS[5], 'nonce', nonce, 'host', ARGV[3], 'pid', ARGV[4], 'slots', ARGV[5], 'identity', ARGV[6])
for _, task in ipairs(items) do
  if redis.call('HEXISTS', KEYS[8], task) == 0 then
    redis.call('LREM', KEYS[6], 1, task)
    redis.call('RPUSH', KEYS[7], task)
  end
end
if known ~= nonce then emit(KEYS[1], KEYS[10], 'joined', 'worker', worker, 'slots', ARGV[5], 'host', ARGV[3], 'pid', ARGV[4]) end
table.insert(run, 1, 'ok')
return run
