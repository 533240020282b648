// What may happen to the workers that a controller starts itself, and to all three of controller, worker, supervisor.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, waitFor } from '../e2e/harness.mjs';
import { processesOf } from './processes.mjs';
import { Scene } from './scene.mjs';

// The scene whose workers belong to its controller: what they write is in the controller's output.
class LocalScene extends Scene {
  controller(args = [], env = {}) {
    return super.controller(args, { SPEC_ROOT: this.specs, ...env });
  }

  async nobodyIsLeft() {
    const ours = new Set(this.programs.filter(({ isRunning }) => isRunning).map(({ pid }) => pid));
    await waitFor(() => `nobody to be left:\n${JSON.stringify(processesOf(this))}`,
      () => processesOf(this).every(({ pid }) => ours.has(pid)), 15_000);
  }

  // Every task has ended as it must.
  async judged() {
    for (const [key, result] of this.expected) {
      const task = await this.hash(key);
      assert.deepEqual([task.status, task.result], ['complete', result], `${key}: ${JSON.stringify(task)}`);
    }
    await this.nobodyIsLeft();
  }
}

const parentOf = (pid) => Number(readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) \S+ (\d+).*$/s, '$1'));

// The runner of the first task, its supervisor and its worker.
async function firstFamily(scene) {
  await scene.started(1);
  const [runner] = scene.runners();
  const supervisor = parentOf(runner);
  return { runner, supervisor, worker: parentOf(supervisor) };
}

const state = (pid) => readFileSync(`/proc/${pid}/stat`, 'latin1').replace(/^.*\) (\S).*$/s, '$1');

// A signal arrives when it arrives; what is sent to others meanwhile may come first.
async function stop(pid) {
  process.kill(pid, 'SIGSTOP');
  await waitFor(`${pid} to be stopped`, () => state(pid) === 'T');
}

// ---- workers that can't go on ----

const SPARE = 'case "$FUNKYTOWN_SPEC" in *evil*) :;; *) exit 0;; esac';
const FAMILY = 'read -r _ _ _ worker _ <"/proc/$PPID/stat"';

test("a task that deletes its worker's folder: another worker takes the place, and the run goes on", async (t) => {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const script = `${SPARE}; ${FAMILY}; echo "$worker" >>"$HOME/struck"; rm -rf "\${FUNKYTOWN_EVENTS%/*/*}"`;
  const specs = Array.from({ length: 30 }, (_, i) => (i % 10 === 3 ? `evil-${i}` : `pass-${i}`));
  const controller = scene.controller(['--once', '--workers', '2', '--log-level', 'info', scene.map(script, specs)]);
  assert.equal(await controller.exit(), 0, controller.output);
  await scene.judged();
  const died = [...controller.stderr.matchAll(/event=worker\.died pid=(\d+) status=(\d+)/g)];
  assert.ok(died.length > 0, controller.output);
  for (const [, pid, status] of died) {
    assert.ok(scene.lines('struck').includes(pid), `worker.died names ${pid}`);
    assert.equal(status, '2');
  }
});

test('a task that ends its worker each time is an error when it was handed back too often; the others pass', async (t) => {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const script = `${SPARE}; ${FAMILY}; kill -TERM "$worker"; sleep 600`;
  const controller = scene.controller(['--once', '--workers', '2', scene.map(script, ['pass-0', 'error-evil-1', 'pass-2', 'pass-3'])]);
  assert.equal(await controller.exit(), 3, controller.output);
  await scene.judged();
  assert.match((await scene.hash('task:g:1')).reason, /^handed back 21 times /);
});

test('two slots: a task deletes the folder and stays, so that no other one can be started beside it', async (t) => {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const script = `case "$FUNKYTOWN_SPEC" in pass*) until [ -e "$HOME/deleted" ]; do sleep 0.05; done; exit;; esac
    rm -rf "\${FUNKYTOWN_EVENTS%/*/*}"; touch "$HOME/deleted"; sleep 600`;
  const controller = scene.controller(['--once', '--workers', '1', '--task-timeout-s', '2',
    scene.map(script, ['pass-0', 'error-evil-1', 'pass-2', 'pass-3'])], { FUNKYTOWN_SLOTS: '2' });
  assert.equal(await controller.exit(), 3, controller.output);
  assert.match(controller.stderr, /event=worker\.died pid=\d+ status=2/);
  await scene.judged();
});

test('no worker comes up any more, for the spec root has gone: exit 2 that says why, after some tries', async (t) => {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const script = `${SPARE}; rm -rf "$PWD"; ${FAMILY}; kill -TERM "$worker"; sleep 600`;
  const controller = scene.controller(['--once', '--workers', '1', scene.map(script, ['evil-0', 'pass-1'])]);
  assert.equal(await controller.exit(), 2, controller.output);
  assert.match(controller.stderr, /event=worker\.died pid=\d+ status=2/);
  assert.match(controller.stderr, /^worker: SPEC_ROOT: found .* wanted a folder that exists$/m);
  assert.match(controller.stderr, /^controller: a worker could not start; its line above says why$/m);
  await scene.nobodyIsLeft();
});

