-- Holds the run against its promises: every task in exactly one place, the counters equal to a recount. Repairs if asked.
-- KEYS: run runmeta taskqueue claims workers graves events signals; for each worker: processing;
--       for each task: task attempts
-- ARGV: repair (1: yes), most findings to tell, number of workers; for each worker: worker; for each task: task (all of the
--       order)
-- Replies: {ok, tasks, how many findings, number of tasks whose hash is gone (as many as findings are told at most),
--          their keys..., finding...} | {waiting} no run is open | {busy} not every worker was named
-- Keeps: a repair never counts a task twice and never takes one from the worker that processes it. A task whose hash is
--        gone stays open, in no list: it is for restore.
local repairs, most, worker_count = ARGV[1] == '1', tonumber(ARGV[2]), tonumber(ARGV[3])
local run = redis.call('HMGET', KEYS[1], 'state', 'id', 'total')
if run[1] ~= 'running' and run[1] ~= 'finished' then return {'waiting'} end

local lists, list_of = {[KEYS[3]] = 'the queue'}, {}
for i = 1, worker_count do
  list_of[ARGV[3 + i]] = KEYS[8 + i]
  lists[KEYS[8 + i]] = 'the list of ' .. ARGV[3 + i]
end
for _, key in ipairs({KEYS[5], KEYS[6]}) do
  for _, worker in ipairs(redis.call('ZRANGE', key, 0, -1)) do
    if not list_of[worker] then return {'busy'} end
  end
end

local findings, lost, count, is_changed = {}, {}, 0, false
local function found(text)
  count = count + 1
  if #findings < most then findings[#findings + 1] = text end
end
local function repair(...)
  if repairs then redis.call(...) end
  is_changed = is_changed or repairs
end

-- The lists that each task lies in, as often as it lies there.
local places = {}
for list in pairs(lists) do
  for _, task in ipairs(redis.call('LRANGE', list, 0, -1)) do
    places[task] = places[task] or {}
    table.insert(places[task], list)
  end
end

local function put_back(task, hash)
  for _, list in ipairs(places[task] or {}) do repair('LREM', list, 0, task) end
  repair('HDEL', KEYS[4], task)
  repair('HSET', hash, 'status', 'waiting')
  repair('LPUSH', KEYS[3], task)
end

local function describe(where)
  local words = {}
  for _, list in ipairs(where) do words[#words + 1] = lists[list] end
  table.sort(words)
  return #words > 0 and table.concat(words, ' and ') or 'no list'
end

local first_task, first_key = 3 + worker_count, 8 + worker_count
local total, open = #ARGV - first_task, 0
-- Who can't name every task knows nothing of the rest, and mends nothing.
if run[3] and tonumber(run[3]) ~= total then
  found('the order names ' .. total .. ' tasks; wanted ' .. run[3])
  return {'ok', total, count, 0, findings[1]}
end
for i = 1, total do
  local task, hash, attempts = ARGV[first_task + i], KEYS[first_key + 2 * i - 1], KEYS[first_key + 2 * i]
  local where, claim = places[task] or {}, redis.call('HGET', KEYS[4], task)
  local t = redis.call('HMGET', hash, 'status', 'worker', 'attempt', 'starttime')
  if t[1] == 'waiting' then
    open = open + 1
    if #where ~= 1 or claim then
      found(task .. ': waiting' .. (claim and ' with a token' or '') .. ', in ' .. describe(where) .. '; wanted one list')
      put_back(task, hash)
    end
  elseif t[1] == 'processing' then
    open = open + 1
    if #where ~= 1 or where[1] ~= list_of[t[2]] or not claim then
      found(task .. ': processing' .. (claim and '' or ' without a token') .. ', in ' .. describe(where) ..
            '; wanted the list of ' .. t[2])
      if #where == 0 and claim and redis.call('ZSCORE', KEYS[5], t[2]) then
        repair('LPUSH', list_of[t[2]], task) -- he may be at it; who isn't will be told of it, or swept
      else
        repair('RPUSH', attempts, lost_record(t[3], t[2], t[4], now_ms(), 'an audit found it nowhere'))
        put_back(task, hash)
      end
    end
  elseif t[1] == 'complete' then
    if #where > 0 or claim then
      found(task .. ': complete' .. (claim and ' with a token' or '') .. ', in ' .. describe(where) .. '; wanted none')
      for _, list in ipairs(where) do repair('LREM', list, 0, task) end
      repair('HDEL', KEYS[4], task)
    end
  else
    open = open + 1
    found(task .. ': its hash is gone; wanted its controller, which makes an error of it')
    if #lost < most then lost[#lost + 1] = task end
    for _, list in ipairs(where) do repair('LREM', list, 0, task) end
    if claim then repair('HDEL', KEYS[4], task) end
  end
  places[task] = nil
end
for task, where in pairs(places) do
  found(task .. ': in ' .. describe(where) .. '; the run has no such task')
  for _, list in ipairs(where) do repair('LREM', list, 0, task) end
end

local meta = redis.call('HMGET', KEYS[2], 'tasksremaining', 'tasksfinished', 'finished', 'runid')
local wanted = {tostring(open), tostring(total - open), open == 0 and '1' or '0', run[2]}
for i, name in ipairs({'tasksremaining', 'tasksfinished', 'finished', 'runid'}) do
  if meta[i] ~= wanted[i] then
    found('runmeta ' .. name .. ': found ' .. (meta[i] or 'nothing') .. '; a recount gives ' .. wanted[i])
    repair('HSET', KEYS[2], name, wanted[i])
  end
end
local state = open == 0 and 'finished' or 'running'
if run[1] ~= state then
  found('the run is ' .. run[1] .. '; a recount gives ' .. state)
  repair('HSET', KEYS[1], 'state', state)
  if open == 0 then repair('HSET', KEYS[1], 'finished_ms', now_ms()) else repair('HDEL', KEYS[1], 'finished_ms') end
  if repairs then signal(KEYS[8], open == 0 and 'finished' or 'opened') end
end
-- A number that no event has: whoever follows the stream reads everything again.
if is_changed then
  redis.call('HINCRBY', KEYS[1], 'events', 1)
  emit(KEYS[1], KEYS[7], 'repaired')
end
local reply = {'ok', total, count, #lost}
for _, task in ipairs(lost) do reply[#reply + 1] = task end
for _, text in ipairs(findings) do reply[#reply + 1] = text end
return reply
