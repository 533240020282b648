// The built-in runners under the real worker, from a spec map that names no runner but Mocha's: the command line that each is
// started with, and what becomes of what its reporter tells. Needs the npm packages of this folder, chromedriver, WebKitGTK's
// driver and Xvfb.

import assert from 'node:assert/strict';
import { cpSync, mkdirSync, readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, Stage, waitFor } from '../e2e/harness.mjs';

const LIMIT_MS = 300_000; // on a busy machine a start of WebdriverIO takes half a minute
const HERE = join(projectRoot, 'tests/runners');

/** A SPEC_ROOT with these packages of ours, and a map of one group. */
async function lay(t, tasks, { packages = ['mocha'], ...group } = {}) {
  const stage = new Stage(t);
  await stage.startRedis();
  mkdirSync(join(stage.specs, 'node_modules'));
  for (const name of packages) symlinkSync(join(HERE, 'node_modules', name), join(stage.specs, 'node_modules', name));
  const map = join(stage.specs, 'map.json');
  writeFileSync(map, JSON.stringify({ groups: [{ name: 'shop', ...group, tasks }] }));
  return { stage, map };
}

function copySpec(stage, from, to) {
  cpSync(join(HERE, 'fixtures/mocha', from), join(stage.specs, to));
}

/** The tasks of the finished run. */
async function run(stage, map, count) {
  const controller = stage.controller([map]);
  const worker = stage.worker();
  await waitFor(() => `the verdict; the worker said:\n${worker.output}`, () => /^(?:passed|failed|error): /m.test(controller.output), LIMIT_MS);
  assert.equal(await worker.exit(), 0, worker.output);
  return Promise.all(Array.from({ length: count }, (_, i) => stage.api(controller, `/tasks/task:shop:${i}`)));
}

const testsOf = (task) => task.attempts[0].tests.map(({ title, status }) => `${title.join(' › ')} ${status}`);

test('a *.cy.* spec is Cypress\'s (the stand-in for it)', async (t) => {
  const viewports = ['mobile'], browsers = ['chrome'];
  const { stage, map } = await lay(t, [{ spec: 'cypress/e2e/cart.cy.cjs', viewports, browsers }, { spec: 'cypress/e2e/till.cy.cjs', viewports, browsers }]);
  mkdirSync(join(stage.specs, 'node_modules/cypress/bin'), { recursive: true });
  cpSync(join(HERE, 'cypress_stand_in.cjs'), join(stage.specs, 'node_modules/cypress/bin/cypress.cjs'));
  writeFileSync(join(stage.specs, 'node_modules/cypress/bin/cypress'), 'require("./cypress.cjs");\n');
  writeFileSync(join(stage.specs, 'node_modules/cypress/package.json'), '{"name":"cypress"}');
  copySpec(stage, 'flaky.test.cjs', 'cypress/e2e/cart.cy.cjs');
  copySpec(stage, 'before_each.test.cjs', 'cypress/e2e/till.cy.cjs');
  const [cart, till] = await run(stage, map, 2);
  assert.equal(cart.status, 'passed', JSON.stringify(cart));
  assert.deepEqual(testsOf(cart), ['stock › passes at once passed', 'stock › passes the second time flaky']);
  assert.equal(till.status, 'failed', JSON.stringify(till));
  assert.deepEqual(testsOf(till), ['with a session › first passed', 'with a session › second failed', 'with a session › third skipped']);
  const [, second] = till.attempts[0].tests;
  assert.deepEqual([second.file, second.line, second.error.message], ['cypress/e2e/till.cy.cjs', 3, '"before each" hook: Error: no session']);
  const { config, reporter, ...rest } = JSON.parse(readFileSync(join(stage.specs, 'cypress/e2e/till.cy.cjs.command.json'), 'utf8'));
  assert.deepEqual(rest, { spec: 'cypress/e2e/till.cy.cjs', browser: 'chrome' });
  assert.match(reporter, /^\/.*\/mocha\.cjs$/);
  assert.deepEqual([config.viewportWidth, config.viewportHeight], [393, 851]);
  assert.match(config.videosFolder, /^\/.*\/artifacts\/videos$/);
  assert.match(config.screenshotsFolder, /^\/.*\/artifacts\/screenshots$/);
});

test('Mocha alone is a runner too', async (t) => {
  const viewports = ['desktop'], browsers = ['chrome'];
  const { stage, map } = await lay(t, ['after_all', 'focused'].map((name) => ({ spec: `${name}.test.cjs`, viewports, browsers })), { runner: 'mocha' });
  copySpec(stage, 'after_all.test.cjs', 'after_all.test.cjs');
  copySpec(stage, 'focused.test.cjs', 'focused.test.cjs');
  const [failed, focused] = await run(stage, map, 2);
  assert.equal(failed.status, 'failed', JSON.stringify(failed));
  assert.deepEqual(testsOf(failed), ['with a database › first passed', 'with a database › last failed']);
  assert.equal(focused.status, 'error', JSON.stringify(focused));
});

const SIZED = `it('has the size of its viewport', async () => {
  await browser.url('data:text/html,<meta name="viewport" content="width=device-width">');
  const found = await browser.execute('return [window.innerWidth, window.innerHeight]');
  if (String(found) !== process.env.FUNKYTOWN_WIDTH + ',' + process.env.FUNKYTOWN_HEIGHT) throw new Error('found ' + found);
});
`;

const OWN_REPORTER = `import { EventEmitter } from 'node:events';
class Own extends EventEmitter {
  isSynchronised: boolean = true;
  constructor() { super(); this.on('test:pass', ({ title }) => console.log('own reporter: ' + title)); }
}
export const config = { runner: 'local', framework: 'mocha', logLevel: 'error', capabilities: [{ browserName: 'opera' }], reporters: [[Own, {}]],
  mochaOpts: { timeout: 60000 }, specFileRetries: 3, specs: ['./nothing/*.js'] };
`;

test('a *.wdio.* spec is WebdriverIO\'s: the project\'s configuration, Chromium and WebKitGTK, the page as large as the viewport', async (t) => {
  const { stage, map } = await lay(t, [{ spec: 'tests/size.wdio.cjs', viewports: ['desktop', 'mobile'], browsers: ['chrome'] },
    { spec: 'tests/size.wdio.cjs', viewports: ['desktop'], browsers: ['webkit', 'netscape'] }], { packages: ['@wdio'] });
  mkdirSync(join(stage.specs, 'tests'));
  writeFileSync(join(stage.specs, 'tests/size.wdio.cjs'), SIZED);
  writeFileSync(join(stage.specs, 'wdio.conf.ts'), OWN_REPORTER);
  const tasks = await run(stage, map, 4);
  for (const task of tasks.slice(0, 3)) {
    assert.equal(task.status, 'passed', JSON.stringify(task));
    assert.deepEqual(testsOf(task), ['has the size of its viewport passed']);
  }
  assert.equal(tasks[3].status, 'error', JSON.stringify(tasks[3]));
  assert.match(tasks[3].attempts[0].reason, /No capability for the browser “netscape” in the WebdriverIO configuration; it has: opera\./);
});
