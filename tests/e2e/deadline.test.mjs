// The deadline is a bound: whatever keeps a run from ending, the program ends with 4, and says what is unfinished. And
// who is told to stop waits for nobody without an end.

import assert from 'node:assert/strict';
import { describe, test } from 'node:test';
import { freePort, isAlive, Stage, waitFor } from './harness.mjs';

const DEADLINE_S = 3;
const GRACE_S = 10;
const STOP_S = 6; // workers, lease, embedded server: 2 s each at most
const LONG = 'echo $$ >>"$HOME/pids"; exec sleep 600';
const ENV = { FUNKYTOWN_DEADLINE_S: String(DEADLINE_S) };
const SLACK_S = 4; // of a busy machine

// The controller ends with 4, in time, and names what is unfinished; what it said.
async function endsByItself(controller, pattern, beganMs) {
  assert.equal(await controller.exit(), 4, controller.output);
  const tookS = (Date.now() - beganMs) / 1000;
  assert.ok(tookS < DEADLINE_S + GRACE_S + STOP_S + SLACK_S, `it took ${tookS} s:\n${controller.output}`);
  const said = controller.stdout.match(/^the deadline of 3 s is over: .*$/m)?.[0] ?? '';
  assert.match(said, pattern, controller.output);
  const isSaid = /^what couldn't be cancelled stays in Redis; the next controller finds it there$/m.test(controller.stdout);
  assert.equal(isSaid, !/no run was opened/.test(said), controller.output);
  return said;
}

// One of three tasks runs, and something happens to Redis then.
async function begin(t, { redisArgs = [], args = [], env = {} } = {}) {
  const stage = new Stage(t);
  const redis = await stage.startRedis(redisArgs);
  const map = stage.map(LONG, ['a', 'b', 'c']);
  const beganMs = Date.now();
  const controller = stage.controller(['--once', ...args, map], { ...ENV, SPEC_ROOT: stage.specs, ...env });
  return { stage, redis, map, controller, beganMs };
}

describe('told to stop while Redis stands still', { concurrency: 2 }, () => {
  test('the controller goes within seconds', async (t) => {
    const { redis, controller } = await begin(t, { env: { FUNKYTOWN_DEADLINE_S: '0' } });
    await controller.says(/report at/);
    redis.kill('SIGSTOP');
    controller.kill();
    assert.equal(await controller.exit(8000), 143);
  });

  test('its own workers are killed when they take too long', async (t) => {
    const { stage, redis, controller } = await begin(t, { args: ['--workers', '2'], env: { FUNKYTOWN_DEADLINE_S: '0' } });
    await waitFor('two tasks that run', () => stage.lines('pids').length === 2);
    redis.kill('SIGSTOP');
    controller.kill();
    assert.equal(await controller.exit(40_000), 143);
    assert.ok(!stage.lines('pids').some((pid) => isAlive(Number(pid))));
  });
});

const THREE = /3 of 3 tasks unfinished: g › a \[desktop chrome\], g › b \[desktop chrome\], g › c \[desktop chrome\]/;

const FAULTS = [
  ['is gone', ({ redis }) => redis.kill('SIGKILL'), /missing: redis: .*Connection refused/],
  ['stands still', ({ redis }) => redis.kill('SIGSTOP'), THREE],
  ['is read only', ({ stage }) => stage.redis('replicaof', '127.0.0.1', '1'), /missing: redis: .*READONLY/],
  ['is out of memory', ({ stage }) => stage.redis('config', 'set', 'maxmemory', '1'), /missing: redis: .*OOM/],
];

