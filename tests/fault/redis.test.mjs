// What may happen to Redis while a run is going on.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, rmdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { scheduler } from 'node:timers/promises';
import { waitFor } from '../e2e/harness.mjs';
import { Chance } from './chance.mjs';
import { DURABLE, Scene } from './scene.mjs';

const LEASE_MS = 1000;

// The workers lived all the time: nothing that happened to Redis may have been held against them.
async function assertNobodyWasLost(scene) {
  assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  for (const controller of scene.controllers) assert.doesNotMatch(controller.stderr, /event=(worker\.lost|task\.reclaimed)/);
  for (const key of scene.expected.keys()) assert.equal((await scene.hash(key)).attempt, '1', key);
}

// A run of tasks of which the first two hold, so that workers have something in hand when the fault comes.
async function startRun(scene, { count = 60, workers = 3, env = {}, args = [] } = {}) {
  const map = scene.work(count, { failing: 7, holding: 2 });
  scene.args = ['--once', ...args, map];
  scene.controller(scene.args);
  for (const worker of scene.startWorkers(workers, { FUNKYTOWN_SLOTS: '2', ...env })) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
}

test('kill -9 and restart, again and again: with its append-only file nothing is noticed but a wait', async (t) => {
  const chance = new Chance();
  t.diagnostic(`seed ${chance.seed}`);
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(150, { failing: 7 })]);
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  for (let kills = 0; kills < 5; kills++) {
    await scene.started(scene.lines('started').length + chance.between(5, 20));
    await scene.killRedis();
    await scene.restartRedis();
  }
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('FLUSHALL: the run is written anew, and is whole at its end', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  await startRun(scene);
  await scene.redis('flushall');
  scene.open();
  await scene.sound({ hasForgotten: true });
});

test('restart without any data: the run is written anew, and is whole at its end', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([]);
  await startRun(scene);
  await scene.killRedis();
  await scene.restartRedis();
  scene.open();
  await scene.sound({ hasForgotten: true });
});

for (const [when, progress] of [['when some tasks had ended', 10], ['when all had', 60]]) {
  test(`back to an older state ${when}: what was forgotten runs again, and everything is counted once`, async (t) => {
    const scene = new Scene(t);
    await scene.startRedis();
    scene.controller(['--once', scene.work(62, { failing: 7, holding: 2 })]);
    scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
    await scene.ended(5);
    cpSync(join(scene.folder, 'appendonlydir'), join(scene.folder, 'older'), { recursive: true });
    await scene.ended(progress);
    await scene.killRedis();
    rmSync(join(scene.folder, 'appendonlydir'), { recursive: true });
    cpSync(join(scene.folder, 'older'), join(scene.folder, 'appendonlydir'), { recursive: true });
    await scene.restartRedis();
    scene.open();
    await scene.sound({ hasForgotten: true });
  });
}

test('back to a state in which the run was being enqueued: the rest is enqueued again', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const map = scene.work(600, { ms: 1, failing: 7, holding: 2 });
  const slow = await scene.proxy();
  slow.set({ delayMs: 30 });
  scene.controller(['--once', map], slow.env);
  await waitFor('some tasks to be loaded', async () => (await scene.redis('hget', 'funkytown:run', 'loaded'))[0] > 0);
  slow.set({ up: 'hold' });
  cpSync(join(scene.folder, 'appendonlydir'), join(scene.folder, 'older'), { recursive: true });
  slow.set({ up: 'flow' });
  scene.startWorkers(2, { FUNKYTOWN_SLOTS: '4' });
  await scene.ended(50);
  await scene.killRedis();
  rmSync(join(scene.folder, 'appendonlydir'), { recursive: true });
  cpSync(join(scene.folder, 'older'), join(scene.folder, 'appendonlydir'), { recursive: true });
  await scene.restartRedis();
  scene.open();
  await scene.sound({ hasForgotten: true });
});

