// What a network may do between the programs and Redis. They go through a proxy that cuts, holds, loses and delays;
// whole hosts in namespaces of their own lose every packet without a word.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { createSocket } from 'node:dgram';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { waitFor } from '../e2e/harness.mjs';
import { Chance } from './chance.mjs';
import { Scene } from './scene.mjs';

const LEASES = 5;

// A run through one proxy, with some of its tasks done and two held.
async function startRun(t, { count = 60, workers = 3 } = {}) {
  const scene = new Scene(t);
  await scene.startRedis();
  const proxy = await scene.proxy();
  const direct = scene.env;
  const args = ['--once', scene.work(count, { failing: 7, holding: 2 })];
  const controller = scene.controller(args, proxy.env);
  for (const worker of scene.startWorkers(workers, { FUNKYTOWN_SLOTS: '2', ...proxy.env })) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  return { scene, proxy, controller, direct };
}

// So many leases by Redis' own clock, which no fault here touches.
async function pass(scene, leases) {
  const now = async () => Number((await scene.redis('time'))[0]);
  const end = (await now()) + leases;
  await waitFor(`${leases} leases to pass`, async () => (await now()) >= end);
}

async function assertNobodyWasLost(scene) {
  assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  for (const key of scene.expected.keys()) assert.equal((await scene.hash(key)).attempt, '1', key);
}

