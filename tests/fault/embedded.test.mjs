// What may happen to the Redis that a controller embeds, and to the machine that it is on.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, waitFor } from '../e2e/harness.mjs';
import { processesOf } from './processes.mjs';
import { Scene } from './scene.mjs';

// The embedded server of the scene's controller.
const server = (scene) => processesOf(scene).find(({ line }) => line.startsWith('redis-server'));

// A controller with a Redis of its own on the scene's port, for workers that are told only that port.
async function startEmbedded(scene, args, env = {}) {
  scene.redisPort = await freePort();
  scene.env = { REDIS_PORT: String(scene.redisPort) };
  const controller = scene.controller(args, env);
  await controller.says(/report at/);
  scene.env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(scene.redisPort) };
  return controller;
}

test('kill -9 of the embedded server, again and again: it is started again with its data, and the run goes on', async (t) => {
  const scene = new Scene(t);
  const controller = await startEmbedded(scene, [scene.work(100, { failing: 9 })]);
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  for (let kills = 1; kills <= 2; kills++) { // a third death so soon would be one too many
    await scene.ended(kills * 20);
    const { pid } = server(scene);
    process.kill(pid, 'SIGKILL');
    await waitFor('another server', () => (server(scene)?.pid ?? pid) !== pid);
  }
  await controller.says(/^failed: 100\/100 .*\n/m);
  await scene.consistent();
  assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  for (const worker of scene.workers) assert.equal(await worker.exit(), 0);
  controller.kill('SIGTERM');
  assert.equal(await controller.exit(), 143);
  await waitFor('nobody to be left', () => processesOf(scene).length === 0);
});

test('the embedded server does not outlive a controller that is killed, and the next one has its data', async (t) => {
  const scene = new Scene(t);
  const map = scene.work(60, { holding: 1 });
  const controller = await startEmbedded(scene, [map]);
  scene.startWorkers(2);
  await scene.ended(59);
  controller.kill('SIGKILL');
  await waitFor('its server to end', () => server(scene) === undefined);
  scene.env = { REDIS_PORT: String(scene.redisPort) };
  const next = scene.controller(['--once', map]);
  await next.says(/report at/);
  scene.open();
  assert.equal(await next.exit(), 0, next.output);
  assert.match(next.stdout, /^passed: 60\/60 /m);
  for (const worker of scene.workers) assert.equal(await worker.exit(), 0, worker.output);
});

test('the embedded server stays until workers elsewhere know that the run is over; for who was killed it waits a little', async (t) => {
  const scene = new Scene(t);
  const controller = await startEmbedded(scene, ['--once', scene.work(6, { holding: 1 })]);
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  for (const worker of scene.workers) await worker.says(/event=worker\.joined/);
  await scene.ended(5);
  const holder = scene.workers.find((worker) => /attempt=1 spec=hold-0/.test(worker.stderr));
  const others = scene.workers.filter((worker) => worker !== holder);
  others[0].kill('SIGSTOP');
  others[1].kill('SIGKILL');
  scene.open();
  assert.equal(await holder.exit(), 0, holder.output);
  await controller.says(/event=workers\.awaited .*count=2/);
  others[0].kill('SIGCONT');
  assert.equal(await others[0].exit(), 0, others[0].output);
  assert.equal(await controller.exit(), 0, controller.output);
});

test('the disk of the embedded server is full: everybody waits, and the run goes on when there is room', async (t) => {
  const scene = new Scene(t);
  const data = join(scene.folder, 'data');
  mkdirSync(data);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=4m', 'tmpfs', data]);
  scene.closers.push(() => execFileSync('umount', ['-l', data]));
  const controller = await startEmbedded(scene, [scene.work(60, { holding: 1 }), '--data-dir', data]);
  scene.startWorkers(2);
  await scene.ended(10);
  execFileSync('sh', ['-c', `dd if=/dev/zero of="${data}/ballast" bs=64k 2>/dev/null || true`]);
  await waitFor('the trouble to be told', () => /event=(controller|redis)\.waiting/.test(controller.stderr + scene.workers[0].stderr));
  execFileSync('rm', [join(data, 'ballast')]);
  scene.open();
  await controller.says(/^passed: 60\/60 .*\n/m);
  await scene.consistent();
  controller.kill('SIGTERM');
  assert.equal(await controller.exit(), 143);
});

test('the clock of Redis is an hour ahead, or behind: nobody minds', async (t) => {
  for (const shift of [3600, -3600]) {
    const scene = new Scene(t);
    scene.makeClockSettable();
    scene.setClock(shift);
    await scene.startRedis([]);
    const wrong = Number((await scene.redis('time'))[0]) - Date.now() / 1000;
    assert.ok(Math.abs(wrong - shift) < 60, `the clock is ${wrong} s ahead`);
    scene.controller(['--once', scene.work(30, { failing: 7 })]);
    const [dead] = scene.startWorkers(3);
    await scene.ended(5);
    dead.kill('SIGKILL');
    await scene.sound();
  }
});
