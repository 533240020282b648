-- Becomes the controller of the run under this prefix, or says why not.
-- KEYS: controller run workers; for each dead worker: worker
-- ARGV: me, lease (ms), plan digest, run id ('': none given), source, fresh (1: begin anew in any case),
--       again (1: what didn't pass in a finished run is about to be put back),
--       dead ('': none; a holder that is known to be dead); for each dead worker: worker, identity of its process
-- Replies: {standby, run id, state, why, source, controller, holder}   wait for its lease
--          {occupied, run id, state, why, source, controller|worker, its name, end of its lease, now (ms)}   another run is
--          alive: nothing was touched
--          {fresh} {resume|serve|replace, run id, state, why, source}   the lease is ours
--          why: what makes the found run another one (plan, id, source, fresh, finished, purging), '': nothing; source: its own
-- Keeps: at most one controller holds the lease. A run that is to be replaced stays its last controller's until it is
--        archived, and one that is to be run again until that is done: workers that come in between wait.
local me, lease_ms, digest, id, source, dead = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5], ARGV[8]
local is_fresh, is_again = ARGV[6] == '1', ARGV[7] == '1'
local run = redis.call('HMGET', KEYS[2], 'id', 'state', 'digest', 'source', 'controller', 'summary')
local found, state, found_source = run[1], run[2] or '', run[4] or ''
local why = ''
if not found then why = ''
elseif state == 'purging' then why = 'purging'
elseif run[3] ~= digest then why = 'plan'
elseif id ~= '' and id ~= found then why = 'id'
elseif found_source ~= source then why = 'source'
elseif is_fresh then why = 'fresh'
elseif state == 'finished' and id == '' then why = 'finished'
end

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= me and holder ~= dead then
  -- Between two runs, or about to tell the verdict of one of this plan.
  local is_on_its_way = state == 'purging' or holder ~= run[5] or (state == 'finished' and run[3] == digest)
  local only_serves = holder == run[5] and state == 'finished' and run[3] == digest and run[6]
  if not only_serves then
    if why == '' or is_on_its_way then return {'standby', found or '', state, why, found_source, 'controller', holder} end
    local now = now_ms()
    return {'occupied', found, state, why, found_source, 'controller', holder, now + redis.call('PTTL', KEYS[1]), now}
  end
end

local outcome = 'replace'
local now = now_ms()
local ended = {}
if not found then
  outcome = 'fresh'
elseif why == '' then
  outcome = state == 'finished' and 'serve' or 'resume'
else
  for i = 4, #KEYS do
    local worker, identity = ARGV[2 * i + 1], ARGV[2 * i + 2]
    if redis.call('HGET', KEYS[i], 'identity') == identity then ended[worker] = true end
  end
  local alive = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now, '+inf', 'WITHSCORES')
  for i = 1, #alive, 2 do
    if not ended[alive[i]] then
      return {'occupied', found, state, why, found_source, 'worker', alive[i], tonumber(alive[i + 1]), now}
    end
  end
end
redis.call('SET', KEYS[1], me, 'PX', lease_ms)
local is_ours = outcome ~= 'replace' and not (outcome == 'serve' and is_again)
if is_ours or state == 'purging' then redis.call('HSET', KEYS[2], 'controller', me) end
for worker in pairs(ended) do redis.call('ZADD', KEYS[3], 0, worker) end
return {outcome, found or '', state, why, found_source}
