// Starts the real Playwright on small specs without a browser, and checks what worker/reporters/playwright.mjs tells.
// Needs the npm packages of specs/. PLAYWRIGHT_MODULES names the node_modules of another Playwright, of any version.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EventFifo } from './event_fifo.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REPORTER = path.resolve(HERE, '../../worker/reporters/playwright.mjs');
const MODULES = process.env.PLAYWRIGHT_MODULES ?? path.resolve(HERE, '../../specs/node_modules');
const [, MINOR] = JSON.parse(readFileSync(path.join(MODULES, '@playwright/test/package.json'), 'utf8')).version.split('.').map(Number);
const BY_ARGUMENT = MINOR >= 63;
const interrupted = (signal) => (MINOR >= 44 ? { code: 130, signal: null } : { code: null, signal });
const VARIABLE = { PW_TEST_REPORTER: REPORTER };

/** A SPEC_ROOT of its own, laid from the fixtures. */
function layRoot(t) {
  assert.ok(existsSync(MODULES), 'run "npm ci" in specs/ first');
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'funkytown-playwright-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(path.join(HERE, 'fixtures/playwright'), root, { recursive: true });
  symlinkSync(MODULES, path.join(root, 'node_modules'));
  return root;
}

/** This file and no other. */
const argumentFor = (root, spec) => `/^${path.join(root, spec).replace(/[.*+?^${}()|[\]\\/]/g, '\\$&')}$/`;

function start(root, specs, { config, project = 'desktop-chrome', env = {}, flags = [], options = BY_ARGUMENT ? [`--add-reporter=${REPORTER}`] : [] } = {}) {
  const child = spawn(process.execPath, [
    path.join(root, 'node_modules/@playwright/test/cli.js'), 'test', `--project=${project}`, '--workers=1',
    `--output=${path.join(root, 'output')}`, ...(config ? [`--config=${config}`] : []), ...flags, ...options,
    ...specs.map((spec) => argumentFor(root, spec)),
  ], { cwd: root, env: { ...process.env, FORCE_COLOR: '1', PWTEST_CACHE_DIR: path.join(root, 'cache'), ...(BY_ARGUMENT ? {} : VARIABLE), ...env }, stdio: ['ignore', 'pipe', 'pipe'], detached: true });
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output.text += text; });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const printed = (words) => new Promise((resolve, reject) => {
    const look = () => output.text.includes(words) && resolve();
    child.stdout.on('data', look);
    child.on('close', () => reject(new Error(`ended without printing "${words}":\n${output.text}`)));
    look();
  });
  return { child, ended, output, printed };
}

/** Runs specs to the end: { events, code, output }. */
async function run(t, specs, options = {}) {
  const root = layRoot(t);
  const fifo = new EventFifo(path.join(root, 'events'));
  const runner = start(root, specs, { ...options, env: { FUNKYTOWN_EVENTS: fifo.file, ...options.env } });
  const { code } = await runner.ended;
  return { root, code, events: await fifo.events(), output: runner.output.text };
}

const of = (events, spec) => events.filter((event) => event.spec === spec);
const tests = (events) => events.filter((event) => event.event === 'test');
const titled = (events, title) => tests(events).find((event) => event.title.at(-1) === title);
const conclusions = (events) => events.filter((event) => event.event !== 'test');