test('CLIENT KILL of everybody, again and again', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(120, { failing: 7 })]);
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  for (let seen = 5; seen < 120; seen += 8) {
    await scene.started(seen);
    await scene.redis('client', 'kill', 'type', 'normal');
  }
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('SCRIPT FLUSH, again and again', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(60, { failing: 7 })]);
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  for (let seen = 4; seen < 60; seen += 4) {
    await scene.started(seen);
    await scene.redis('script', 'flush');
  }
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('SIGSTOP for three leases, SIGCONT: nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  await startRun(scene, { workers: 10 });
  scene.server.kill('SIGSTOP');
  await scheduler.wait(3 * LEASE_MS);
  scene.server.kill('SIGCONT');
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('DEBUG SLEEP of three leases: nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([...DURABLE, '--enable-debug-command', 'yes']);
  await startRun(scene, { workers: 10 });
  await scene.redis('debug', 'sleep', '3');
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('BUSY: somebody else\'s script runs for three leases: everybody waits, nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([...DURABLE, '--lua-time-limit', '50']);
  await startRun(scene, { workers: 10 });
  const script = "local function s() return tonumber(redis.call('TIME')[1]) end local e = s() + 4 while s() < e do end";
  await scene.redis('eval', script, '0');
  await scene.controllers[0].says(/event=controller\.waiting .*BUSY/);
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

// [what is refused, how it begins, how it ends]: writes are refused for three leases. Whoever could not renew its lease
// for that reason isn't dead.
const REFUSALS = [
  ['out of memory', [['config', 'set', 'maxmemory', '1']], [['config', 'set', 'maxmemory', '0']]],
  ['read only, as after a fail-over', [['replicaof', '127.0.0.1', '1']], [['replicaof', 'no', 'one']]],
  ['too few replicas', [['config', 'set', 'min-replicas-to-write', '1']], [['config', 'set', 'min-replicas-to-write', '0']]],
];

for (const [what, begin, end] of REFUSALS) {
  test(`${what} for three leases: everybody waits, and nobody is declared dead`, async (t) => {
    const scene = new Scene(t);
    await scene.startRedis([]);
    await startRun(scene, { workers: 10 });
    for (const command of begin) await scene.redis(...command);
    const [controller] = scene.controllers;
    await controller.says(/event=controller\.waiting/);
    await scheduler.wait(3 * LEASE_MS);
    for (const command of end) await scene.redis(...command);
    scene.open();
    await scene.sound();
    await assertNobodyWasLost(scene);
  });
}

test('the stream is unblocked and its link closed, again and again: the end is seen all the same', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  await startRun(scene, { count: 20 });
  // The workers' blocked clients listen to the signals; the controller's comes back under another id.
  for (let round = 0; round < 8; round++) {
    const blocked = (await scene.redis('client', 'list')).filter((line) => / cmd=xread /.test(line) && / flags=b /.test(line));
    for (const line of blocked) {
      const id = line.match(/^id=(\d+)/)[1];
      await scene.redis('client', 'unblock', id, 'error');
      await scene.redis('client', 'kill', 'id', id);
    }
    await waitFor('all of them to be back', async () =>
      (await scene.redis('client', 'list')).filter((line) => / cmd=xread /.test(line) && / flags=b /.test(line)).length === blocked.length);
  }
  scene.open();
  await scene.sound();
});

test('a snapshot that cannot be written (MISCONF) for three leases: everybody waits, nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis(['--save', '3600 1000000']);
  await startRun(scene, { workers: 10 });
  const snapshot = join(scene.folder, 'dump.rdb');
  mkdirSync(snapshot); // what can't be overwritten by a file
  await scene.redis('bgsave');
  await scene.controllers[0].says(/event=controller\.waiting .*MISCONF/);
  await scheduler.wait(3 * LEASE_MS);
  rmdirSync(snapshot);
  await scene.redis('bgsave');
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('LOADING a long append-only file after a crash: everybody waits, nobody is declared dead', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  await startRun(scene, { count: 300, workers: 4 });
  await scene.killRedis();
  const slowly = ['--key-load-delay', '1500', '--loading-process-events-interval-bytes', '1024'];
  scene.server = scene.spawn('redis', 'redis-server', [
    '--port', String(scene.redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', scene.folder, ...DURABLE, ...slowly,
  ]);
  await scene.controllers[0].says(/LOADING/);
  await scene.server.says(/Ready to accept connections/);
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('the password changes: who must connect again exits 2; with the right one the run goes on', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  await startRun(scene, { args: ['--run-id', 'r'] });
  await scene.redis('config', 'set', 'requirepass', 'changed');
  await scene.redis('-a', 'changed', 'client', 'kill', 'type', 'normal');
  for (const program of [...scene.controllers, ...scene.workers]) {
    program.mayEnd = [2];
    assert.equal(await program.exit(), 2, program.output);
  }
  await scene.redis('-a', 'changed', 'config', 'set', 'requirepass', '');
  scene.open();
  scene.controller(scene.args);
  scene.startWorkers(2);
  await scene.sound();
});
