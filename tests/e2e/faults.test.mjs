// What happens when something dies or is told to stop in the middle of a run.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { freePort, isAlive, Stage, waitFor } from './harness.mjs';

// Each task writes its pid and then waits for the file `go`, so that a test can act while it runs.
const WAITING = 'echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"; until [ -e "$HOME/go" ]; do read -r _ <"$HOME/tick" || :; done; echo "$FUNKYTOWN_SPEC" >>"$HOME/ended"';

// `tick` is a regular file: reading it is how the script waits without a program of its own.
function waitingMap(stage, specs, more) {
  stage.file('tick', '\n');
  return stage.map(WAITING, specs, more);
}

function assertCountedOnce(stage, specs) {
  return Promise.all(specs.map(async (_, i) => {
    const task = await stage.hash(`task:g:${i}`);
    assert.deepEqual([task.status, task.result], ['complete', 'passed'], JSON.stringify(task));
  })).then(async () => {
    const meta = await stage.hash('runmeta');
    assert.deepEqual([meta.tasksremaining, meta.tasksfinished, meta.finished], ['0', String(specs.length), '1']);
  });
}

test('kill -9 of a worker in the middle of a task: it runs elsewhere, and is counted once', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const specs = ['a', 'b', 'c'];
  const controller = stage.controller(['--once', '--lease-s', '1', waitingMap(stage, specs)]);
  const first = stage.worker();
  await waitFor('a runner', () => stage.lines('started').length === 1);
  const runner = Number(stage.lines('started')[0].split(' ')[1]);
  first.kill('SIGKILL');
  await waitFor('the runner to die with its worker', () => !isAlive(runner));
  const second = stage.worker();
  await waitFor('the task to run again', () => stage.lines('started').length >= 2);
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await second.exit(), 0, second.output);
  await assertCountedOnce(stage, specs);
  assert.deepEqual(stage.lines('ended').sort(), specs);
  assert.equal((await stage.hash('task:g:0')).attempt, '2');
});

test('a task that costs too many workers is final as an error, and the run ends', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', '--lease-s', '1', '--max-crashes', '2', waitingMap(stage, ['a'])]);
  for (let n = 1; n <= 2; n++) {
    const worker = stage.worker();
    await waitFor(`attempt ${n}`, () => stage.lines('started').length === n);
    worker.kill('SIGKILL');
  }
  assert.equal(await controller.exit(), 3, controller.output);
  assert.match(controller.stdout, /2 workers were lost/);
  const task = await stage.hash('task:g:0');
  assert.deepEqual([task.status, task.result, task.reason], ['complete', 'error', '2 workers were lost']);
});

test('kill -9 of the controller and its restart: the run goes on, the verdict is right', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const specs = ['a', 'b', 'c', 'd'];
  const map = waitingMap(stage, specs);
  const first = stage.controller(['--once', map]);
  const worker = stage.worker({ FUNKYTOWN_SLOTS: '2' });
  await waitFor('two runners', () => stage.lines('started').length === 2);
  const { runid } = await stage.hash('runmeta');
  first.kill('SIGKILL');
  await first.exit();
  const second = stage.controller(['--once', map]);
  await second.says(new RegExp(`funkytown ${runid}: 4 tasks`));
  stage.file('go', '');
  assert.equal(await second.exit(), 0, second.output);
  assert.equal(await worker.exit(), 0);
  await assertCountedOnce(stage, specs);
  assert.deepEqual(stage.lines('ended').sort(), specs);
});

test('the run ends while no controller is there; the next one tells its verdict', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = waitingMap(stage, ['a', 'b']);
  const first = stage.controller(['--once', '--run-id', 'r', map]);
  const worker = stage.worker();
  await waitFor('a runner', () => stage.lines('started').length === 1);
  first.kill('SIGKILL');
  await first.exit();
  stage.file('go', '');
  assert.equal(await worker.exit(), 0, worker.output);
  const second = stage.controller(['--once', '--run-id', 'r', map]);
  assert.equal(await second.exit(), 0, second.output);
  assert.match(second.stdout, /^passed: 2\/2/m);
});

