// A task that skipped itself, from the exit status of its runner to the verdict of its run: neither a pass nor a failure.
// With real Playwright: tests/runners/playwright_skipped.test.mjs.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

const TOKEN = 'open-sesame';
const SCRIPT = `echo "$FUNKYTOWN_SPEC" >>"$HOME/ran"
case $FUNKYTOWN_SPEC in
  skip*) exit 77;;
  bad) exit 1;;
  fails-first) [ -e "$HOME/failed" ] && exit 77; : >"$HOME/failed"; exit 1;;
esac`;

/** A map of a shell runner that says "skipped" as autotools do. */
const skipping = (stage, specs) => stage.map(SCRIPT, specs, {
  runners: { script: { argv: [join(stage.folder, 'runner.sh')], exit: { 77: 'skipped' } } },
});

const ranOf = (stage, spec) => stage.lines('ran').filter((line) => line === spec).length;

async function post(stage, controller, body) {
  const answer = await fetch(`${await stage.url(controller)}/api/v1/runs/current/rerun`, {
    method: 'POST', headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' }, body: JSON.stringify(body),
  });
  return [answer.status, await answer.json()];
}

test('one that skips beside one that passes: passed, and told everywhere', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller([skipping(stage, ['good', 'skip'])], { FUNKYTOWN_TOKEN: TOKEN, FUNKYTOWN_RETRIES: '2' });
  const worker = stage.worker();
  await controller.says(/^passed: 2\/2 .*1 passed .*1 skipped.*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.equal(ranOf(stage, 'skip'), 1, 'it is not tried again');
  assert.doesNotMatch(controller.stdout, /every task was skipped/);

  const { state, verdict, counts } = await stage.api(controller, '');
  assert.deepEqual([state, verdict, counts.passed, counts.skipped, counts.failed, counts.error], ['finished', 'passed', 1, 1, 0, 0]);
  const { result, reason, flaky } = await stage.hash('task:g:1');
  assert.deepEqual([result, reason, flaky], ['skipped', 'exit 77', '0']);
  const { status, message, attempts } = await stage.api(controller, '/tasks/task:g:1');
  assert.deepEqual([status, message, attempts.map(({ outcome }) => outcome)], ['skipped', 'exit 77', ['skipped']]);
  const { tasks } = await stage.api(controller, '/tasks?status=skipped,failed');
  assert.deepEqual(tasks.map(({ key }) => key), ['task:g:1']);
  const metrics = await (await fetch(`${await stage.url(controller)}/metrics`)).text();
  assert.match(metrics, /^funkytown_tasks\{state="skipped"\} 1$/m);
  assert.match(metrics, /^funkytown_run_verdict\{verdict="skipped"\} 0$/m);

  const [refused, problem] = await post(stage, controller, { status: ['failed', 'error', 'cancelled', 'flaky'] });
  assert.deepEqual([refused, problem.detail], [409, 'no task is failed, flaky, error or cancelled']);
  assert.deepEqual(await post(stage, controller, { status: ['skipped'], expected_count: 1 }), [200, { rerun: 1 }]);
  stage.worker();
  await waitFor('it to run again', async () => ranOf(stage, 'skip') === 2 && (await stage.api(controller, '')).state === 'finished');
});

test('where a program is missing, what the map leaves out without it is skipped with its reason, and nothing is started', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const rule = (spec, without) => ({ spec, without, reason: 'apt-get install what-you-need' });
  const map = stage.map(SCRIPT, ['good', 'better', 'best'], { exclude: [rule('better', ['sh', 'no-such-program']), rule('best', ['sh'])] });
  const controller = stage.controller([map]);
  const worker = stage.worker();
  await controller.says(/^passed: 3\/3 .*2 passed .*1 skipped.*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.match(controller.stdout, / skipped 1: no-such-program isn't in PATH: apt-get install what-you-need\n/);
  assert.deepEqual(stage.lines('ran').sort(), ['best', 'good']);
  const { result, reason } = await stage.hash('task:g:1');
  assert.deepEqual([result, reason], ['skipped', "no-such-program isn't in PATH: apt-get install what-you-need"]);
  const { status, message, attempts } = await stage.api(controller, '/tasks/task:g:1');
  assert.deepEqual([status, message, attempts.map(({ outcome }) => outcome)], ['skipped', reason, ['skipped']]);
});

test('a run of skipped tasks alone: exit 5, and a line that says why; --rerun runs none of them again', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = skipping(stage, ['skip-a', 'skip-b']);
  const controller = stage.controller(['--once', map]);
  const worker = stage.worker();
  assert.equal(await controller.exit(), 5, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.match(controller.stdout, /^skipped: 2\/2 .*2 skipped in /m);
  assert.match(controller.stdout, /^every task was skipped: nothing was tested/m);
  const again = stage.controller(['--once', '--rerun', map]);
  assert.equal(await again.exit(), 5, again.output);
  assert.deepEqual(stage.lines('ran').sort(), ['skip-a', 'skip-b']);
});

test('--rerun leaves the skipped ones, and the verdict covers them', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = skipping(stage, ['skip', 'bad']);
  const first = stage.controller(['--once', map]);
  stage.worker();
  assert.equal(await first.exit(), 1, first.output);
  assert.match(first.stdout, /^failed: 2\/2 .*1 failed .*1 skipped/m);
  const again = stage.controller(['--once', '--rerun', map]);
  stage.worker();
  assert.equal(await again.exit(), 1, again.output);
  assert.deepEqual([ranOf(stage, 'skip'), ranOf(stage, 'bad')], [1, 2]);
});

test('FUNKYTOWN_MAX_FAILURES does not count them', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', skipping(stage, ['skip-a', 'skip-b', 'skip-c', 'good'])], { FUNKYTOWN_MAX_FAILURES: '1' });
  stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.match(controller.stdout, /^passed: 4\/4 .*1 passed .*3 skipped/m);
});

test('who failed and then skips has failed', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', skipping(stage, ['fails-first', 'good'])], { FUNKYTOWN_RETRIES: '3' });
  stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  assert.equal(ranOf(stage, 'fails-first'), 2);
  assert.match(controller.stdout, /it failed before, and skipped itself then/);
});