test('every connection is reset, again and again', async (t) => {
  const chance = new Chance();
  t.diagnostic(`seed ${chance.seed}`);
  const { scene, proxy } = await startRun(t, { count: 150 });
  for (let resets = 0; resets < 8; resets++) {
    await scene.started(scene.lines('started').length + chance.between(1, 12));
    proxy.resetAll();
  }
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

for (const [name, rules] of [
  ['both ways stall', { up: 'hold', down: 'hold' }],
  ['nothing comes to Redis, and is late in the end', { up: 'hold' }],
  ['nothing comes from Redis, and is late in the end', { down: 'hold' }],
  ['what is sent to Redis is lost', { up: 'drop' }],
  ['what Redis says is lost', { down: 'drop' }],
]) {
  test(`${name} for ${LEASES} leases: nobody is declared dead, nothing is counted twice`, async (t) => {
    const { scene, proxy } = await startRun(t);
    proxy.set(rules);
    scene.open();
    await pass(scene, LEASES);
    proxy.set({ up: 'flow', down: 'flow' });
    if (Object.values(rules).includes('drop')) proxy.resetAll(); // what was lost in between makes no sense of the rest
    await scene.sound();
    assert.deepEqual(await scene.hash('funkytown:crashes'), {});
  });
}

test('nobody can connect for some leases: everybody comes back', async (t) => {
  const { scene, proxy } = await startRun(t, { workers: 12 });
  await proxy.refuse();
  scene.open();
  await pass(scene, LEASES);
  await proxy.listen();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

// A command of a worker that the proxy can tell by a word in it, once.
function once(proxy, direction, matches, act) {
  proxy.tap = (link, name, bytes) => {
    if (name !== direction || !matches(link, bytes.toString('latin1'))) return true;
    proxy.tap = undefined;
    return act(link);
  };
}

// The replies to the next settlements; how many there were.
function loseSettlements(proxy, count) {
  const lost = { count: 0 };
  proxy.tap = (link, name, bytes) => {
    const text = bytes.toString('latin1');
    if (name === 'up' && /EVALSHA/.test(text) && /"outcome":"(passed|failed)"/.test(text)) link.settles = true;
    if (name !== 'down' || !link.settles || lost.count === count) return true;
    lost.count += 1;
    proxy.loseReply(link);
    return false;
  };
  return lost;
}

test('the reply to a settlement is lost, again and again: it is settled already', async (t) => {
  const { scene, proxy } = await startRun(t, { count: 100 });
  const lost = loseSettlements(proxy, 20);
  scene.open();
  await scene.sound();
  assert.equal(lost.count, 20);
  await assertNobodyWasLost(scene);
});

test('the reply to the last settlement of the run is lost: its worker learns that it was counted', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const proxy = await scene.proxy();
  scene.controller(['--once', scene.work(1)]);
  const lost = loseSettlements(proxy, 1);
  const worker = scene.worker(proxy.env);
  await scene.sound();
  assert.equal(lost.count, 1);
  assert.match(worker.stderr, /event=task\.settled task=task:g:0 /);
  assert.doesNotMatch(worker.stderr, /event=task\.fenced/);
});

test('the link is cut between a pop and its claim: the task is found again', async (t) => {
  const { scene, proxy } = await startRun(t, { count: 100 });
  let cuts = 0;
  proxy.tap = (link, name, bytes) => {
    if (name === 'up' && /BRPOPLPUSH/.test(bytes.toString('latin1'))) link.pops = true;
    if (name === 'down' && link.pops && /task:g:/.test(bytes.toString('latin1')) && cuts < 10) {
      cuts += 1;
      proxy.loseReply(link);
      return false;
    }
    return true;
  };
  scene.open();
  await scene.sound();
  assert.equal(cuts, 10);
  await assertNobodyWasLost(scene);
});

test('garbage instead of a reply: the link is given up and made anew', async (t) => {
  const { scene, proxy } = await startRun(t);
  for (let i = 0; i < 3; i++) {
    const said = new Promise((done) => {
      once(proxy, 'down', () => true, (link) => {
        proxy.say(link, 'down', Buffer.from('HTTP/1.1 400 Bad Request\r\n\r\n'));
        done();
        return false;
      });
    });
    await scene.redis('ping');
    if (i === 0) scene.open();
    await said;
  }
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('slow: 200 ms each way', async (t) => {
  const { scene, proxy } = await startRun(t, { count: 40 });
  proxy.set({ delayMs: 200 });
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('a byte at a time', async (t) => {
  const { scene, proxy } = await startRun(t, { count: 30 });
  proxy.set({ chunk: 1 });
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});

test('one worker alone is cut off: its tasks run elsewhere, and what it says in the end is fenced', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(20, { holding: 1 })]);
  const proxy = await scene.proxy();
  const cut = scene.worker(proxy.env);
  await scene.started(1);
  const others = scene.startWorkers(1);
  await scene.ended(19);
  proxy.set({ up: 'hold', down: 'hold' });
  await waitFor('its task to start elsewhere', () => scene.runners('hold-0').length === 2);
  scene.open();
  await waitFor('both to end', () => scene.lines('ended').filter((spec) => spec === 'hold-0').length === 2);
  await others[0].exit();
  proxy.set({ up: 'flow', down: 'flow' });
  await scene.sound();
  assert.match(cut.stderr, /event=(task\.fenced|run\.closed|worker\.declared_dead)/);
});

// ---- hosts of their own ----

const run = (file, ...args) => execFileSync(file, args, { stdio: ['ignore', 'pipe', 'pipe'] });

// A network namespace joined to ours by a veth pair; `ours` and `theirs` are its ends, `address` is ours.
function makeHost(t, number) {
  const name = `ft${process.pid}n${number}`;
  const [ours, theirs] = [`fta${process.pid % 10000}${number}`, `ftb${process.pid % 10000}${number}`];
  const net = `10.${200 + number}.${process.pid % 250}`;
  t.after(() => run('ip', 'netns', 'del', name));
  run('ip', 'netns', 'add', name);
  run('ip', 'link', 'add', ours, 'type', 'veth', 'peer', 'name', theirs, 'netns', name);
  run('ip', 'addr', 'add', `${net}.1/24`, 'dev', ours);
  run('ip', 'link', 'set', ours, 'up');
  run('ip', '-n', name, 'addr', 'add', `${net}.2/24`, 'dev', theirs);
  run('ip', '-n', name, 'link', 'set', theirs, 'up');
  run('ip', '-n', name, 'link', 'set', 'lo', 'up');
  return {
    name,
    ours,
    theirs,
    address: `${net}.1`,
    wrapper: ['ip', 'netns', 'exec', name],
    // Where the kernel has no packet filter, the cable is pulled on our side.
    drop: () => {
      try {
        run('ip', 'netns', 'exec', name, 'iptables', '-A', 'INPUT', '-j', 'DROP');
      } catch {
        run('ip', 'link', 'set', ours, 'down');
      }
    },
    heal: () => {
      run('ip', 'link', 'set', ours, 'up');
      try {
        run('ip', 'netns', 'exec', name, 'iptables', '-F');
      } catch {
        // there was no filter to take away
      }
    },
  };
}

const BEYOND = ['--appendonly', 'yes', '--appendfsync', 'always', '--protected-mode', 'no'];

test('a host loses every packet that comes to it: its worker is given up after the lease; healed, it goes on', async (t) => {
  const scene = new Scene(t);
  const host = makeHost(t, 1);
  await scene.startRedis([...BEYOND, '--bind', `127.0.0.1 ${host.address}`]);
  scene.controller(['--once', scene.work(30, { holding: 1 })]);
  const far = scene.worker({ REDIS_HOST: host.address }, host.wrapper);
  await scene.started(1);
  scene.startWorkers(1);
  await scene.ended(29);
  host.drop();
  await waitFor('its task to start elsewhere', () => scene.runners('hold-0').length === 2);
  host.heal();
  scene.open();
  await scene.sound();
  assert.match(far.stderr, /event=worker\.joined/);
});

test('a link-local address with its scope: a worker on another host finds Redis there', async (t) => {
  const scene = new Scene(t);
  const host = makeHost(t, 2);
  const address = 'fe80::f7';
  run('ip', 'addr', 'add', `${address}/64`, 'dev', host.ours, 'nodad');
  run('ip', '-n', host.name, 'addr', 'add', 'fe80::f8/64', 'dev', host.theirs, 'nodad');
  await scene.startRedis([...BEYOND, '--bind', `127.0.0.1 ${address}%${host.ours}`]);
  scene.controller(['--once', scene.work(10)], { REDIS_HOST: `${address}%${host.ours}` });
  const far = scene.worker({ REDIS_HOST: `${address}%${host.theirs}` }, host.wrapper);
  await scene.sound();
  assert.match(far.stderr, /event=task\.settled/);
});

test('a name server that never answers: whoever is told to stop goes within seconds all the same', async (t) => {
  const scene = new Scene(t);
  const silent = createSocket('udp4').on('message', () => {});
  t.after(() => silent.close());
  await new Promise((done) => silent.bind(53, '127.19.84.53', done));
  writeFileSync(join(scene.folder, 'resolv.conf'), 'nameserver 127.19.84.53\noptions timeout:30 attempts:1\n');
  const asking = `mount --bind ${scene.folder}/resolv.conf /etc/resolv.conf && exec "$0" "$@"`;
  const asked = new Promise((done) => silent.once('message', done));
  const controller = scene.spawn('controller', 'unshare', ['-m', 'sh', '-c', asking, join(scene.bin, 'controller'), '--http-port', '0',
    '--once', scene.work(1)], { REDIS_HOST: 'redis.nowhere.test' });
  await asked;
  controller.kill();
  assert.equal(await controller.exit(10_000), 143, controller.output);
});

test('Redis moves to another address of the same name: everybody finds it there', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const hosts = (address) => writeFileSync(join(scene.folder, 'hosts'), `${address} redis.test\n127.0.0.1 localhost\n`);
  const named = ['unshare', '-m', 'sh', '-c', `mount --bind ${scene.folder}/hosts /etc/hosts && exec "$0" "$@"`];
  hosts('127.0.0.1');
  scene.controller(['--once', scene.work(40, { holding: 2 })]);
  const env = { REDIS_HOST: 'redis.test', FUNKYTOWN_SLOTS: '2' };
  const workers = [scene.worker(env, named), scene.worker(env, named)];
  for (const worker of workers) await worker.says(/event=worker\.joined/);
  await scene.ended(10);
  hosts('127.0.0.2');
  await scene.killRedis();
  await scene.startRedis([...BEYOND, '--bind', '127.0.0.1 127.0.0.2'], scene.redisPort);
  scene.open();
  await scene.sound();
  await assertNobodyWasLost(scene);
});
