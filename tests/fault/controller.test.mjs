// What may happen to controllers, and what several of them do at once.

import assert from 'node:assert/strict';
import { chmodSync, readFileSync } from 'node:fs';
import { test } from 'node:test';
import { waitFor } from '../e2e/harness.mjs';
import { Chance } from './chance.mjs';
import { Scene } from './scene.mjs';

test('kill -9 at random moments while 10,000 tasks are being enqueued: all of them are there, once', async (t) => {
  const chance = new Chance();
  t.diagnostic(`seed ${chance.seed}`);
  const scene = new Scene(t);
  await scene.startRedis([]);
  const map = scene.work(10_000);
  const loaded = async () => Number((await scene.redis('hget', 'funkytown:run', 'loaded'))[0] ?? 0);
  const slow = await scene.proxy();
  slow.set({ delayMs: 15 });
  let controller = scene.controller([map], slow.env);
  for (let least = 1; least < 10_000; least += chance.between(500, 2500)) {
    await waitFor(`${least} tasks to be loaded`, async () => (await loaded()) >= least);
    controller = await scene.replaceController(controller, [map], slow.env);
  }
  await controller.says(/10000 tasks/);
  await scene.consistent();
  const order = await scene.redis('lrange', 'funkytown:order', '0', '-1');
  assert.deepEqual(order, [...scene.expected.keys()]);
  assert.deepEqual((await scene.redis('lrange', 'taskqueue', '0', '-1')).reverse(), order);
});

test('kill -9 at random moments of the run: it goes on, and the verdict is right', async (t) => {
  const chance = new Chance();
  t.diagnostic(`seed ${chance.seed}`);
  const scene = new Scene(t);
  await scene.startRedis();
  // With an id: by the last kill the run may have ended, and would be begun anew.
  const args = ['--once', '--run-id', 'r', scene.work(200, { failing: 11 })];
  let controller = scene.controller(args);
  scene.startWorkers(2, { FUNKYTOWN_SLOTS: '2' });
  for (let kills = 0, seen = 0; kills < 6; kills++) {
    seen += chance.between(5, 30);
    await scene.started(seen);
    controller = await scene.replaceController(controller, args);
    await scene.consistent();
  }
  await scene.sound();
});

test('kill -9 of workers and controller together: the next controller takes back what they held', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const args = ['--once', scene.work(40, { failing: 11 })];
  const controller = scene.controller(args);
  const workers = scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  await scene.started(10);
  for (const worker of workers) worker.kill('SIGKILL');
  await scene.replaceController(controller, args);
  scene.startWorkers(2, { FUNKYTOWN_SLOTS: '2' });
  await scene.sound();
});

for (const round of [1, 2, 3]) {
  test(`kill -9 at the moment when the run finishes (${round}): the next one tells the verdict`, async (t) => {
    const chance = new Chance();
    t.diagnostic(`seed ${chance.seed}`);
    const scene = new Scene(t);
    await scene.startRedis();
    const args = ['--once', '--run-id', 'r', scene.work(6, { failing: 5 })];
    const slow = await scene.proxy();
    slow.set({ delayMs: 5 });
    const controller = scene.controller(args, slow.env);
    scene.worker({ FUNKYTOWN_SLOTS: '2' });
    // From here on it reads the last events, reads all tasks again, keeps its summary, and gives up its lease.
    await waitFor('the run to be finished', async () => (await scene.redis('hget', 'runmeta', 'finished'))[0] === '1');
    let answers = chance.between(0, 12);
    const isOver = new Promise((done) => {
      slow.tap = (link, direction) => {
        if (direction === 'down' && answers-- <= 0) done();
      };
      controller.ended.then(done);
    });
    await isOver;
    await scene.replaceController(controller, args);
    await scene.sound();
  });
}

