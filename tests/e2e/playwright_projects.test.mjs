// Configurations whose projects are not called {viewport}-{browser}, under the real daemons and the real Playwright: which
// project a task is run in, and what is said when none fits. No browser is started.

import assert from 'node:assert/strict';
import { symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, Stage } from './harness.mjs';

const PASSES = "import { test } from '@playwright/test';\ntest('runs', () => {});\n";
const TELLS = "import { test } from '@playwright/test';\ntest('tells', ({}, info) => { throw new Error('ran in ' + info.project.name); });\n";
const SIGNS_IN = "import { test } from '@playwright/test';\ntest('signs in', () => {});\n";
const STOCK = `projects: [
  { name: 'setup', testMatch: /.*\\.setup\\.mjs/ },
  { name: 'chromium', use: { ...devices['Desktop Chrome'] }, dependencies: ['setup'] },
  { name: 'firefox', use: { ...devices['Desktop Firefox'] } },
  { name: 'Mobile Safari', use: { ...devices['iPhone 12'] } },
]`;

async function lay(t, config, files = {}) {
  const stage = new Stage(t);
  await stage.startRedis();
  symlinkSync(join(projectRoot, 'specs/node_modules'), join(stage.specs, 'node_modules'));
  stage.file('specs/playwright.config.mjs', `import { devices } from '@playwright/test';\nexport default { reporter: 'null', ${config} };\n`);
  for (const [name, text] of Object.entries({ 'a.spec.mjs': PASSES, ...files })) stage.file(`specs/${name}`, text);
  return stage;
}

async function run(stage, viewports, browsers, more = {}) {
  const map = { exclude: [], groups: [{ name: 'g', tasks: [{ spec: 'a.spec.mjs', viewports, browsers }] }], ...more };
  const controller = stage.controller([stage.file('map.json', map)]);
  const worker = stage.worker();
  await controller.says(/^(passed|failed|error): .*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);
  const tasks = [];
  for (let i = 0; i < viewports.length * browsers.length; i++) tasks.push(await stage.api(controller, `/tasks/task:g:${i}`));
  return { tasks, asked: (worker.output.match(/event=projects\.listed/g) ?? []).length };
}

const ranIn = (task) => /^Error: ran in (.*)/.exec(task.attempts[0].tests.find((each) => each.status === 'failed')?.error.message)?.[1];

test('stock names: matched by name and device, asked once; what nothing fits names the projects', async (t) => {
  const stage = await lay(t, STOCK, { 'a.spec.mjs': TELLS, 'sign.setup.mjs': SIGNS_IN });
  const { tasks, asked } = await run(stage, ['desktop', 'mobile'], ['chrome', 'webkit']);
  const [desktopChrome, desktopWebkit, mobileChrome, mobileWebkit] = tasks;
  assert.equal(ranIn(desktopChrome), 'chromium', desktopChrome.attempts[0].reason);
  assert.equal(ranIn(mobileWebkit), 'Mobile Safari', mobileWebkit.attempts[0].reason);
  for (const [task, what] of [[desktopWebkit, 'desktop-webkit'], [mobileChrome, 'mobile-chrome']]) {
    assert.equal(task.status, 'error');
    assert.equal(task.attempts[0].reason, `no project fits ${what}: the runner's configuration has "setup", "chromium", "firefox", "Mobile Safari"; say which under "projects" in the spec map`);
  }
  assert.equal(asked, 1);
});

test('the map names the project, and a set-up that others depend on is no test of the spec', async (t) => {
  const stage = await lay(t, STOCK, { 'sign.setup.mjs': SIGNS_IN });
  const { tasks: [task], asked } = await run(stage, ['desktop'], ['chrome'], { projects: { 'desktop-chrome': 'chromium' } });
  assert.equal(task.status, 'passed', task.attempts[0].reason);
  assert.equal(asked, 0);
});

test('a set-up that fails is one clear message', async (t) => {
  const stage = await lay(t, STOCK, { 'sign.setup.mjs': SIGNS_IN.replace('{}', "{ throw new Error('wrong password'); }") });
  const { tasks: [task] } = await run(stage, ['desktop'], ['chrome'], { projects: { 'desktop-chrome': 'chromium' } });
  assert.equal(task.status, 'error');
  assert.match(task.attempts[0].reason, /^No test ran: “signs in” in sign\.setup\.mjs failed before\. Error: wrong password$/);
});

test('without projects none is asked for, and another browser than the configuration has is no pass', async (t) => {
  const stage = await lay(t, '');
  const { tasks: [chrome, firefox], asked } = await run(stage, ['desktop'], ['chrome', 'firefox']);
  assert.equal(chrome.status, 'passed', chrome.attempts[0].reason);
  assert.equal(firefox.status, 'error');
  assert.match(firefox.attempts[0].reason, /^no project fits desktop-firefox: the runner's configuration has no projects, and is for chromium;/);
  assert.equal(asked, 1);
});

test('a configuration that does not load: its error, and what was asked in vain is not asked again', async (t) => {
  const stage = await lay(t, "...(() => { throw new Error('no config today'); })()");
  const { tasks, asked } = await run(stage, ['desktop'], ['chrome', 'firefox']);
  for (const task of tasks) assert.match(task.attempts[0].reason, /exit 1 and no test was run: Error: no config today$/);
  assert.equal(asked, 1);
});
