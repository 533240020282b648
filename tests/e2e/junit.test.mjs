// Runners of one's own that leave a JUnit file: what it says of each test decides, with their exit status.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage } from './harness.mjs';

const SUITE = (cases, more = '') => `<testsuite name="smoke"${more}>${cases}</testsuite>`;
const PASSED = '<testcase name="answers" time="0.25"/>';
const FAILED = '<testcase name="answers at once" file="smoke.sh" line="7"><failure message="took 3 s">at smoke.sh:7</failure></testcase>';
const SKIPPED = '<testcase name="answers abroad"><skipped/></testcase>';

// A spec is what its runner does: [its file's text or null, exit status].
const DOES = {
  good: [SUITE(PASSED + SKIPPED), 0],
  'bad-exits-0': [SUITE(PASSED + FAILED), 0],
  skips: [SUITE(SKIPPED), 0],
  'good-exits-1': [SUITE(PASSED), 1],
  silent: [null, 0],
  dies: [null, 3],
  empty: [SUITE(''), 0],
  'cut-off': [`<testsuite>${PASSED}<testcase name="b`, 0],
  'cut-off-after-a-failure': [`<testsuite>${FAILED}<testcase name="b`, 0],
  'counts-more': [SUITE(PASSED, ' failures="1"'), 0],
};
const SAID = {
  good: ['passed', ''],
  'bad-exits-0': ['failed', 'took 3 s'],
  skips: ['skipped', 'its only test is skipped'],
  'good-exits-1': ['error', 'exit 1 though every test passed'],
  silent: ['error', 'no test was run: {output}/out.xml was not written'],
  dies: ['error', 'exit 3 and no test was run: Error: no server to be had'],
  empty: ['error', 'no test was run'],
  'cut-off': ['error', '{output}/out.xml line 1: unclosed token'],
  'cut-off-after-a-failure': ['failed', 'took 3 s'],
  'counts-more': ['error', '{output}/out.xml: found 0 failures in the suite "smoke", which counts 1'],
};

const script = Object.entries(DOES).map(([spec, [text, status]]) =>
  `${spec}) ${text === null ? 'echo "Error: no server to be had"' : `printf %s '${text}' >"$1/out.xml"`}; exit ${status};;`).join('\n');

test("a JUnit file's tests are the task's, whatever the exit status says, and none is no pass", async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(`case $FUNKYTOWN_SPEC in\n${script}\nesac`, Object.keys(DOES), {
    runners: { script: { argv: [join(stage.folder, 'runner.sh'), '{output}'], junit: '{output}/out.xml' } },
  });
  const controller = stage.controller([map]);
  const worker = stage.worker();
  await controller.says(/^failed: 10\/10 /m);
  assert.equal(await worker.exit(), 0, worker.output);

  const { tasks } = await stage.api(controller, '/tasks');
  const said = Object.fromEntries(tasks.map(({ spec, status, message }) => [spec, [status, message ?? '']]));
  assert.deepEqual(said, SAID);
  const { key } = tasks.find(({ spec }) => spec === 'bad-exits-0');
  const { attempts } = await stage.api(controller, `/tasks/${key}`);
  assert.deepEqual(attempts.at(-1).tests, [
    { title: ['smoke', 'answers'], status: 'passed', duration_ms: 250 },
    { title: ['smoke', 'answers at once'], status: 'failed', duration_ms: 0, file: 'smoke.sh', line: 7, error: { message: 'took 3 s', stack: 'at smoke.sh:7' } },
  ]);
});

test('a file that an earlier attempt left is not this one\'s', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map(`[ -e "$HOME/once" ] && exit 0; : >"$HOME/once"; printf %s '${SUITE(PASSED + FAILED)}' >"$1/out.xml"; exit 1`, ['a'], {
    runners: { script: { argv: [join(stage.folder, 'runner.sh'), '{output}'], junit: '{output}/out.xml' } },
  });
  const controller = stage.controller(['--once', map], { FUNKYTOWN_RETRIES: '1' });
  const worker = stage.worker();
  assert.equal(await controller.exit(), 3, controller.output);
  assert.match(controller.stdout, /no test was run: \{output\}\/out\.xml was not written/);
  assert.equal(await worker.exit(), 0, worker.output);
});

test("pytest, as README has it: each test, and where a failed one stands", async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const root = join(stage.folder, 'specs');
  writeFileSync(join(root, 'test_shop.py'), `import os, pytest

def test_viewport():
    assert os.environ["FUNKYTOWN_WIDTH"] == "1280"

def test_total():
    assert 27.99 + 5.95 == 0

@pytest.mark.skip(reason="later")
def test_later():
    pass
`);
  writeFileSync(join(root, 'test_broken.py'), 'import nothing_of_that_name\n');
  const runner = { argv: ['/usr/bin/python3', '-m', 'pytest', '{spec}', '--junitxml={output}/junit.xml'], junit: '{output}/junit.xml' };
  const tasks = ['test_shop.py', 'test_broken.py'].map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
  const controller = stage.controller([stage.file('map.json', {
    viewports: { desktop: { width: 1280, height: 720 } }, runners: { pytest: runner }, groups: [{ name: 'shop', runner: 'pytest', tasks }],
  })]);
  const worker = stage.worker({ SPEC_ROOT: root });
  await controller.says(/^failed: 2\/2 /m);
  assert.equal(await worker.exit(), 0, worker.output);
  const { attempts: [{ tests }] } = await stage.api(controller, '/tasks/task:shop:0');
  assert.deepEqual(tests.map(({ title, status }) => [title.at(-1), status]), [['test_viewport', 'passed'], ['test_total', 'failed'], ['test_later', 'skipped']]);
  assert.match(tests[1].error.message, /assert \(27\.99 \+ 5\.95\) == 0/);
  const broken = await stage.api(controller, '/tasks/task:shop:1');
  assert.equal(broken.status, 'failed');
  assert.match(JSON.stringify(broken.attempts), /nothing_of_that_name/);
});