// ---- {controller, worker, supervisor} x {stopped, killed}: nothing of the run may be left, and the run may go on ----

const STAY = 'echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"; [ -e "$HOME/go" ] || { setsid sleep 600 & sleep 600; }';

// A run of two tasks, the first of which stays until somebody ends it; `local` workers, or one of its own.
async function begin(t, { local = true } = {}) {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const args = ['--once', scene.map(STAY, ['a', 'b'])];
  const controller = scene.controller(local ? ['--workers', '1', ...args] : args);
  if (!local) scene.worker().mayDie = true;
  return { scene, controller, args, ...await firstFamily(scene) };
}

// What stayed has gone, and another worker does it all.
async function end({ scene, controller, runner, args }, { local = true } = {}) {
  await waitFor('the runner to be gone', () => !isAlive(runner));
  scene.file('go', '');
  if (!local) scene.worker();
  if (!controller.isRunning) controller = scene.controller(['--workers', '1', ...args]);
  assert.equal(await controller.exit(), 0, controller.output);
  await scene.judged();
}

for (const local of [false, true]) {
  test(`the supervisor is stopped, then the ${local ? 'local ' : ''}worker killed: nothing is left, the task runs again`, async (t) => {
    const run = await begin(t, { local });
    await stop(run.supervisor);
    process.kill(run.worker, 'SIGKILL');
    await end(run, { local });
  });
}

test('the worker is stopped, then its supervisor and itself are killed: what they leave comes to the controller', async (t) => {
  const run = await begin(t);
  await stop(run.worker);
  process.kill(run.supervisor, 'SIGKILL');
  process.kill(run.worker, 'SIGKILL');
  await end(run);
  assert.match(run.controller.stderr, new RegExp(`event=worker\\.died pid=${run.worker} status=137`));
});

test('the controller is stopped while worker and supervisor are killed: what they leave is killed when it goes on', async (t) => {
  const run = await begin(t);
  await stop(run.controller.pid);
  await stop(run.worker);
  process.kill(run.supervisor, 'SIGKILL');
  process.kill(run.worker, 'SIGKILL');
  process.kill(run.controller.pid, 'SIGCONT');
  await end(run);
});

test('the controller is told to stop when a worker and its supervisor have just been killed: it leaves nothing', async (t) => {
  const run = await begin(t);
  await stop(run.controller.pid);
  await stop(run.worker);
  process.kill(run.supervisor, 'SIGKILL');
  process.kill(run.worker, 'SIGKILL');
  run.controller.kill('SIGTERM');
  run.controller.kill('SIGCONT');
  assert.equal(await run.controller.exit(), 143);
  assert.deepEqual(processesOf(run.scene).filter(({ line }) => !line.startsWith('redis-server')), [], 'at once');
  await end(run);
});

for (const [what, stopped] of [['worker', ['worker']], ['supervisor', ['supervisor']], ['worker and supervisor', ['worker', 'supervisor']]]) {
  test(`${what} stopped, then the controller is killed: they hand the task back and are gone`, async (t) => {
    const run = await begin(t);
    for (const name of stopped) await stop(run[name]);
    run.controller.kill('SIGKILL');
    await run.controller.exit();
    await run.scene.nobodyIsLeft();
    const task = await run.scene.hash('task:g:0');
    assert.deepEqual([task.status, await run.scene.hash('funkytown:crashes')], ['waiting', {}], JSON.stringify(task));
    await end(run);
  });
}

test('the worker is stopped, then the controller is told to stop: it does not wait for it in vain', async (t) => {
  const run = await begin(t);
  await stop(run.worker);
  const before = Date.now();
  run.controller.kill('SIGTERM');
  assert.equal(await run.controller.exit(), 143);
  assert.ok(Date.now() - before < 15_000, 'before it would kill it');
  assert.equal((await run.scene.hash('task:g:0')).status, 'waiting');
  await end(run);
});

test('an idle worker is stopped while the run ends: the controller ends with it', async (t) => {
  const scene = new LocalScene(t);
  await scene.startRedis();
  const controller = scene.controller(['--once', '--workers', '2', scene.map('echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"; until [ -e "$HOME/go" ]; do sleep 0.05; done', ['a'])]);
  const { worker } = await firstFamily(scene);
  const idle = await waitFor('the other worker', () =>
    processesOf(scene).find(({ pid, line }) => line.endsWith('/bin/worker') && pid !== worker && parentOf(pid) === controller.pid));
  await stop(idle.pid);
  const before = Date.now();
  scene.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
  assert.ok(Date.now() - before < 15_000, 'before it would kill it');
  await scene.judged();
});