test('SIGTERM: the worker hands its task back and exits 143, the task costs nothing', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', waitingMap(stage, ['a'])]);
  const first = stage.worker();
  await waitFor('a runner', () => stage.lines('started').length === 1);
  const runner = Number(stage.lines('started')[0].split(' ')[1]);
  first.kill('SIGTERM');
  assert.equal(await first.exit(), 143, first.output);
  assert.ok(!isAlive(runner));
  assert.deepEqual(await stage.redis('lrange', 'taskqueue', '0', '-1'), ['task:g:0']);
  assert.equal((await stage.hash('task:g:0')).status, 'waiting');
  stage.file('go', '');
  const second = stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await second.exit(), 0);
});

test('SIGTERM: the controller leaves the run to be resumed, and takes its own workers with it', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = waitingMap(stage, ['a', 'b']);
  const first = stage.controller(['--once', '--workers', '1', map], { SPEC_ROOT: stage.specs });
  await waitFor('a runner', () => stage.lines('started').length === 1);
  const runner = Number(stage.lines('started')[0].split(' ')[1]);
  first.kill('SIGTERM');
  assert.equal(await first.exit(), 143, first.output);
  assert.ok(!isAlive(runner));
  assert.equal((await stage.hash('runmeta')).tasksremaining, '2');
  stage.file('go', '');
  const second = stage.controller(['--once', '--workers', '1', map], { SPEC_ROOT: stage.specs });
  assert.equal(await second.exit(), 0, second.output);
  await assertCountedOnce(stage, ['a', 'b']);
});

test('an embedded Redis keeps the run over a kill -9 of the controller', async (t) => {
  const stage = new Stage(t);
  const map = waitingMap(stage, ['a', 'b']);
  const args = ['--once', '--workers', '1', '--redis-port', String(await freePort())];
  const env = { SPEC_ROOT: stage.specs, FUNKYTOWN_LEASE_S: '1' };
  const first = stage.controller([...args, map], env);
  await waitFor('a runner', () => stage.lines('started').length === 1);
  const [, runid] = await first.says(/funkytown (\S+): 2 tasks/);
  const runner = Number(stage.lines('started')[0].split(' ')[1]);
  // The append-only file is synced once a second: only what it holds can be resumed.
  await waitFor('the claim to be on disk', () => stage.appendOnly().includes('processing'));
  first.kill('SIGKILL');
  await first.exit();
  await waitFor('the runner to die with its controller', () => !isAlive(runner));
  stage.file('go', '');
  const second = stage.controller([...args, map], env);
  assert.equal(await second.exit(), 0, second.output);
  assert.match(second.stdout, new RegExp(`funkytown ${runid}: 2 tasks`));
  assert.match(second.stdout, /^passed: 2\/2/m);
});

test('a worker that was stopped and declared dead is fenced; its late result changes nothing', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', '--lease-s', '1', waitingMap(stage, ['a'])]);
  const zombie = stage.worker();
  await waitFor('a runner', () => stage.lines('started').length === 1);
  zombie.kill('SIGSTOP');
  const second = stage.worker();
  await waitFor('the task to run again', () => stage.lines('started').length === 2);
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
  zombie.kill('SIGCONT');
  assert.equal(await zombie.exit(), 0, zombie.output);
  assert.equal(await second.exit(), 0);
  const task = await stage.hash('task:g:0');
  assert.deepEqual([task.result, task.attempt], ['passed', '2']);
  assert.equal((await stage.hash('runmeta')).tasksfinished, '1');
});

test('Redis restarts in the middle of a run: everybody comes back, nothing is counted twice', async (t) => {
  const stage = new Stage(t);
  const aof = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const redis = await stage.startRedis(aof);
  const specs = ['a', 'b', 'c'];
  const controller = stage.controller(['--once', waitingMap(stage, specs)]);
  const worker = stage.worker();
  await waitFor('a runner', () => stage.lines('started').length === 1);
  redis.kill('SIGKILL');
  await redis.exit();
  await worker.says(/redis.waiting/);
  stage.file('go', '');
  await waitFor('the runner to end without Redis', () => stage.lines('ended').length === 1);
  await stage.startRedis(aof, stage.redisPort);
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  await assertCountedOnce(stage, specs);
  assert.deepEqual(stage.lines('ended').sort(), specs, 'no task ran twice');
});

test('a daemon that a spec leaves behind does not survive its task', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const script = '(setsid tail -f /dev/null & echo $! >>"$HOME/daemons") ; exit 0';
  const controller = stage.controller(['--once', stage.map(script, ['a', 'b'])]);
  const worker = stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  await worker.exit();
  assert.equal(stage.lines('daemons').length, 2);
  for (const pid of stage.lines('daemons')) assert.ok(!isAlive(pid), pid);
});
