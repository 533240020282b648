// What ends a run early, and what runs again: failures, the deadline, retries elsewhere, --rerun.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

const LONG = 'echo $$ >>"$HOME/pids"; exec sleep 600';

const TOKEN = 'open-sesame';

async function post(stage, controller, what, body, token = TOKEN) {
  const answer = await fetch(`${await stage.url(controller)}/api/v1/runs/current/${what}`, {
    method: 'POST',
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json' },
    body: body && JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

// Every task is complete, and what the counters say is what the hashes say.
async function counts(stage, controller) {
  const summary = await stage.api(controller, '');
  const meta = await stage.hash('runmeta');
  assert.deepEqual([meta.tasksremaining, meta.tasksfinished, meta.finished], ['0', String(summary.counts.total), '1']);
  assert.equal((await stage.redis('llen', 'taskqueue'))[0], '0');
  assert.equal((await stage.redis('keys', 'funkytown:processing:*')).join(''), '');
  return summary;
}

test('FUNKYTOWN_DEADLINE_S: what is left is cancelled, what runs is ended, exit 4', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(`[ "$FUNKYTOWN_SPEC" = quick ] && exit 0; ${LONG}`, ['quick', 'a', 'b', 'c']);
  const controller = stage.controller(['--once', map], { FUNKYTOWN_DEADLINE_S: '3' });
  const worker = stage.worker();
  const began = Date.now();
  assert.equal(await controller.exit(), 4, controller.output);
  assert.ok(Date.now() - began < 9000);
  assert.match(controller.stdout, /^cancelled: 4\/4 .*1 passed.*3 cancelled/m);
  assert.equal(await worker.exit(), 0, worker.output);
  const meta = await stage.hash('runmeta');
  assert.deepEqual([meta.tasksremaining, meta.tasksfinished, meta.finished], ['0', '4', '1']);
  const cancelled = await stage.hash('task:g:1');
  assert.deepEqual([cancelled.status, cancelled.result, cancelled.reason], ['complete', 'unknown', 'the deadline of 3 s is over']);
  for (const pid of stage.lines('pids')) assert.throws(() => process.kill(Number(pid), 0));
});

test('the deadline counts from the start of the run, also for a controller that came later', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(LONG, ['a', 'b']);
  const first = stage.controller([map], { FUNKYTOWN_DEADLINE_S: '4', FUNKYTOWN_LEASE_S: '1' });
  const worker = stage.worker();
  await waitFor('a task that runs', () => stage.lines('pids').length === 1);
  const started = Number((await stage.redis('hget', 'funkytown:run', 'started_ms'))[0]);
  await waitFor('half of the deadline', () => Date.now() > started + 2000);
  first.kill('SIGKILL');
  const second = stage.controller(['--once', map], { FUNKYTOWN_DEADLINE_S: '4', FUNKYTOWN_LEASE_S: '1' });
  assert.equal(await second.exit(), 4, second.output);
  assert.ok(Date.now() < started + 8000);
  assert.equal(await worker.exit(), 0, worker.output);
});

test('the deadline is over while Redis is away: exit 4 all the same', async (t) => {
  const stage = new Stage(t);
  const redis = await stage.startRedis();
  const controller = stage.controller(['--once', stage.map(LONG, ['a'])], { FUNKYTOWN_DEADLINE_S: '2' });
  await controller.says(/report at/);
  redis.kill('SIGKILL');
  assert.equal(await controller.exit(), 4, controller.output);
});

test('FUNKYTOWN_MAX_FAILURES: the rest is cancelled, the verdict is failed', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('[ "$FUNKYTOWN_SPEC" = long ] && exec sleep 600; exit 1', ['a', 'b', 'long', 'c', 'd']);
  const controller = stage.controller([map], { FUNKYTOWN_MAX_FAILURES: '2' });
  stage.worker({ FUNKYTOWN_SLOTS: '1' });
  await controller.says(/^failed: .*\n/m);
  const summary = await counts(stage, controller);
  assert.deepEqual([summary.state, summary.verdict, summary.counts.failed, summary.counts.cancelled], ['finished', 'failed', 2, 3]);
  controller.kill();
  await controller.exit();
  const again = stage.controller(['--once', '--run-id', summary.run_id, map]);
  assert.equal(await again.exit(), 1, again.output);
});

