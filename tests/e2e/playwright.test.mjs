// Real Playwright and a real Chromium under the real daemons: what a failing spec looks like, and a browser that does
// not start. The page's side of it is in tests/browser/controller.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from './harness.mjs';
import { layPlaywrightSpecs } from './playwright_specs.mjs';

test('a failing spec: name, message, file and line in the terminal and in the API; a browser that does not start is no verdict', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = layPlaywrightSpecs(stage);
  const controller = stage.controller([map], { FUNKYTOWN_RUN_ID: 'playwright' });
  const worker = stage.worker();
  await controller.says(/^failed: .*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);

  assert.match(controller.stdout, /✗ shop › tests\/basket\.spec\.mjs \[desktop chrome\]/);
  assert.match(controller.stdout, /basket › counts what is in it/);
  assert.match(controller.stdout, /expect\(received\)\.toBe\(expected\)/);
  assert.match(controller.stdout, /at tests\/basket\.spec\.mjs:11/);
  assert.match(controller.stdout, /! shop › tests\/greeting\.spec\.mjs \[desktop firefox\]/);
  assert.match(controller.stdout, /Failed to launch the browser process/);
  assert.match(controller.stdout, /^failed: 3\/3 .*1 passed .*1 failed .*1 error/m);

  const summary = await stage.api(controller, '');
  assert.equal(summary.verdict, 'failed');
  assert.deepEqual([summary.counts.passed, summary.counts.failed, summary.counts.error], [1, 1, 1]);
  const failed = await stage.api(controller, '/tasks/task:shop:2');
  const [good, bad] = failed.attempts[0].tests;
  assert.equal(good.status, 'passed');
  assert.deepEqual([bad.title, bad.status, bad.file, bad.line], [['basket', 'counts what is in it'], 'failed', 'tests/basket.spec.mjs', 11]);
  assert.match(bad.error.message, /Expected: "3 items"\nReceived: "2 items"/);
  assert.match(bad.error.snippet, /toBe\('3 items'\)/);
  const unlaunched = await stage.api(controller, '/tasks/task:shop:1');
  assert.equal(unlaunched.status, 'error');
  assert.match(unlaunched.attempts[0].reason, /browserType\.launch: Failed to launch the browser process/);

  controller.kill();
  assert.equal(await controller.exit(), 143);
  const again = stage.controller(['--once', map], { FUNKYTOWN_RUN_ID: 'playwright' });
  assert.equal(await again.exit(), 1, again.output);
});

const FOCUSED = `import { test } from '@playwright/test';

test('fails', () => { throw new Error('left out'); });
test.describe('outer', () => {
  test.describe.FOCUS('inner', () => {
    test('passes', () => {});
  });
});
`;

test('a focused test or describe is an error that names the line, whatever the configuration says; the map may allow it', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  layPlaywrightSpecs(stage);
  const specs = {
    'tests/describe.spec.mjs': [FOCUSED.replace('FOCUS', 'only'), 5],
    'tests/serial.spec.mjs': [FOCUSED.replace('FOCUS', 'serial.only'), 5],
    'tests/test.spec.mjs': [FOCUSED.replace('describe.FOCUS', 'describe').replace("test('passes'", "test.only('passes'"), 6],
  };
  for (const [spec, [text]] of Object.entries(specs)) stage.file(`specs/${spec}`, text);
  stage.file('specs/playwright.config.mjs', "export default { testDir: 'tests', forbidOnly: false, projects: [{ name: 'desktop-chrome' }] };\n");
  const tasks = Object.keys(specs).map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
  const controller = stage.controller([stage.file('map.json', { groups: [{ name: 'g', tasks }] })]);
  const worker = stage.worker();
  await controller.says(/^error: .*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);
  for (const [i, [spec, [, line]]] of Object.entries(specs).entries()) {
    const task = await stage.api(controller, `/tasks/task:g:${i}`);
    assert.equal(task.status, 'error', spec);
    assert.match(task.attempts[0].reason, new RegExp(`^${spec}:${line}: "\\S+ outer inner( passes)?" is focused with \\.only, which leaves out the other tests .*--forbid-only`));
  }
  assert.match(controller.stdout, /at tests\/test\.spec\.mjs:6/);
  controller.kill();
  assert.equal(await controller.exit(), 143);

  const argv = ['node', '{playwright}', 'test', '--project={project}', '--workers=1', '--output={output}', '--add-reporter={reporter}', '{spec_regex}'];
  const allowed = stage.controller(['--once', stage.file('map.json', { runners: { playwright: { argv } }, groups: [{ name: 'g', tasks: tasks.slice(0, 1) }] })]);
  stage.worker();
  assert.equal(await allowed.exit(), 0, allowed.output);
});
