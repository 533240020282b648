-- Everything below a prefix, as lines that a test can compare with what it expects.
-- Moments are checked here, where the clock is, and stand as T when they are now or a little earlier.
-- ARGV: prefix, id of the last event that was seen ('0-0': none)
-- Replies: {SHA-1 of every value as it is, id of the last event, line...}
local prefix, seen = ARGV[1], ARGV[2]
local t = redis.call('TIME')
local now = t[1] * 1000 + math.floor(t[2] / 1000)
local exact, lines, last_event = {}, {}, seen

local function line(...) lines[#lines + 1] = table.concat({...}) end

local function moment(text, unit_ms)
  local age = now - (tonumber(text) or 0) * unit_ms
  return age > -1 and age < 100000 and 'T' or text
end

local moments = {starttime = 1000, started_ms = 1, finished_ms = 1, reopened_ms = 1}

-- How long a run has been finished before it was begun again.
local function span(text)
  local ms = tonumber(text)
  return ms >= 0 and ms < 100000 and 'D' or text
end

local function show_value(field, value)
  if field == 'idle_ms' then return span(value) end
  return moments[field] and moment(value, moments[field]) or value
end

local function show_hash(name, key)
  local values, fields = {}, {}
  local all = redis.call('HGETALL', key)
  for i = 1, #all, 2 do
    values[all[i]] = all[i + 1]
    fields[#fields + 1] = all[i]
  end
  table.sort(fields)
  for _, field in ipairs(fields) do
    exact[#exact + 1] = field
    exact[#exact + 1] = values[field]
    line(name, '.', field, ' = ', show_value(field, values[field]))
  end
end

local function show_record(text)
  if not text:find('"outcome":"lost"', 1, true) then return text end
  local r = cjson.decode(text)
  local fits = r.duration_ms >= 0 and r.duration_ms < 100000
  return 'lost ' .. r.attempt .. ' ' .. r.worker .. ' ' .. moment(r.started_ms, 1) .. ' ' .. tostring(fits) .. ': ' .. r.reason
end

local function show_list(name, key)
  for i, value in ipairs(redis.call('LRANGE', key, 0, -1)) do
    exact[#exact + 1] = value
    line(name, '[', i - 1, '] = ', name:find('funkytown:attempts:', 1, true) and show_record(value) or value)
  end
end

local function show_lease(score, lease_ms)
  if score <= now then return 'expired' end
  return score <= now + lease_ms and 'alive' or 'ahead'
end

-- When a worker went; a clock that was set back since has that lie ahead.
local function show_grave(text)
  return tonumber(text) > now and 'ahead' or moment(text, 1)
end

local function show_zset(name, key)
  local all = redis.call('ZRANGE', key, 0, -1, 'WITHSCORES')
  local lease_ms = tonumber(redis.call('HGET', prefix .. 'funkytown:run', 'lease_ms') or '0')
  for i = 1, #all, 2 do
    exact[#exact + 1] = all[i]
    exact[#exact + 1] = all[i + 1]
    line(name, ' ', all[i], ' ', name == 'funkytown:workers' and show_lease(tonumber(all[i + 1]), lease_ms)
                                 or show_grave(all[i + 1]))
  end
end

-- Of the events only those after the one that was seen; the stream's length and its last id stand for the rest.
local function show_stream(name, key)
  local is_long = name == 'funkytown:events'
  local last
  for _, entry in ipairs(redis.call('XRANGE', key, is_long and seen or '-', '+')) do
    local id, fields = entry[1], entry[2]
    last = id
    if not (is_long and id == seen) then
      local text = name
      for i = 1, #fields, 2 do
        text = text .. ' ' .. fields[i] .. '=' .. (fields[i] == 'at_ms' and moment(fields[i + 1], 1) or fields[i + 1])
      end
      line(text)
    end
  end
  exact[#exact + 1] = redis.call('XLEN', key)
  exact[#exact + 1] = last
  if is_long then last_event = last end
end

local function show_string(name, key)
  local ttl, value = redis.call('PTTL', key), redis.call('GET', key)
  exact[#exact + 1] = value
  line(name, ' = ', value, ttl > 0 and ' for a while' or ' for ever')
end

local show = {hash = show_hash, list = show_list, zset = show_zset, stream = show_stream, string = show_string}

local keys = redis.call('KEYS', '*')
table.sort(keys)
for _, key in ipairs(keys) do
  exact[#exact + 1] = key
  local is_ours = key:sub(1, #prefix) == prefix
  show[redis.call('TYPE', key).ok](is_ours and key:sub(#prefix + 1) or 'STRANGE ' .. key, key)
end
table.insert(lines, 1, last_event)
table.insert(lines, 1, redis.sha1hex(table.concat(exact, '\n')))
return lines
