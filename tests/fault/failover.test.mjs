// Another server becomes the master. Nobody tells the clients, or Sentinel closes their connections; a proxy leads
// those who connect anew to the new master and keeps the old connections, as load balancers and services do.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../e2e/harness.mjs';
import { Scene } from './scene.mjs';
import { caughtUp, demote, lead, promote, startBoth, tell } from './servers.mjs';

async function assertNobodyWasLost(scene) {
  assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  for (const key of scene.expected.keys()) assert.equal((await scene.hash(key)).attempt, '1', key);
}

// Some tasks are done and two are held.
async function startWork(scene, { count = 60, env, wrapper = [] }) {
  const args = ['--once', scene.work(count, { failing: 7, holding: 2 })];
  const controller = scene.controller(args, env);
  const workers = Array.from({ length: 3 }, () => scene.worker({ FUNKYTOWN_SLOTS: '2', ...env }, wrapper));
  for (const worker of workers) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  return controller;
}

// A run through a proxy; its server has a replica.
async function startRun(t, { count } = {}) {
  const scene = new Scene(t);
  await startBoth(scene);
  const proxy = await scene.proxy();
  const controller = await startWork(scene, { count, env: proxy.env });
  return { scene, proxy, controller };
}

// How often it said that Redis refuses writes.
const refusals = (controller) => controller.stderr.match(/event=controller\.waiting .*READONLY/g) ?? [];

for (const [who, ends] of [['nobody tells the clients', false], ['Sentinel closes their connections', true]]) {
  test(`the master becomes a replica, ${who}: everybody goes to the new one, nothing is noticed but a wait`, async (t) => {
    const { scene, proxy, controller } = await startRun(t);
    proxy.set({ up: 'hold' });
    await caughtUp(scene);
    await promote(scene);
    lead(scene, proxy);
    await demote(scene.replica, scene.master);
    if (ends) await tell(scene.replica, 'client', 'kill', 'type', 'normal');
    proxy.set({ up: 'flow' });
    scene.open();
    await scene.sound();
    await assertNobodyWasLost(scene);
    assert.ok(refusals(controller).length <= 1, controller.stderr);
  });
}

test('the master becomes a replica, and for a while there is no other: it is asked again with care, and said once', async (t) => {
  const { scene, proxy, controller } = await startRun(t);
  proxy.set({ up: 'hold' });
  await caughtUp(scene);
  await demote(scene.master, scene.replica);
  proxy.set({ up: 'flow' });
  const before = proxy.accepted;
  await controller.says(/event=controller\.waiting .*READONLY/);
  await waitFor('everybody to have tried some times', () => proxy.accepted >= before + 20);
  await promote(scene);
  lead(scene, proxy);
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
  assert.equal(refusals(controller).length, 1, controller.stderr);
});

test('the name leads to the new master by then: it is looked up anew', async (t) => {
  const scene = new Scene(t);
  const hosts = (address) => writeFileSync(join(scene.folder, 'hosts'), `${address} redis.test\n127.0.0.1 localhost\n`);
  const named = ['unshare', '-m', 'sh', '-c', `mount --bind ${scene.folder}/hosts /etc/hosts && exec "$0" "$@"`];
  await startBoth(scene, '127.0.0.2');
  hosts('127.0.0.2');
  const args = ['--once', scene.work(60, { failing: 7, holding: 2 })];
  const controller = scene.spawn('controller', named[0], [...named.slice(1), join(scene.bin, 'controller'), '--http-port', '0', ...args],
    { REDIS_HOST: 'redis.test', REDIS_PORT: String(scene.redisPort), FUNKYTOWN_LEASE_S: '1' });
  scene.controllers.push(controller);
  const workers = Array.from({ length: 3 }, () => scene.worker({ FUNKYTOWN_SLOTS: '2', REDIS_HOST: 'redis.test' }, named));
  for (const worker of workers) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  await promote(scene);
  hosts('127.0.0.1');
  lead(scene);
  await demote(scene.replica, scene.master);
  scene.open();
  await scene.sound({ hasForgotten: true });
});

test('acknowledged writes were lost: what was forgotten runs again, and everything is counted once', async (t) => {
  const { scene, proxy } = await startRun(t, { count: 80 });
  await promote(scene);
  await scene.ended(30);
  lead(scene, proxy);
  await demote(scene.replica, scene.master);
  scene.open();
  await scene.sound({ hasForgotten: true });
});

test('the controller is at the new master while the workers go on at the old one: what they did there is fenced', async (t) => {
  const scene = new Scene(t);
  await startBoth(scene);
  const [near, far] = [await scene.proxy(), await scene.proxy()];
  const controller = scene.controller(['--once', scene.work(80, { failing: 7, holding: 2 })], near.env);
  for (const worker of scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2', ...far.env })) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  await waitFor('the replica to know the workers', async () => (await tell(scene.replica, 'zcard', 'funkytown:workers')) === '3\n');
  await promote(scene);
  near.targetPort = scene.replica.port;
  near.resetAll();
  await controller.says(/event=worker\.lost/); // at the new master nobody renews
  await scene.ended(30);
  lead(scene, near, far);
  await demote(scene.replica, scene.master);
  scene.open();
  await scene.sound({ hasForgotten: true });
});

// The commands' links are cut; the links that wait stay with a master that knows of no other.
test('the old master lives on: who was led to the new one follows with all links', async (t) => {
  const { scene, proxy } = await startRun(t);
  proxy.tap = (link, direction, bytes) => {
    if (direction === 'up' && /XREAD|BRPOPLPUSH/.test(bytes.toString('latin1'))) link.waits = true;
    return true;
  };
  proxy.resetAll();
  await waitFor('the links that wait to be known', () => [...proxy.links].filter(({ waits }) => waits).length === 7);
  proxy.set({ up: 'hold' });
  await caughtUp(scene);
  await promote(scene);
  lead(scene, proxy);
  for (const link of proxy.links) if (!link.waits) proxy.reset(link);
  proxy.set({ up: 'flow' });
  scene.open();
  await scene.sound({ hasForgotten: true });
});
