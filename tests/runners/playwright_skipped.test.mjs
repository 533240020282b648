// Specs whose tests skip themselves, in real Playwright under the real daemons. Nothing of it needs a browser.

import assert from 'node:assert/strict';
import { cpSync, symlinkSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { Stage, projectRoot } from '../e2e/harness.mjs';

const FIXTURES = path.join(path.dirname(fileURLToPath(import.meta.url)), 'fixtures/playwright');
const LIMIT_MS = 150_000; // so many starts of Playwright, on a machine that has other things to do

/** Runs these specs to the end: { status, said, tasks }. */
async function run(t, specs) {
  const stage = new Stage(t);
  await stage.startRedis();
  for (const file of [...specs, 'playwright.config.mjs']) cpSync(path.join(FIXTURES, file), path.join(stage.specs, file));
  symlinkSync(path.join(projectRoot, 'specs/node_modules'), path.join(stage.specs, 'node_modules'));
  const tasks = specs.map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
  const controller = stage.controller(['--once', stage.file('map.json', { groups: [{ name: 'g', tasks }] })]);
  stage.worker();
  const status = await controller.exit(LIMIT_MS);
  const hashes = await Promise.all(specs.map((_, i) => stage.hash(`task:g:${i}`)));
  return { status, said: controller.stdout, tasks: hashes.map(({ result, reason }) => [result, reason]) };
}

test('all tests skip: skipped; one passes beside them: passed; none is there: an error', async (t) => {
  const { status, said, tasks } = await run(t, ['only_skips.spec.mjs', 'skips.spec.mjs', 'empty.spec.mjs']);
  assert.equal(status, 3, said);
  assert.match(said, /^error: 3\/3 .*1 passed .*1 error .*1 skipped/m);
  assert.deepEqual(tasks.slice(0, 2), [['skipped', 'all 2 tests are skipped'], ['passed', '']]);
  assert.equal(tasks[2][0], 'error');
  assert.match(tasks[2][1], /^No tests found/);
});

test('a run in which everything skips itself is not green: exit 5', async (t) => {
  const { status, said, tasks } = await run(t, ['only_skips.spec.mjs', 'skips_by_condition.spec.mjs']);
  assert.equal(status, 5, said);
  assert.match(said, /^skipped: 2\/2 /m);
  assert.match(said, /^every task was skipped/m);
  assert.deepEqual(tasks, [['skipped', 'all 2 tests are skipped'], ['skipped', 'all 2 tests are skipped']]);
});
