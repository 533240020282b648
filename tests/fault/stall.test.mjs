// What somebody deletes from Redis while a run is going on: no event tells of it, and nobody would ever do anything again.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../e2e/harness.mjs';
import { Scene } from './scene.mjs';

const LEASE_MS = 1000;

// A run of twelve tasks of which the first two hold: one in the hands of each of two workers. `more`: of the controller.
async function startRun(scene, { args = ['--once'], env = {}, count = 12 } = {}) {
  await scene.startRedis([]);
  const controller = scene.controller([...args, scene.work(count, { holding: 2 })], env);
  scene.startWorkers(2, { FUNKYTOWN_SLOTS: '1' });
  await scene.started(2);
  await waitFor('two claims', async () => (await scene.redis('hlen', 'funkytown:claims'))[0] === '2');
  return controller;
}

// Says in one line, at any log level, that the run stood still and why.
async function says(controller, finding) {
  const [line] = await controller.says(/^the run stood still: .*\n/m);
  assert.match(line, finding);
  assert.match(line, /; mended$/m);
}

const quiet = { FUNKYTOWN_LOG_LEVEL: 'error' };

// [what, the commands, what is said]: what can be mended, so that every task ends as it should.
const MENDED = [
  ['a task that is in no list any more', [['lrem', 'taskqueue', '1', 'task:g:7']], /task:g:7: waiting, in no list; wanted one list/],
  ['the queue', [['del', 'taskqueue']], /task:g:2: waiting, in no list; wanted one list \(and 9 more\)/],
  ['every claim', [['del', 'funkytown:claims']], /task:g:0: processing without a token, in no list/],
  ['the counters', [['del', 'runmeta']], /runmeta /],
  ['a counter that says too much', [['hset', 'runmeta', 'tasksremaining', '99']], /runmeta tasksremaining: found /],
];
for (const [what, commands, finding] of MENDED) {
  test(`${what}, gone or wrong: it is noticed, said and mended, and every task ends as it should`, async (t) => {
    const scene = new Scene(t);
    const controller = await startRun(scene, { env: quiet });
    for (const command of commands) await scene.redis(...command);
    scene.open();
    await says(controller, finding);
    await scene.sound({ hasForgotten: true });
  });
}

test('the list of what a worker holds is gone: it goes on with it, and it is counted', async (t) => {
  const scene = new Scene(t);
  const controller = await startRun(scene, { count: 2, env: quiet });
  await scene.redis('del', 'funkytown:processing:w1', 'funkytown:processing:w2');
  await says(controller, /task:g:[01]: processing, in no list; wanted the list of w[12] \(and 1 more\)/);
  scene.open();
  await scene.sound();
  for (const key of scene.expected.keys()) assert.equal((await scene.hash(key)).attempt, '1', key);
});

test('a counter that says too little: the run ends too early for the workers, and goes on', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([]);
  const map = scene.work(12, { holding: 1 });
  const controller = scene.controller(['--workers', '2', map], { ...quiet, SPEC_ROOT: scene.specs });
  await scene.ended(11);
  await waitFor('eleven to be counted', async () => (await scene.hash('runmeta')).tasksfinished === '11');
  await scene.redis('hset', 'runmeta', 'finished', '1', 'tasksremaining', '0');
  await scene.redis('hset', 'funkytown:run', 'state', 'finished');
  await says(controller, /runmeta tasksremaining: found 0; a recount gives 1/);
  scene.open();
  await controller.says(/^passed: 12\/12 .*\n/m);
  await scene.consistent();
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

// [what, which tasks, when]
const LOST = [
  ['of a task that waits', ['task:g:7']],
  ['of a task that runs', ['task:g:0']],
  ['of some of each, all of them at the end', ['task:g:0', 'task:g:1', 'task:g:9', 'task:g:11']],
];
for (const [what, tasks] of LOST) {
  test(`the hash ${what} is gone: that one is an error, and the run ends`, async (t) => {
    const scene = new Scene(t);
    const controller = await startRun(scene, { env: quiet });
    await scene.redis('del', ...tasks);
    for (const task of tasks) scene.expected.set(task, 'error');
    scene.open();
    await says(controller, /: its hash is gone; wanted its controller, which makes an error of it/);
    assert.equal(await controller.exit(), 3, controller.output);
    for (const task of tasks) {
      const hash = await scene.hash(task);
      const name = `${Number(task.split(':')[2]) < 2 ? 'hold' : 'pass'}-${task.split(':')[2]}`;
      assert.deepEqual([hash.key, hash.spec, hash.result, hash.reason], [task, name, 'error', 'its record was lost from Redis']);
    }
    const meta = await scene.hash('runmeta');
    assert.deepEqual([meta.tasksremaining, meta.tasksfinished, meta.finished], ['0', '12', '1']);
    await scene.consistent();
    for (const worker of scene.workers) assert.equal(await worker.exit(), 0, worker.output);
  });
}

test('it is noticed within two leases, and not while somebody is at work', async (t) => {
  const scene = new Scene(t);
  const controller = await startRun(scene, { count: 3, args: [] });
  await scene.redis('lrem', 'taskqueue', '1', 'task:g:2');
  await waitFor('three leases', (() => { const end = Date.now() + 3 * LEASE_MS; return () => Date.now() > end; })());
  assert.doesNotMatch(controller.output, /stood still/);
  scene.open();
  await waitFor('the others to be counted', async () => (await scene.hash('runmeta')).tasksremaining === '1');
  const began = Date.now();
  await says(controller, /task:g:2: waiting, in no list/);
  const took = Date.now() - began;
  t.diagnostic(`noticed after ${took} ms`);
  assert.ok(took < 2 * LEASE_MS + 500, `noticed after ${took} ms`);
  await controller.says(/^passed: 3\/3 .*\n/m);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('the events are gone before they were read: the end is noticed all the same', async (t) => {
  const scene = new Scene(t);
  const controller = await startRun(scene, { count: 3 });
  controller.kill('SIGSTOP');
  scene.open();
  await waitFor('the end', async () => (await scene.hash('runmeta')).finished === '1');
  await scene.redis('del', 'funkytown:events');
  controller.kill('SIGCONT');
  await scene.sound();
});
