// Somebody sets the clock of Redis' machine while a run is going on.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { scheduler } from 'node:timers/promises';
import { Scene } from './scene.mjs';

const LEASE_MS = 1000;

// Whoever lived all the time was not declared dead: neither lost, nor fenced, nor was anything run again.
async function assertNobodyWasLost(scene) {
  assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  for (const program of [...scene.controllers, ...scene.workers])
    assert.doesNotMatch(program.stderr, /event=(worker\.lost|task\.reclaimed|task\.fenced|worker\.unknown)/);
  for (const key of scene.expected.keys()) assert.equal((await scene.hash(key)).attempt, '1', key);
}

const redisTime = async (scene) => Number((await scene.redis('time'))[0]) - Date.now() / 1000;

async function startRun(scene, { workers = 4, holding = 2 } = {}) {
  scene.makeClockSettable();
  await scene.startRedis([]);
  scene.controller(['--once', scene.work(60, { failing: 7, holding })]);
  for (const worker of scene.startWorkers(workers, { FUNKYTOWN_SLOTS: '2' })) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  await scheduler.wait(LEASE_MS); // so that the controller knows the clock as it was
}

for (const seconds of [30, -40]) {
  test(`the clock is set by ${seconds} s: nobody who lives is declared dead`, async (t) => {
    const scene = new Scene(t);
    await startRun(scene);
    scene.setClock(seconds);
    await scene.controllers[0].says(/event=redis\.clock_set/);
    assert.ok(Math.abs((await redisTime(scene)) - seconds) < 5);
    await scheduler.wait(3 * LEASE_MS);
    scene.open();
    await scene.sound();
    await assertNobodyWasLost(scene);
  });

  test(`the clock is set by ${seconds} s and a worker dies: its task comes back as soon as ever`, async (t) => {
    const scene = new Scene(t);
    await startRun(scene, { workers: 3, holding: 3 });
    const { worker: id } = await scene.hash('task:g:0');
    const dead = scene.workers.find((worker) => worker.id === id);
    dead.kill('SIGKILL');
    scene.setClock(seconds);
    const began = Date.now();
    await scene.controllers[0].says(/event=task\.reclaimed/);
    const took = Date.now() - began;
    t.diagnostic(`its task came back after ${took} ms`);
    assert.ok(took < 8 * LEASE_MS, `its task came back after ${took} ms`);
    scene.open();
    await scene.sound();
    for (const worker of scene.workers.filter((worker) => worker !== dead)) assert.doesNotMatch(worker.stderr, /event=task\.fenced/);
  });
}

test('the clock is set forth and back, again and again: nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await startRun(scene);
  for (const seconds of [30, -40, 3600, 0, 2, -86400, 0]) {
    scene.setClock(seconds);
    await scheduler.wait(LEASE_MS / 2);
  }
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('the deadline is no earlier and no later for a clock that was set', async (t) => {
  for (const seconds of [30, -40]) {
    const scene = new Scene(t);
    scene.makeClockSettable();
    await scene.startRedis([]);
    const controller = scene.controller(['--once', scene.work(4, { holding: 4 })], { FUNKYTOWN_DEADLINE_S: '6' });
    controller.mayEnd = [4];
    const worker = scene.worker();
    await scene.started(1);
    const began = Date.now();
    scene.setClock(seconds);
    await scene.redis('client', 'kill', 'type', 'normal'); // who comes back asks for the time again
    assert.equal(await controller.exit(), 4, controller.output);
    const took = Date.now() - began;
    assert.ok(took > 4000 && took < 12000, `it ended after ${took} ms`);
    assert.equal(await worker.exit(), 0, worker.output);
  }
});

test('a run whose clock was set back ends no earlier than it began', async (t) => {
  const scene = new Scene(t);
  await startRun(scene, { holding: 1 });
  scene.setClock(-3600);
  scene.open();
  await scene.sound();
  const run = await scene.hash('funkytown:run');
  assert.ok(Number(run.finished_ms) >= Number(run.started_ms), JSON.stringify(run));
  const summary = JSON.parse(run.summary);
  assert.ok(summary.wall_s >= 0 && Date.parse(summary.finished_at) >= Date.parse(summary.started_at), run.summary);
  for (const key of scene.expected.keys()) assert.ok(Number((await scene.hash(key)).duration) >= 0);
});
