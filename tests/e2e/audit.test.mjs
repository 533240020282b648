// controller --audit, on a run as it is and on one that was damaged.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

const audit = async (stage, args = []) => {
  const program = stage.controller(['--audit', ...args]);
  return [await program.exit(), program.stdout, program.stderr];
};

test('an audit of a healthy run finds nothing, while it runs and after', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  assert.deepEqual(await audit(stage), [2, '', 'controller: --audit: no run is open under this prefix\n']);
  const controller = stage.controller(['--once', stage.map('until [ -e "$HOME/go" ]; do sleep 0.02; done', ['a', 'b', 'c'])]);
  stage.worker({ FUNKYTOWN_SLOTS: '2' });
  await waitFor('two tasks that run', async () => (await stage.redis('hlen', 'funkytown:claims'))[0] === '2');
  assert.deepEqual((await audit(stage)).slice(0, 2), [0, 'audit: 3 tasks, 0 findings\n']);
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
  assert.deepEqual((await audit(stage)).slice(0, 2), [0, 'audit: 3 tasks, 0 findings\n']);
});

test('a lost task is found, and put back when asked; the run ends as it should', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', stage.map('exit 0', ['a', 'b', 'c'])]);
  await waitFor('the run', async () => (await stage.redis('exists', 'runmeta'))[0] === '1');
  await stage.redis('lrem', 'taskqueue', '1', 'task:g:1');
  await stage.redis('hset', 'runmeta', 'tasksremaining', '2');
  const findings = 'task:g:1: waiting, in no list; wanted one list\nrunmeta tasksremaining: found 2; a recount gives 3\n';
  assert.deepEqual((await audit(stage)).slice(0, 2), [1, `${findings}audit: 3 tasks, 2 findings\n`]);
  assert.deepEqual((await audit(stage, ['--repair'])).slice(0, 2), [1, `${findings}audit: 3 tasks, 2 findings, repaired\n`]);
  assert.equal((await audit(stage))[0], 0);
  stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.match(controller.stdout, /^passed: 3\/3/m);
});

test('names from Redis are text on the terminal, whatever is in them', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const first = stage.controller(['--run-id', 'r', stage.map('exit 0', ['a'])]);
  await waitFor('the run', async () => (await stage.redis('exists', 'runmeta'))[0] === '1');
  const evil = '\u001b]0;owned\u0007\naudit: 1 tasks, 0 findings\u009b2J';
  const shown = '\\u001b]0;owned\\u0007\\naudit: 1 tasks, 0 findings\\u009b2J';
  await stage.redis('lpush', 'taskqueue', `task:g:${evil}`);
  await stage.redis('zadd', 'funkytown:graves', '9999999999999', `w${evil}`);
  await stage.redis('rpush', `funkytown:processing:w${evil}`, 'task:g:0');
  assert.deepEqual(await audit(stage), [1, [
    `task:g:0: waiting, in the list of w${shown} and the queue; wanted one list`,
    `task:g:${shown}: in the queue; the run has no such task`,
    'audit: 1 tasks, 2 findings', '',
  ].join('\n'), '']);
  await stage.redis('hset', 'funkytown:run', 'id', `r${evil}`);
  const other = stage.controller(['--once', '--run-id', 'other', stage.map('exit 0', ['a'])]);
  assert.equal(await other.exit(), 2);
  assert.ok(other.stderr.includes(`controller: run r${shown} is alive under this prefix`), other.stderr);
  const again = stage.controller(['--once', stage.map('exit 0', ['a'])]);
  first.kill('SIGKILL');
  await again.says(/report at/);
  assert.ok(again.stdout.includes(`funkytown r${shown}: 1 tasks`), again.stdout);
});

test('an audit without Redis ends with one line', async (t) => {
  const stage = new Stage(t);
  const [status, , stderr] = await audit(stage, ['--redis-port', '1']);
  assert.equal(status, 2);
  assert.match(stderr, /^controller: --audit: redis: .*refused.*\n$/);
  const program = stage.controller(['--repair']);
  assert.equal(await program.exit(), 2);
  assert.match(program.stderr, /--repair: wanted together with --audit/);
});
