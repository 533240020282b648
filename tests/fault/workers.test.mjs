// What may happen to workers, and what they may be started into.

import assert from 'node:assert/strict';
import { mkdirSync, rmSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, isAlive, waitFor } from '../e2e/harness.mjs';
import { Chance } from './chance.mjs';
import { Scene } from './scene.mjs';

test('kill -9 at random moments: each worker is replaced, no task is lost or counted twice', async (t) => {
  const chance = new Chance();
  t.diagnostic(`seed ${chance.seed}`);
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', '--max-crashes', '100', scene.work(150, { failing: 9 })]);
  const team = scene.startWorkers(4, { FUNKYTOWN_SLOTS: '2' });
  for (let kills = 0, seen = 0; kills < 10; kills++) {
    seen += chance.between(3, 14);
    await scene.started(seen);
    const victim = chance.between(0, team.length - 1);
    team[victim].kill('SIGKILL');
    team[victim] = scene.worker({ FUNKYTOWN_SLOTS: '2' });
  }
  await scene.sound();
});

test('kill -9 of all workers at once: others come and do what these left', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(60, { failing: 7 })]);
  const first = scene.startWorkers(4, { FUNKYTOWN_SLOTS: '2' });
  await scene.started(12);
  for (const worker of first) worker.kill('SIGKILL');
  scene.startWorkers(3, { FUNKYTOWN_SLOTS: '2' });
  await scene.sound();
});

test('SIGSTOP past the lease, SIGCONT while the run goes on: the late result is fenced', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(4, { holding: 2 })]);
  const zombie = scene.worker();
  await scene.started(1);
  zombie.kill('SIGSTOP');
  scene.startWorkers(2);
  // Both tasks that hold are with the others: the zombie's own was given to one of them.
  await waitFor('the task to run again', () => scene.runners('hold').length === 3);
  const [first] = scene.runners('hold-0');
  process.kill(first); // that the zombie's runner has ended is all that it has to tell
  await waitFor('its runner to end', () => !isAlive(first));
  zombie.kill('SIGCONT');
  await zombie.says(/event=task\.fenced task=task:g:0 attempt=1/);
  scene.open();
  await scene.sound();
  assert.equal((await scene.hash('task:g:0')).attempt, '2');
});

test('SIGSTOP shorter than the lease costs nothing', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const controller = scene.controller(['--once', '--lease-s', '3', scene.work(10, { holding: 1 })]);
  const worker = scene.worker();
  await scene.started(1);
  const score = async () => Number((await scene.redis('zscore', 'funkytown:workers', worker.id))[0]);
  const renewed = await score();
  worker.kill('SIGSTOP');
  // Two renewals are due meanwhile: a second of a lease of three is left when it goes on.
  await waitFor('two seconds of Redis\' clock', async () => Number((await scene.redis('time'))[0]) * 1000 > renewed - 1000);
  worker.kill('SIGCONT');
  scene.open();
  await scene.sound();
  assert.equal((await scene.hash('task:g:0')).attempt, '1');
  assert.doesNotMatch(controller.output, /worker\.lost/);
});

test('SIGTERM in the middle of tasks: they are handed back and cost nothing', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', '--max-crashes', '1', scene.work(8, { holding: 4 })]);
  const first = scene.worker({ FUNKYTOWN_SLOTS: '4' });
  await scene.started(4);
  first.kill('SIGTERM');
  assert.equal(await first.exit(), 143);
  assert.equal(first.stderr.match(/event=task\.released/g).length, 4);
  scene.open();
  scene.worker({ FUNKYTOWN_SLOTS: '2' });
  await scene.sound();
});

test('SIGTERM twice, while a runner ignores it: the second one hurries', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const script = 'trap "" TERM; echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"; [ -e "$HOME/go" ] || sleep 60';
  scene.controller(['--once', scene.map(script, ['stubborn', 'next'])]);
  const first = scene.worker();
  await scene.started(1);
  const before = Date.now();
  first.kill('SIGTERM');
  await first.says(/event=worker\.stopping/);
  first.kill('SIGTERM');
  assert.equal(await first.exit(), 143);
  assert.ok(Date.now() - before < 3000, 'it did not wait for the grace period');
  scene.file('go', '');
  scene.worker();
  await scene.sound();
});