describe('the deadline and its grace are over', { concurrency: 4 }, () => {
  for (const [what, act, missing] of FAULTS) {
    test(`Redis ${what}: exit 4, with what is unfinished`, async (t) => {
      const run = await begin(t);
      await run.controller.says(/report at/);
      const worker = run.stage.worker();
      await waitFor('a task that runs', () => run.stage.lines('pids').length === 1);
      await act(run);
      const said = await endsByItself(run.controller, THREE, run.beganMs);
      assert.match(said, missing);
      worker.kill('SIGKILL');
    });
  }

  test('Redis is busy all the time: exit 4', async (t) => {
    const stage = new Stage(t);
    const busy = await stage.startRedis(['--lua-time-limit', '50']);
    const spinning = stage.spawn('redis-cli', 'redis-cli', ['-p', String(stage.redisPort), 'eval', 'while true do end', '0']);
    await waitFor('Redis to be busy', async () => (await stage.redis('ping'))[0].startsWith('BUSY'));
    const beganMs = Date.now();
    const controller = stage.controller(['--once', stage.map(LONG, ['a'])], ENV);
    await endsByItself(controller, /1 of 1 tasks unfinished, no run was opened here; missing: redis: .*BUSY/, beganMs);
    busy.kill('SIGKILL');
    await spinning.exit();
  });

  test('a task that lies nowhere: exit 4, and it is named', async (t) => {
    const { stage, controller, beganMs } = await begin(t);
    await controller.says(/report at/);
    await stage.redis('lrem', 'taskqueue', '1', 'task:g:1');
    await endsByItself(controller, /1 of 3 tasks unfinished: g › b \[desktop chrome\]$/, beganMs);
    assert.equal((await stage.hash('task:g:0')).reason, 'the deadline of 3 s is over');
  });

  test('a worker that was stopped holds a task: exit 4; the next controller goes on from there', async (t) => {
    const { stage, map, controller, beganMs } = await begin(t);
    const worker = stage.worker();
    await waitFor('a task that runs', () => stage.lines('pids').length === 1);
    worker.kill('SIGSTOP');
    await endsByItself(controller, /1 of 3 tasks unfinished: g › a \[desktop chrome\]$/, beganMs);
    assert.equal((await stage.hash('runmeta')).tasksfinished, '2');
    assert.deepEqual(await stage.redis('exists', 'funkytown:controller'), ['0']);
    const next = stage.controller(['--once', map]);
    assert.equal(await next.exit(), 4, next.output);
    assert.match(next.stdout, /^cancelled: 3\/3 .*3 cancelled/m);
    worker.kill('SIGCONT');
    assert.equal(await worker.exit(), 0, worker.output);
    for (const pid of stage.lines('pids')) assert.ok(!isAlive(Number(pid)));
  });

  test('its own workers were stopped and Redis stands still: they are killed, and nothing is left', async (t) => {
    const { stage, redis, controller, beganMs } = await begin(t, { args: ['--workers', '2'] });
    await waitFor('two tasks that run', () => stage.lines('pids').length === 2);
    redis.kill('SIGSTOP');
    await endsByItself(controller, THREE, beganMs);
    await waitFor('their runners to be gone', () => !stage.lines('pids').some((pid) => isAlive(Number(pid))));
  });

  test('its own embedded Redis stands still: that is killed too', async (t) => {
    const stage = new Stage(t);
    const map = stage.map(LONG, ['a', 'b', 'c']);
    const beganMs = Date.now();
    stage.redisPort = await freePort();
    const controller = stage.controller(['--once', '--redis-port', String(stage.redisPort), map], ENV);
    await controller.says(/report at/);
    const pid = Number((await stage.redis('info', 'server')).join('\n').match(/process_id:(\d+)/)[1]);
    process.kill(pid, 'SIGSTOP');
    await endsByItself(controller, THREE, beganMs);
    assert.ok(!isAlive(pid));
  });

  test('another controller has the run: exit 4, and that is said', async (t) => {
    const { stage, map, controller } = await begin(t, { env: { FUNKYTOWN_DEADLINE_S: '600' } });
    await controller.says(/report at/);
    const beganMs = Date.now();
    const second = stage.controller(['--once', map], ENV);
    await endsByItself(second, /3 of 3 tasks unfinished, no run was opened here; missing: the lease of this run: /, beganMs);
    controller.kill('SIGKILL');
  });

  test('without --once it stays, and cancels when Redis is back', async (t) => {
    const stage = new Stage(t);
    const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
    const redis = await stage.startRedis(durable);
    const beganMs = Date.now();
    const controller = stage.controller([stage.map(LONG, ['a', 'b', 'c'])], ENV);
    await controller.says(/report at/);
    redis.kill('SIGKILL');
    await waitFor('the deadline and its grace to be over', () => Date.now() > beganMs + (DEADLINE_S + GRACE_S + 1) * 1000, 30_000);
    assert.ok(controller.isRunning, controller.output);
    await stage.startRedis(durable, stage.redisPort);
    await controller.says(/^cancelled: 3\/3 .*3 cancelled/m);
    assert.ok(controller.isRunning);
    controller.kill();
    assert.equal(await controller.exit(), 143);
  });
});