describe('playwright reporter', { concurrency: 2 }, () => {
  test('many specs in one start', async (t) => {
    const specs = ['passes', 'fails', 'skips', 'only_skips', 'skips_by_describe', 'skips_by_before_all', 'skips_by_before_each', 'skips_by_condition', 'expected_failures', 'times_out', 'before_all', 'after_all', 'big_errors', 'deep_titles', 'exits',
      'kills_itself', 'no_browser', 'not_installed'].map((name) => `${name}.spec.mjs`);
    const { root, code, events } = await run(t, specs, { env: { PLAYWRIGHT_BROWSERS_PATH: '/nowhere' } });
    assert.equal(code, 1);

    await t.test('each spec has one conclusion, after its last test and before the next spec', () => {
      assert.deepEqual(conclusions(events).map((event) => event.spec).sort(), [...specs].sort());
      for (const spec of specs) {
        const all = of(events, spec);
        assert.notEqual(all.at(-1).event, 'test', spec);
        const first = events.indexOf(all[0]);
        assert.deepEqual(events.slice(first, first + all.length), all, spec);
      }
    });

    await t.test('a pass', () => {
      const [adds, attaches, spec] = of(events, 'passes.spec.mjs');
      assert.deepEqual({ ...adds, duration_ms: typeof adds.duration_ms }, {
        event: 'test', spec: 'passes.spec.mjs', title: ['cart', 'when empty', 'adds'], status: 'passed', duration_ms: 'number', file: 'passes.spec.mjs', line: 5, column: adds.column,
      });
      assert.ok(adds.column > 0);
      assert.deepEqual(attaches.attachments.map(({ name, type }) => [name, type]), [['numbers', 'application/json']]);
      assert.ok(attaches.attachments[0].path.startsWith(path.join(root, 'output')));
      assert.equal(spec.event, 'spec');
      assert.equal(spec.status, 'passed');
      assert.ok(Number.isInteger(spec.duration_ms) && spec.duration_ms >= 0);
    });

    await t.test('a failure has message, stack, snippet and place, without colours', () => {
      const compares = titled(events, 'compares');
      assert.equal(compares.status, 'failed');
      assert.equal(compares.file, 'fails.spec.mjs');
      assert.deepEqual([compares.line, compares.column], [7, 21]);
      assert.deepEqual([compares.error.expected, compares.error.received], ['"tomato"', '"mustard"']);
      assert.deepEqual(compares.steps.filter(({ failed }) => failed).map(({ title }) => title), [compares.steps.find(({ title }) => /toBe/.test(title))?.title]);
      assert.ok(compares.steps.every(({ title, duration_ms: ms }) => title && Number.isInteger(ms)), JSON.stringify(compares.steps));
      assert.match(compares.error.message, /^Error: expect\(received\)\.toBe\(expected\)[^]*Expected: "tomato"\nReceived: "mustard"$/);
      assert.match(compares.error.stack, /^\s+at .*fails\.spec\.mjs:7:/);
      assert.match(compares.error.snippet, /> +7 \|   expect\('mustard'\)\.toBe\('tomato'\);/);
      assert.ok(!JSON.stringify(events).includes('\\u001b'));
      assert.equal(of(events, 'fails.spec.mjs').at(-1).status, 'failed');
    });

    await t.test('the failing place may be in another file', () => {
      const elsewhere = titled(events, 'compares elsewhere');
      assert.equal(elsewhere.spec, 'fails.spec.mjs');
      assert.equal(elsewhere.file, 'helper.mjs');
      assert.equal(elsewhere.line, 4);
    });

    await t.test('soft failures are all told', () => {
      const { error, line } = titled(events, 'is soft');
      assert.match(error.message, /first[^]*second/);
      assert.equal(line, 15);
    });

    await t.test('what is thrown need not be an error', () => {
      const { error, line } = titled(events, 'throws a string');
      assert.match(error.message, /only words/);
      assert.equal(line, 19);
    });

    await t.test('skipped tests are told, and the spec passes when another ran', () => {
      const all = of(events, 'skips.spec.mjs');
      assert.deepEqual(tests(all).map((event) => [event.title[0], event.status]), [
        ['is skipped', 'skipped'], ['is to be fixed', 'skipped'], ['skips itself', 'skipped'], ['runs', 'passed']]);
      assert.deepEqual(tests(all).map((event) => event.annotations), [[{ type: 'skip' }], [{ type: 'fixme' }], [{ type: 'skip', description: 'not today' }], undefined]);
      assert.equal(all.at(-1).status, 'passed');
    });

    await t.test('a spec whose tests all skip themselves is skipped', () => {
      const all = of(events, 'only_skips.spec.mjs');
      assert.deepEqual(tests(all).map((event) => event.status), ['skipped', 'skipped']);
      assert.deepEqual([all.at(-1).event, all.at(-1).status], ['spec', 'skipped']);
      const ways = ['describe', 'before_each', 'condition', ...(MINOR >= 44 ? ['before_all'] : [])]; // before, that skipped the first test alone
      for (const how of ways) assert.equal(of(events, `skips_by_${how}.spec.mjs`).at(-1).status, 'skipped', how);
    });

    await t.test('test.fail turns failures and passes round', () => {
      assert.equal(titled(events, 'fails as expected').status, 'passed');
      const passes = titled(events, 'passes against expectation');
      assert.equal(passes.status, 'failed');
      assert.equal(passes.error.message, 'Expected to fail, but passed.');
      assert.equal(passes.line, 7);
    });

    await t.test('a time limit is a failure, and later tests still run', () => {
      const [waits, goesOn, spec] = of(events, 'times_out.spec.mjs');
      assert.equal(waits.status, 'failed');
      assert.match(waits.error.message, /^Test timeout of 200ms exceeded\./);
      assert.equal(waits.file, 'times_out.spec.mjs');
      assert.equal(goesOn.status, 'passed');
      assert.equal(spec.status, 'failed');
    });

    await t.test('a failing beforeAll fails the first test and skips the others', () => {
      const [first, second, spec] = of(events, 'before_all.spec.mjs');
      assert.equal(first.status, 'failed');
      assert.match(first.error.message, /no database/);
      assert.equal(first.line, 4);
      assert.equal(second.status, 'skipped');
      assert.equal(spec.status, 'failed');
    });

    await t.test('a failing afterAll fails the last test', () => {
      const all = of(events, 'after_all.spec.mjs');
      assert.deepEqual(tests(all).map((event) => event.status), ['passed', 'failed']);
      assert.match(all[1].error.message, /cannot clean up/);
      assert.equal(all.at(-1).status, 'failed');
    });

    await t.test('huge errors are cut, cleaned and still whole lines', () => {
      const all = tests(of(events, 'big_errors.spec.mjs'));
      assert.equal(all.length, 5);
      for (const { error } of all) {
        assert.ok(Buffer.byteLength(error.message) <= 16 * 1024);
        assert.ok(Buffer.byteLength(error.stack) <= 16 * 1024);
        assert.match(error.message, /begin \uFFFD é🎵/u);
        assert.match(error.message, /… \d+ bytes left out …[^]* end$/);
        assert.ok(!/[\u0000-\u0008\u000b-\u001f]/.test(error.message));
        assert.ok(!error.message.slice(20).includes('\uFFFD'), 'no character is cut in two');
      }
    });

    await t.test('titles without end leave the line whole', () => {
      const [{ title, error }] = tests(of(events, 'deep_titles.spec.mjs'));
      assert.deepEqual(title, ['deep']);
      assert.match(error.message, /^Error: "+/);
    });

    await t.test('a test that ends its process has failed', () => {
      const [exits, spec] = of(events, 'exits.spec.mjs');
      assert.equal(exits.status, 'failed');
      assert.match(exits.error.message, /worker process exited unexpectedly \(code=3/);
      assert.equal(spec.status, 'failed');
    });

    await t.test('a killed process is no verdict', () => {
      const conclusion = of(events, 'kills_itself.spec.mjs').at(-1);
      assert.equal(conclusion.event, 'error');
      assert.match(conclusion.error.message, /signal=SIGKILL/);
    });

    await t.test('a browser that cannot be started is no verdict', () => {
      const conclusion = of(events, 'no_browser.spec.mjs').at(-1);
      assert.equal(conclusion.event, 'error');
      assert.match(conclusion.error.message, /browserType\.launch: [^]*\/nowhere\/chrome/);
    });

    await t.test('a browser that is not installed: one line, with what installs it', () => {
      const conclusion = of(events, 'not_installed.spec.mjs').at(-1);
      assert.equal(conclusion.event, 'error');
      assert.match(conclusion.error.message, /^(?:Error: )?browserType\.launch: Executable doesn't exist at \/nowhere\/webkit.*[^.]\. Looks like Playwright .*installed or updated: run `npx playwright install`$/);
    });
  });

  test('one file with a syntax error stops all, and is named', async (t) => {
    const { events, code } = await run(t, ['passes.spec.mjs', 'broken.spec.mjs', 'skips.spec.mjs']);
    assert.equal(code, 1);
    assert.equal(events.length, 1);
    const [{ event, spec, file, line, error }] = events;
    assert.deepEqual({ event, spec, file, line }, { event: 'error', spec: 'broken.spec.mjs', file: 'broken.spec.mjs', line: 4 });
    assert.match(error.message, /^SyntaxError: /);
    assert.match(error.snippet, /> +4 \|   const x = ;/);
  });

  test('a file without tests', async (t) => {
    const { events, code } = await run(t, ['empty.spec.mjs']);
    assert.equal(code, 1);
    assert.deepEqual(events.map(({ event, spec }) => [event, spec]), [['error', undefined]]);
    assert.match(events[0].error.message, /^No tests found: /);
  });

  test('a file without tests among others: nothing is said of it', async (t) => {
    const { events, code } = await run(t, ['empty.spec.mjs', 'passes.spec.mjs']);
    assert.equal(code, 0);
    assert.deepEqual(conclusions(events).map(({ event, spec }) => [event, spec]), [['spec', 'passes.spec.mjs']]);
  });

  test('the file argument means one file, not its like', async (t) => {
    const root = layRoot(t);
    cpSync(path.join(root, 'passes.spec.mjs'), path.join(root, 'more/passes.spec.mjs'));
    cpSync(path.join(root, 'passes.spec.mjs'), path.join(root, 'passesXspec.mjs.spec.mjs'));
    cpSync(path.join(root, 'passes.spec.mjs'), path.join(root, 'PASSES.spec.mjs'));
    cpSync(path.join(root, 'passes.spec.mjs'), path.join(root, 'more/a (b) [c] $d+1:2.spec.mjs'));
    const fifo = new EventFifo(path.join(root, 'events'));
    const { code } = await start(root, ['passes.spec.mjs', 'more/a (b) [c] $d+1:2.spec.mjs'], { env: { FUNKYTOWN_EVENTS: fifo.file } }).ended;
    assert.equal(code, 0);
    assert.deepEqual(conclusions(await fifo.events()).map((event) => event.spec).sort(), ['more/a (b) [c] $d+1:2.spec.mjs', 'passes.spec.mjs']);
  });

  test('Playwright\'s own retries make one event a test, when it is final', async (t) => {
    const { events } = await run(t, ['fails_twice.spec.mjs', 'flaky.spec.mjs'], { config: 'retries.config.mjs' });
    const flaky = of(events, 'flaky.spec.mjs');
    assert.deepEqual(tests(flaky).map((event) => [event.title.at(-1), event.status]), [
      ['passes at once', 'passed'], ['passes the second time', 'flaky'], ['one', 'passed'], ['two', 'flaky'], ['three', 'passed']]);
    assert.match(titled(flaky, 'passes the second time').error.message, /first time/);
    assert.deepEqual(['passes at once', 'passes the second time'].map((title) => titled(flaky, title).retry), [undefined, 1]);
    assert.equal(flaky.at(-1).status, 'passed');
    assert.deepEqual(of(events, 'fails_twice.spec.mjs').map((event) => event.status), ['failed', 'failed']);
  });

  test('a worker-wide fixture that fails at its end', async (t) => {
    const { events, code } = await run(t, ['passes.spec.mjs', 'teardown.spec.mjs']);
    assert.equal(code, 1);
    assert.equal(of(events, 'passes.spec.mjs').at(-1).status, 'passed');
    const [test, conclusion] = of(events, 'teardown.spec.mjs');
    assert.equal(test.status, 'passed');
    assert.equal(conclusion.event, 'error');
    assert.match(conclusion.error.message, /the database does not close/);
  });

  for (const [how, options] of [['on the command line', { flags: ['--forbid-only'] }], ['in the configuration', { config: 'forbids.config.mjs' }]]) {
    test(`a focused test that is forbidden ${how}: its place, and nothing is run`, async (t) => {
      const { events, code } = await run(t, ['focused.spec.mjs', 'passes.spec.mjs'], options);
      assert.equal(code, 1);
      assert.deepEqual(events.map(({ event, spec, file, line }) => ({ event, spec, file, line })), [
        { event: 'error', spec: 'focused.spec.mjs', file: 'focused.spec.mjs', line: 5 }]);
      assert.match(events[0].error.message, /^focused\.spec\.mjs:5: "focused\.spec\.mjs cart adds" is focused with \.only, which leaves out the other tests \(forbidden by the '(--forbid-only' CLI flag|forbidOnly' option in 'forbids\.config\.mjs')\)\.$/);
    });
  }

  test('a failing global set-up', async (t) => {
    const { events } = await run(t, ['passes.spec.mjs'], { config: 'setup_fails.config.mjs' });
    assert.equal(events.length, 1);
    assert.equal(events[0].event, 'error');
    assert.match(events[0].error.message, /the shop does not open/);
    assert.deepEqual([events[0].file, events[0].line], ['broken_setup.mjs', 2]);
  });

  test('a project that others depend on fails', async (t) => {
    const { events } = await run(t, ['passes.spec.mjs'], { config: 'dependency.config.mjs' });
    const [conclusion] = conclusions(of(events, 'passes.spec.mjs'));
    assert.equal(conclusion.event, 'error');
    assert.match(conclusion.error.message, /^No test ran: “signs in” in sign_in\.setup\.mjs failed before\. Error: wrong password$/);
  });

  test('an unknown project: Playwright ends before it loads reporters, or an older one after; no spec is to blame', async (t) => {
    const { events, code, output } = await run(t, ['passes.spec.mjs'], { project: 'desktop-mosaic' });
    assert.equal(code, 1);
    assert.deepEqual(events.map(({ event, spec }) => [event, spec]), events.length > 0 ? [['error', undefined]] : []);
    assert.match(events[0]?.error.message ?? output, /"desktop-mosaic" not found/);
  });

  for (const signal of ['SIGINT', 'SIGTERM']) {
    test(`${signal} ends the run in good order and is no verdict`, async (t) => {
      const root = layRoot(t);
      const fifo = new EventFifo(path.join(root, 'events'));
      const runner = start(root, ['hangs.spec.mjs'], { env: { FUNKYTOWN_EVENTS: fifo.file } });
      await runner.printed('now hanging');
      process.kill(-runner.child.pid, signal); // as the worker does: the whole group
      assert.deepEqual(await runner.ended, interrupted(signal));
      const events = await fifo.events();
      assert.deepEqual(tests(events).map((event) => [event.title[0], event.status]), [['ends', 'passed']]);
      assert.equal(events.at(-1).event, 'error');
      assert.equal(events.at(-1).error.message, 'Interrupted in “hangs”.');
      assert.deepEqual([events.at(-1).file, events.at(-1).line], ['hangs.spec.mjs', 5]);
    });
  }

  test('without a reader the run goes on undisturbed', async (t) => {
    const root = layRoot(t);
    const fifo = new EventFifo(path.join(root, 'events'));
    fifo.abandon();
    const { code } = await start(root, ['passes.spec.mjs'], { env: { FUNKYTOWN_EVENTS: fifo.file } }).ended;
    assert.equal(code, 0);
  });

  test('a reader that goes away does not fail the run', async (t) => {
    const root = layRoot(t);
    const fifo = new EventFifo(path.join(root, 'events'));
    const runner = start(root, ['hangs.spec.mjs'], { env: { FUNKYTOWN_EVENTS: fifo.file } });
    await runner.printed('now hanging');
    fifo.abandon();
    process.kill(-runner.child.pid, 'SIGTERM');
    assert.deepEqual(await runner.ended, interrupted('SIGTERM'));
  });

  test('the way of older versions', async (t) => {
    const { events } = await run(t, ['passes.spec.mjs'], { env: VARIABLE, options: [] });
    assert.equal(events.length, 3);
  });

  if (BY_ARGUMENT)
    test('loaded twice, it speaks once', async (t) => {
      const { events } = await run(t, ['passes.spec.mjs'], { env: VARIABLE });
      assert.equal(events.length, 3);
    });
});
