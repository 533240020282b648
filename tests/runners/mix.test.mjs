// One map that mixes everything: Playwright, WebdriverIO, Cypress (the stand-in for it), pytest and a shell script, in real
// Chromium, Firefox and WebKitGTK. One table, one verdict. Needs the npm packages of this folder and of specs/, the browsers
// of ./run, and Debian's pytest.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, Stage } from '../e2e/harness.mjs';

const LIMIT_MS = 300_000; // on a busy machine a start of WebdriverIO takes half a minute
const HERE = join(projectRoot, 'tests/runners');
const ours = (file) => join(HERE, file);

const PAGE = 'data:text/html,<title>Needle and Thread</title>';
const FILES = {
  'playwright.config.ts': `import { defineConfig } from '@playwright/test';
import { browserNamed } from './browsers.ts';
export default defineConfig({ testMatch: '*.spec.ts', projects: [{ name: 'chromium', use: browserNamed('chrome') }, { name: 'firefox', use: browserNamed('firefox') }] });
`,
  'title.spec.ts': `import { expect, test } from '@playwright/test';
test('has its title', async ({ page, browserName }) => {
  await page.goto('${PAGE}');
  await expect(page).toHaveTitle('Needle and Thread');
  expect(await page.evaluate(() => navigator.userAgent)).toContain(browserName === 'firefox' ? 'Firefox/' : 'Chrome/');
});
`,
  'wdio.conf.mjs': "export const config = { runner: 'local', framework: 'mocha', logLevel: 'error', capabilities: [], mochaOpts: { timeout: 60000 } };\n",
  'title.wdio.mjs': `it('has its title', async () => {
  await browser.url('${PAGE}');
  if (await browser.getTitle() !== 'Needle and Thread') throw new Error('another title');
  if (!(await browser.execute('return navigator.userAgent')).includes('Version/')) throw new Error('another browser');
});
`,
  'test_total.py': 'import os\n\ndef test_total():\n    assert os.environ["FUNKYTOWN_BROWSER"] == "firefox"\n',
  'answers.sh': `printf '<testsuite name="smoke"><testcase name="answers"/></testsuite>' >"$1"\n`,
};

const MAP = {
  runners: {
    pytest: { argv: ['/usr/bin/python3', '-m', 'pytest', '{spec}', '--junitxml={output}/junit.xml'], junit: '{output}/junit.xml' },
    shell: { argv: ['sh', '{spec}', '{output}/junit.xml'], junit: '{output}/junit.xml' },
  },
  exclude: [{ viewport: 'mobile', runner: 'playwright', reason: 'the configuration has no mobile project' }],
  groups: [
    { name: 'titles', tasks: [
      { spec: 'title.spec.ts', viewports: ['desktop', 'mobile'], browsers: ['chrome', 'firefox'] },
      { spec: 'title.wdio.mjs', viewports: ['desktop'], browsers: ['webkit'] },
      { spec: 'cart.cy.cjs', viewports: ['mobile'], browsers: ['electron'] }] },
    { name: 'api', runner: 'pytest', tasks: [{ spec: 'test_total.py', viewports: ['desktop'], browsers: ['chrome', 'firefox'] }] },
    { name: 'smoke', runner: 'shell', tasks: [{ spec: 'answers.sh', viewports: ['desktop'], browsers: ['chrome'] }] },
  ],
};

const WANTED = [
  'title.spec.ts desktop chrome playwright passed', 'title.spec.ts desktop firefox playwright passed',
  'title.wdio.mjs desktop webkit webdriver passed', 'cart.cy.cjs mobile electron cypress passed',
  'test_total.py desktop chrome pytest failed', 'test_total.py desktop firefox pytest passed',
  'answers.sh desktop chrome shell passed',
];

function lay(stage) {
  mkdirSync(join(stage.specs, 'node_modules/cypress/bin'), { recursive: true });
  symlinkSync(join(projectRoot, 'specs/node_modules/@playwright'), join(stage.specs, 'node_modules/@playwright'));
  for (const name of ['@wdio', 'mocha']) symlinkSync(ours(`node_modules/${name}`), join(stage.specs, 'node_modules', name));
  cpSync(ours('cypress_stand_in.cjs'), join(stage.specs, 'node_modules/cypress/bin/cypress'));
  cpSync(ours('fixtures/mocha/passes.test.cjs'), join(stage.specs, 'cart.cy.cjs'));
  cpSync(join(projectRoot, 'specs/browsers.ts'), join(stage.specs, 'browsers.ts'));
  for (const [name, text] of Object.entries(FILES)) writeFileSync(join(stage.specs, name), text);
  return stage.file('specs/map.json', MAP);
}

test('Playwright, WebdriverIO, the stand-in for Cypress, pytest and a shell script are one run: one table, one verdict', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = lay(stage);
  const controller = stage.controller([map]);
  const worker = stage.worker({ FUNKYTOWN_SLOTS: '2' });
  assert.equal(await worker.exit(LIMIT_MS), 0, worker.output);
  await controller.says(/^failed: 7\/7 +✓ 6 passed +✗ 1 failed in .* \(8 tests, 1 failed\)$/m);
  const { tasks } = await stage.api(controller, '/tasks');
  const told = tasks.map(({ key, spec, viewport, browser, runner, status }) => [key, `${spec} ${viewport} ${browser} ${runner} ${status}`]).sort();
  assert.deepEqual(told.map(([, line]) => line).sort(), [...WANTED].sort(), worker.output);
  const { verdict, counts, excluded } = await stage.api(controller, '');
  assert.deepEqual([verdict, counts.passed, counts.failed, counts.error, excluded], ['failed', 6, 1, 0, 2]);

  const dry = stage.controller(['--dry-run', map]);
  assert.equal(await dry.exit(), 0, dry.output);
  const rows = dry.stdout.split('\n\n')[0].split('\n').slice(1).map((row) => row.split(/ {2,}/).slice(1).join(' '));
  assert.deepEqual(rows, WANTED.map((line) => line.replace(/ \w+$/, '')));
});
