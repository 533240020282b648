-- Everything that the checker looks at, as JSON, in one look: no task moves meanwhile. Keys of the run without a prefix.
local function hash(key)
  local flat, table = redis.call('HGETALL', key), {}
  for i = 1, #flat, 2 do table[flat[i]] = flat[i + 1] end
  return table
end

local snapshot = {meta = hash('runmeta'), queue = redis.call('LRANGE', 'taskqueue', 0, -1), tasks = {}, processing = {}}
for _, key in ipairs(redis.call('KEYS', 'task:*')) do snapshot.tasks[key] = hash(key) end
for _, key in ipairs(redis.call('KEYS', 'funkytown:processing:*')) do
  snapshot.processing[key] = redis.call('LRANGE', key, 0, -1)
end
return cjson.encode(snapshot)