test('SIGTERM of an idle worker: it leaves at once, the others do the rest', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(2, { holding: 2 })]);
  scene.startWorkers(2);
  await scene.started(2);
  const idle = scene.worker();
  await idle.says(/event=worker\.joined/);
  idle.kill('SIGTERM');
  assert.equal(await idle.exit(2000), 143);
  scene.open();
  await scene.sound();
});

test('two workers of one name: one works, the other takes over when the first is killed', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(12, { holding: 1 })]);
  const first = scene.worker({ FUNKYTOWN_WORKER_ID: 'twin' });
  await scene.started(1);
  const second = scene.worker({ FUNKYTOWN_WORKER_ID: 'twin' });
  await second.says(/another worker has this name/);
  first.kill('SIGKILL');
  await second.says(/event=worker\.joined/);
  scene.open();
  await scene.sound();
});

test('workers that were there before Redis, and before the run, work', async (t) => {
  const scene = new Scene(t);
  const port = await freePort();
  scene.env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) };
  const early = scene.worker();
  await early.says(/event=redis\.waiting/);
  await scene.startRedis(undefined, port);
  await early.says(/event=run\.waiting/);
  scene.controller(['--once', scene.work(10, { failing: 5 })]);
  await scene.sound();
});

test('a worker that comes when the run has ended exits 0 and touches nothing', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const controller = scene.controller([scene.work(3)]);
  await scene.worker().exit();
  await controller.says(/event=run\.finished/);
  assert.equal(await scene.worker().exit(), 0);
  controller.kill('SIGTERM');
  await scene.sound();
});

for (const [what, variable] of [['temporary folder', 'TMPDIR'], ['spec root', 'SPEC_ROOT']]) {
  test(`the ${what} is removed under a worker: it hands its task back and ends, another one does the rest`, async (t) => {
    const scene = new Scene(t);
    await scene.startRedis();
    const folder = join(scene.folder, 'removed');
    mkdirSync(folder);
    scene.controller(['--once', '--max-crashes', '1', scene.work(20, { failing: 6, holding: 1 })]);
    const unfit = scene.worker({ [variable]: folder });
    unfit.mayEnd = [2];
    await scene.started(1);
    rmSync(folder, { recursive: true });
    scene.open();
    assert.equal(await unfit.exit(), 2);
    assert.match(unfit.stderr, /event=worker\.unfit reason=".*No such file/);
    scene.worker();
    await scene.sound();
  });
}

test('too few descriptors to start with: exit 2, and the run waits for a worker that can', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(4)]);
  const poor = scene.worker({ FUNKYTOWN_SLOTS: '20' }, ['prlimit', '--nofile=24']);
  poor.mayEnd = [2];
  assert.equal(await poor.exit(), 2, poor.output);
  scene.worker();
  await scene.sound();
});

test('just enough descriptors for the worker itself: it works', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.controller(['--once', scene.work(10)]);
  scene.worker({}, ['prlimit', '--nofile=32']);
  await scene.sound();
});

test('a task that kills every worker ends as an error when its crashes are spent; the others pass', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  // The parent of a runner is its supervisor, whose parent is the worker.
  const script = `case "$FUNKYTOWN_SPEC" in error*) read -r _ _ _ worker _ <"/proc/$PPID/stat"; kill -9 "$worker"; sleep 60;; esac`;
  const controller = scene.controller(['--once', '--max-crashes', '3', scene.map(script, ['pass-0', 'error-1', 'pass-2', 'pass-3'])]);
  for (let n = 0; n < 3; n++) {
    const worker = scene.worker();
    worker.mayDie = true;
    assert.equal(await worker.exit(), 'SIGKILL');
  }
  scene.worker();
  await scene.sound();
  assert.equal((await scene.hash('task:g:1')).reason, '3 workers were lost');
  assert.match(controller.output, /worker\.lost/);
});
