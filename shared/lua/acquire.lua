-- Becomes the controller of the run under this prefix, or says why not.
-- KEYS: controller run workers
-- ARGV: me, lease (ms), plan digest, run id ('': none given), a holder that is known to be dead ('': none)
-- Replies: {standby, run id, state, controller, holder}   another controller has the same run: wait for its lease
--          {occupied, run id, state, controller|worker, its name}   another run is alive: nothing was touched
--          {fresh} {resume, id, state} {serve, id, state} {replace, id, state}   the lease is ours
-- Keeps: at most one controller holds the lease. A run that is to be replaced stays its last controller's until it is
--        archived: workers that come between the two wait for the next run.
local me, lease_ms, digest, id, dead = ARGV[1], ARGV[2], ARGV[3], ARGV[4], ARGV[5]
local found = redis.call('HGET', KEYS[2], 'id')
local state = redis.call('HGET', KEYS[2], 'state') or ''
local same = found and redis.call('HGET', KEYS[2], 'digest') == digest and (id == '' or id == found)
             and state ~= 'purging'

local holder = redis.call('GET', KEYS[1])
if holder and holder ~= me and holder ~= dead then
  if same or not found then return {'standby', found or '', state, 'controller', holder} end
  return {'occupied', found, state, 'controller', holder}
end

local outcome
if not found then
  outcome = 'fresh'
elseif same and state ~= 'finished' then
  outcome = 'resume'
elseif same and id ~= '' then
  outcome = 'serve'
else
  local now = now_ms()
  local alive = redis.call('ZRANGEBYSCORE', KEYS[3], '(' .. now, '+inf', 'LIMIT', 0, 1)
  if alive[1] then return {'occupied', found, state, 'worker', alive[1]} end
  outcome = 'replace'
end
redis.call('SET', KEYS[1], me, 'PX', lease_ms)
if outcome ~= 'replace' or state == 'purging' then redis.call('HSET', KEYS[2], 'controller', me) end
return {outcome, found or '', state}