test('SIGSTOP past its lease while another one takes over, SIGCONT: it stands by, and one reports', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const args = ['--once', scene.work(30, { holding: 1, failing: 7 })];
  const first = scene.controller(args);
  scene.worker({ FUNKYTOWN_SLOTS: '2' });
  await scene.ended(5);
  const address = await scene.url(first);
  first.kill('SIGSTOP');
  const second = scene.controller(args);
  await second.says(/30 tasks/);
  first.kill('SIGCONT');
  await first.says(/event=controller\.fenced/);
  await first.says(/event=controller\.waiting for="the lease of this run"/);
  const ready = await fetch(`${address}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /lease of this run/);
  scene.open();
  await second.exit();
  assert.doesNotMatch(first.stdout, /^failed: /m, 'the first one was standing by');
  await scene.sound();
});

test('two controllers started at once with the same plan: one run', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const args = ['--once', scene.work(40, { failing: 7 })];
  const both = [scene.controller(args), scene.controller(args)];
  scene.startWorkers(2);
  await scene.sound();
  const ids = both.map(({ stdout }) => stdout.match(/funkytown (\S+): 40 tasks/)[1]);
  assert.equal(ids[0], ids[1]);
  assert.deepEqual(await scene.redis('llen', 'funkytown:history'), ['0']);
});

test('another plan or another id while the run is alive: exit 2, nothing is touched', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const map = scene.work(10, { holding: 1 });
  scene.controller(['--once', '--run-id', 'r', map]);
  scene.worker();
  await scene.started(1);
  const other = scene.file('other.json', {
    runners: { script: { argv: ['true'] } },
    groups: [{ name: 'other', runner: 'script', tasks: [{ spec: 'x', viewports: ['desktop'], browsers: ['chrome'] }] }],
  });
  for (const args of [['--once', other], ['--once', '--run-id', 'q', map]]) {
    const refused = scene.controller(args);
    refused.mayEnd = [2];
    assert.equal(await refused.exit(), 2);
    assert.match(refused.stderr, /run r is alive/);
  }
  await scene.consistent();
  scene.open();
  await scene.sound();
});

test('a controller that comes to a run which failed tells that it failed', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const args = ['--once', '--run-id', 'r', scene.work(6, { failing: 2 })];
  scene.controller(args);
  scene.worker();
  await scene.sound();
  const second = scene.controller(args);
  assert.equal(await second.exit(), 1);
  assert.match(second.stdout, /^failed: 6\/6 .*3 failed/m);
});

test('a controller that was stopped while its run was replaced says by which one', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const map = scene.work(6);
  const first = scene.controller(['--once', '--run-id', 'r', map]);
  await first.says(/6 tasks/);
  first.kill('SIGSTOP');
  await waitFor('the end of its lease', async () => (await scene.redis('exists', 'funkytown:controller'))[0] === '0');
  const second = scene.controller(['--once', '--run-id', 'r', '--source', 'x', map]);
  await second.says(/resuming|6 tasks/);
  assert.match(second.stdout, /the specs have changed since run r \(source none → x\): beginning anew/);
  first.kill('SIGCONT');
  first.mayEnd = [2];
  assert.equal(await first.exit(), 2);
  assert.match(first.stderr, /run r was replaced by run r, another one with the same id, while this controller could not renew its lease/);
  scene.worker();
  assert.equal(await second.exit(), 0, second.output);
});

// A program to which /proc shows nobody else's processes: as another user where there are some, else as one without rights.
function withoutSight(stage) {
  const isRoot = Number(readFileSync('/proc/self/uid_map', 'utf8').trim().split(/\s+/)[2]) > 65534;
  const drop = isRoot ? '--reuid=65534 --regid=65534 --clear-groups' : '--bounding-set=-all --inh-caps=-all';
  chmodSync(stage.folder, 0o755);
  return ['unshare', '-m', 'sh', '-c', `mount -t proc -o hidepid=2 proc /proc && exec setpriv ${drop} "$0" "$@"`];
}

test('hidepid=2 and two users: a live controller is not taken for dead, a dead one is', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const args = ['--once', '--lease-s', '30', scene.work(10, { holding: 1, failing: 7 })];
  const first = scene.controller(args);
  scene.worker({ FUNKYTOWN_SLOTS: '2' });
  await scene.ended(5);
  const [file, ...more] = [...withoutSight(scene), `${scene.bin}/controller`, '--http-port', '0', ...args];
  const second = scene.spawn('controller', file, more, scene.env);
  scene.controllers.push(second);
  await second.says(/event=controller\.waiting for="the lease of this run"/);
  assert.deepEqual(await scene.redis('get', 'funkytown:controller'), await scene.redis('hget', 'funkytown:run', 'controller'));
  assert.match((await scene.redis('get', 'funkytown:controller'))[0], new RegExp(`/${first.pid}/`));
  first.kill('SIGKILL');
  await first.exit();
  const began = Date.now();
  await second.says(/resuming run/);
  assert.ok(Date.now() - began < 25_000, 'no lease of a dead one is waited for');
  scene.open();
  await scene.sound();
});