// What is put back has all the failures again, whatever failed before; also for a controller that comes later.
for (const isKilled of [false, true]) {
  test(`FUNKYTOWN_MAX_FAILURES counts from a rerun on${isKilled ? ', also after kill -9 of the controller' : ''}`, async (t) => {
    const stage = new Stage(t);
    await stage.startRedis();
    const map = stage.map(`case $FUNKYTOWN_SPEC in
      bad) exit 1;;
      last) until [ -e "$HOME/go" ]; do sleep 0.02; done;;
      esac`, ['bad', 'a', 'b', 'last']);
    const env = { FUNKYTOWN_MAX_FAILURES: '1', FUNKYTOWN_TOKEN: TOKEN, FUNKYTOWN_LEASE_S: '1' };
    let controller = stage.controller([map], env);
    const first = stage.worker({ FUNKYTOWN_LEASE_S: '1' });
    await controller.says(/^failed: 4\/4 .*1 failed.*cancelled.*\n/m);
    assert.equal(await first.exit(), 0, first.output);
    assert.equal((await stage.hash('funkytown:run')).cancel_kind, 'failures');
    const { cancelled } = (await counts(stage, controller)).counts;
    assert.deepEqual(await post(stage, controller, 'rerun', { status: ['cancelled'] }), [200, { rerun: cancelled }]);
    stage.worker();
    if (isKilled) {
      await waitFor('two of them', async () => (await stage.hash('runmeta')).tasksremaining === '1');
      controller.kill('SIGKILL');
      controller = stage.controller([map], env);
      await waitFor('the controller', async () => (await stage.api(controller, '').catch(() => null))?.counts.passed === 2);
    }
    stage.file('go', '');
    await controller.says(/^failed: 4\/4 .*3 passed .*1 failed(?!.*cancelled).*\n/m);
  });
}

test('FUNKYTOWN_MAX_FAILURES: --rerun of a run that was cut runs all of it', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('[ "$FUNKYTOWN_SPEC" != bad ] || [ -e "$HOME/mended" ]', ['bad', 'a', 'b', 'c']);
  const env = { FUNKYTOWN_MAX_FAILURES: '1', SPEC_ROOT: stage.specs };
  const cut = stage.controller(['--once', '--workers', '1', map], env);
  assert.equal(await cut.exit(), 1, cut.output);
  stage.file('mended', '');
  const again = stage.controller(['--once', '--rerun', '--workers', '1', map], env);
  assert.equal(await again.exit(), 0, again.output);
  assert.match(again.stdout, /^passed: 4\/4/m);
});

test('a failed task is tried again on another worker', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('until [ -e "$HOME/both" ]; do sleep 0.02; done; [ "$FUNKYTOWN_ATTEMPT" -gt 3 ]', ['a']);
  const controller = stage.controller([map], { FUNKYTOWN_RETRIES: '3' });
  stage.worker();
  stage.worker();
  await waitFor('two workers', async () => (await stage.api(controller, '').catch(() => null))?.workers.live === 2);
  stage.file('both', '');
  await controller.says(/^passed: .*1 flaky.*\n/m);
  const { attempts } = await stage.api(controller, '/tasks/task:g:0');
  assert.deepEqual(attempts.map(({ outcome }) => outcome), ['failed', 'failed', 'failed', 'passed']);
  for (let i = 1; i < 4; i += 1) assert.notEqual(attempts[i - 1].worker, attempts[i].worker);
});

test('one worker alone runs its failures again itself', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', stage.map('[ "$FUNKYTOWN_ATTEMPT" -gt 2 ]', ['a', 'b'])], { FUNKYTOWN_RETRIES: '2' });
  stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
});

test('--rerun runs again what did not pass; the verdict covers all', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('echo "$FUNKYTOWN_SPEC" >>"$HOME/ran"; case $FUNKYTOWN_SPEC in bad|worse) [ -e "$HOME/mended.$FUNKYTOWN_SPEC" ];; esac', ['good', 'bad', 'worse', 'fine']);
  const run = async (args = []) => {
    const controller = stage.controller(['--once', '--workers', '2', ...args, map], { SPEC_ROOT: stage.specs });
    return [await controller.exit(), controller];
  };
  assert.equal((await run())[0], 1);
  writeFileSync(join(stage.folder, 'mended.bad'), '');
  let [status, controller] = await run(['--rerun']);
  assert.equal(status, 1, controller.output);
  assert.match(controller.stdout, /^failed: 4\/4 .*3 passed .*1 failed/m);
  writeFileSync(join(stage.folder, 'mended.worse'), '');
  [status, controller] = await run(['--rerun']);
  assert.equal(status, 0, controller.output);
  assert.match(controller.stdout, /^passed: 4\/4/m);
  assert.deepEqual(stage.lines('ran').sort(), ['bad', 'bad', 'fine', 'good', 'worse', 'worse', 'worse']);
  [status, controller] = await run(['--rerun']);
  assert.equal(status, 0, controller.output);
  assert.equal(stage.lines('ran').length, 7);
});

test('a rerun has all of the deadline again, and the time in between is not its own', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('[ -e "$HOME/mended" ] || exec sleep 600', ['a', 'b']);
  const env = { FUNKYTOWN_DEADLINE_S: '2', SPEC_ROOT: stage.specs };
  const cut = stage.controller(['--once', '--workers', '1', map], env);
  assert.equal(await cut.exit(), 4, cut.output);
  const finished = Number((await stage.hash('funkytown:run')).finished_ms);
  const now = async () => Number((await stage.redis('time'))[0]) * 1000;
  await waitFor('a second to pass', async () => (await now()) > finished + 1000);
  stage.file('mended', '');
  const again = stage.controller(['--rerun', '--workers', '1', map], env);
  await again.says(/^passed: 2\/2 .*\n/m);
  const summary = await stage.api(again, '');
  assert.ok(summary.idle_s >= 1, JSON.stringify(summary));
  const between = (Date.parse(summary.finished_at) - Date.parse(summary.started_at)) / 1000;
  assert.ok(Math.abs(summary.wall_s + summary.idle_s - between) < 0.002, JSON.stringify(summary));
});

