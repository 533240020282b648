// What a map needs and the worker's machine doesn't have: one line on the terminal that names it, and says how to get it.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from './harness.mjs';

const install = (name, root) => `${name} is not installed in ${root}; run \`npm install --save-dev ${name}\` there`;

// spec: [its group's runner, viewport, what the terminal says].
const ROWS = {
  'a.spec.ts': [undefined, 'desktop', (root) => `runner "playwright": argv[1]: {playwright} has no value here: ${install('@playwright/test', root)}`],
  'a.cy.ts': [undefined, 'desktop', (root) => `runner "cypress": argv[1]: {cypress} has no value here: ${install('cypress', root)}`],
  'a.wdio.ts': [undefined, 'desktop', (root) => `runner "webdriver": argv[1]: {webdriver} has no value here: ${install('@wdio/cli', root)}`],
  'a.py': ['pytest', 'desktop', () => "exit 127: cannot start python3: it is not in the worker's PATH; install it there"],
  'sized.sh': ['sized', 'tablet', () => 'runner "sized": argv[2]: {width} has no value here: the viewport "tablet" has no size; give it a width and a height under "viewports" in the spec map'],
  'gone.sh': ['sized', 'desktop', (root) => `no such spec: gone.sh is not in ${root}`],
};

test('a runner, a size or a spec that is missing is named on the terminal, with what helps', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  for (const spec of Object.keys(ROWS)) if (spec !== 'gone.sh') stage.file(`specs/${spec}`, '');
  const runners = {
    pytest: { argv: ['python3', '-m', 'pytest', '{spec}', '--junitxml={output}/junit.xml'], junit: '{output}/junit.xml' },
    sized: { argv: ['sh', '{spec}', '{width}'] },
  };
  const groups = Object.entries(ROWS).map(([spec, [runner, viewport]]) => ({ name: spec, runner, tasks: [{ spec, viewports: [viewport], browsers: ['chrome'] }] }));
  const controller = stage.controller(['--once', stage.file('map.json', { runners, groups })], { FUNKYTOWN_LOG_LEVEL: 'error' });
  const worker = stage.worker({ PATH: stage.folder });
  assert.equal(await controller.exit(), 3, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  const lines = controller.stdout.split('\n');
  for (const [spec, [, viewport, says]] of Object.entries(ROWS)) {
    const row = lines.find((line) => line.startsWith(`! ${spec} › ${spec} [${viewport} chrome] `));
    assert.equal(row?.replace(/^.*?\] \S+: /, ''), says(stage.specs), controller.stdout);
    assert.ok(lines.includes(`! ${says(stage.specs)}`), controller.stdout);
  }
});