test('--rerun of nothing, or of another map, is refused', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const nothing = stage.controller(['--once', '--rerun', stage.map('exit 1', ['a'])]);
  assert.equal(await nothing.exit(), 2);
  assert.match(nothing.stderr, /--rerun: found no run under this prefix/);
  const controller = stage.controller(['--once', '--workers', '1', stage.map('exit 1', ['a'])], { SPEC_ROOT: stage.specs });
  assert.equal(await controller.exit(), 1, controller.output);
  const other = stage.controller(['--once', '--rerun', stage.map('exit 1', ['a', 'b'])]);
  assert.equal(await other.exit(), 2);
  assert.match(other.stderr, /--rerun: the last run, run-\S+, is of another spec map/);
});

test('a task that is handed back again and again is an error in the end', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', stage.map(LONG, ['a'])]);
  for (let i = 1; i <= 21; i += 1) {
    const worker = stage.worker();
    await waitFor(`attempt ${i}`, () => stage.lines('pids').length === i);
    worker.kill();
    assert.equal(await worker.exit(), 143, worker.output);
  }
  assert.equal(await controller.exit(), 3, controller.output);
  assert.match(controller.stdout, /handed back 21 times by workers that were told to stop/);
});

test('POST cancel ends what runs within 5 s, everywhere; POST rerun goes on with what did not pass', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(`[ "$FUNKYTOWN_SPEC" = quick ] || [ -e "$HOME/mended" ] && exit 0
    trap '' TERM; echo $$ >>"$HOME/pids"; while :; do sleep 1; done`, ['quick', 'a', 'b', 'c', 'd', 'e']);
  const controller = stage.controller([map], { FUNKYTOWN_TOKEN: TOKEN });
  const workers = [stage.worker({ FUNKYTOWN_SLOTS: '2' }), stage.worker()];
  await waitFor('three tasks that run', () => stage.lines('pids').length === 3);
  await waitFor('the quick one', async () => (await stage.api(controller, '')).counts.passed === 1);
  assert.equal((await post(stage, controller, 'cancel', null, 'wrong'))[0], 401);
  assert.equal((await post(stage, controller, 'rerun', { status: ['failed'] }))[0], 409);
  const began = Date.now();
  assert.deepEqual(await post(stage, controller, 'cancel'), [200, { cancelled: 5 }]);
  for (const worker of workers) assert.equal(await worker.exit(), 0, worker.output);
  await controller.says(/^cancelled: 6\/6 .*1 passed.*5 cancelled.*\n/m);
  assert.ok(Date.now() - began < 5000);
  for (const pid of stage.lines('pids')) assert.throws(() => process.kill(Number(pid), 0));
  let summary = await counts(stage, controller);
  assert.deepEqual([summary.state, summary.verdict, summary.counts.passed, summary.counts.cancelled], ['cancelled', 'cancelled', 1, 5]);
  assert.equal((await post(stage, controller, 'cancel'))[0], 409);

  assert.equal((await post(stage, controller, 'rerun', { status: ['cancelled'], expected_count: 4 }))[0], 409);
  stage.file('mended', '');
  assert.deepEqual(await post(stage, controller, 'rerun', { status: ['cancelled'], expected_count: 5 }), [200, { rerun: 5 }]);
  stage.worker();
  await controller.says(/^passed: 6\/6/m);
  summary = await counts(stage, controller);
  assert.deepEqual([summary.state, summary.verdict, summary.counts.passed], ['finished', 'passed', 6]);
});

test('a cancelled run goes on being cancelled after kill -9 of its controller', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(LONG, ['a', 'b', 'c']);
  const env = { FUNKYTOWN_TOKEN: TOKEN, FUNKYTOWN_LEASE_S: '1' };
  const first = stage.controller([map], env);
  const worker = stage.worker();
  await waitFor('a task that runs', () => stage.lines('pids').length === 1);
  worker.kill('SIGSTOP'); // so that the end waits for its lease
  await post(stage, first, 'cancel');
  first.kill('SIGKILL');
  const second = stage.controller(['--once', map], env);
  assert.equal(await second.exit(), 4, second.output);
  worker.kill('SIGCONT');
  assert.equal(await worker.exit(), 0, worker.output);
});

test('workers of --workers start again when a finished run goes on', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('[ -e "$HOME/mended" ]', ['a', 'b']);
  const controller = stage.controller(['--workers', '1', map], { FUNKYTOWN_TOKEN: TOKEN, SPEC_ROOT: stage.specs });
  await controller.says(/^failed: 2\/2/m);
  stage.file('mended', '');
  assert.deepEqual(await post(stage, controller, 'rerun', { status: ['failed', 'error'] }), [200, { rerun: 2 }]);
  await controller.says(/^passed: 2\/2/m);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});
