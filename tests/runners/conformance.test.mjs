// The same behaviours for every reporter, real tool by real tool: each row is a spec, and what must be told of it whoever
// runs it. All tools run the same files (fixtures/mocha; Playwright by mocha_words.cjs). What is a tool's own stands in its
// `but`, and what it has nothing like in its `lacks`, with the reason.
//
// A start takes seconds, so a tool may be given many rows in one: Playwright as many files, WebdriverIO as one file that
// requires the others. What ends a whole start has one of its own. With CONFORMANCE=full WebdriverIO gets every row once
// more, in a start of its own; RUNNER_MODULES and PLAYWRIGHT_MODULES are other folders of npm packages, for other versions.
// Of Playwright the oldest that is supported is always there too, under a name of its own (npm's aliases).
// Needs the npm packages of this folder and of specs/, and chromedriver.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EventFifo } from './event_fifo.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REPORTERS = path.resolve(HERE, '../../worker/reporters');
const MODULES = path.resolve(process.env.RUNNER_MODULES ?? path.join(HERE, 'node_modules'));
const PLAYWRIGHT = path.resolve(process.env.PLAYWRIGHT_MODULES ?? path.join(HERE, '../../specs/node_modules'), '@playwright/test');
const OLDEST_PLAYWRIGHT = path.join(HERE, 'node_modules/playwright-1.40');
const IS_FULL = process.env.CONFORMANCE === 'full';

function versionOf(folder) {
  const file = path.join(folder, 'package.json');
  return existsSync(file) ? JSON.parse(readFileSync(file, 'utf8')).version : '0.0.0';
}
const IS_WDIO_8 = versionOf(path.join(MODULES, '@wdio/cli')).startsWith('8.');

// Tests as "title status", in any order; how the spec ends; words of its messages; where the first failure is; what it
// compared; how often a test was tried before; its tags.
const ROWS = {
  'a pass, and nested titles': { spec: 'passes', tests: ['cart › when empty › adds passed', 'cart › keeps passed'], end: 'passed' },
  'a failure': {
    spec: 'fails', tests: ['compares failed', 'throws a string failed', 'goes on passed'], end: 'failed', says: [/'mustard' == 'tomato'/, /only words/], at: 4,
    compared: ['tomato', 'mustard'],
  },
  'soft failures': { spec: 'soft', tests: ['goes on after what is soft failed', 'goes on passed'], end: 'failed', says: [/Received: +1[^]*Received: +3/] },
  'skipped tests': { spec: 'skips', tests: ['is skipped skipped', 'skips itself skipped', 'is to be written skipped', 'runs passed'], end: 'passed' },
  'a file of skipped tests alone': { spec: 'only_skips', tests: ['one skipped', 'two skipped'], end: 'skipped' },
  'a retry that passes': {
    spec: 'flaky', tests: ['stock › passes at once passed', 'stock › passes the second time flaky'], end: 'passed', says: [/first time/], at: 8, retry: 1,
  },
  'a retry that fails again': { spec: 'fails_twice', tests: ['fails each time failed'], end: 'failed', says: [/again/], at: 3, retry: 1 },
  'a failing "before all" hook': {
    spec: 'before_all', tests: ['with a database › first failed', 'with a database › inner › second skipped', 'on its own passed'], end: 'failed',
    says: [/^"before all" hook: Error: no database$/], at: 2,
  },
  'a failing "before each" hook': {
    spec: 'before_each', tests: ['with a session › first passed', 'with a session › second failed', 'with a session › third skipped'], end: 'failed',
    says: [/^"before each" hook: Error: no session$/], at: 3,
  },
  'a failing "after each" hook': {
    spec: 'after_each', tests: ['with a session › first failed', 'with a session › second skipped'], end: 'failed',
    says: [/^"after each" hook: Error: cannot sign out$/], at: 2,
  },
  'a failing "after all" hook': {
    spec: 'after_all', tests: ['with a database › first passed', 'with a database › last failed'], end: 'failed',
    says: [/^"after all" hook: Error: cannot clean up$/], at: 2,
  },
  'a hook of the whole file that fails when all is over': {
    spec: 'root_after_all', tests: ['cart › adds passed', 'till › pays passed', '"after all" hook failed'], end: 'failed', says: [/cannot close/], at: 1,
  },
  'a file that does not load': { spec: 'broken', tests: [], end: 'error', says: [/SyntaxError/] },
  'a file without tests': { spec: 'empty', tests: [], end: 'error', says: [/^No tests found/] },
  'a focused test, which is forbidden': { spec: 'focused', tests: [], end: 'error', says: [/\.only/] },
  'a time limit': { spec: 'times_out', tests: ['waits failed', 'goes on passed'], end: 'failed', says: [/100 ?ms/] },
  'a test that ends its process': {
    spec: 'exits', tests: ['ends passed'], end: 'error', says: [/^The runner's process ended \(exit 0\) in “leaves”\.$/],
  },
  'a process that is killed': { spec: 'kills_itself', tests: ['ends passed'], end: undefined },
  'an exception from nowhere': { spec: 'late', tests: ['gets an exception from a timer failed', 'goes on passed'], end: 'failed', says: [/too late/], at: 2 },
  'a promise that nobody waits for is what the tool takes it for': { spec: 'rejects', tests: ['leaves a promise behind passed'], end: 'passed' },
  'errors and output without end': {
    spec: 'big_errors', tests: [...['long', 'coloured', 'controls', 'halves'].map((kind) => `throws much, ${kind} failed`), 'prints much passed'], end: 'failed',
    says: Array(4).fill(/begin [^]*… \d+ bytes left out …[^]* end$/),
  },
  'names in any script, and twice': {
    spec: 'names', tests: ['наші 店 🎵 › “é” and\ttabs passed', 'наші 店 🎵 › the same passed', 'наші 店 🎵 › the same failed'], end: 'failed', says: [/only the second/], at: 4,
  },
  'tags in titles': { spec: 'tags', tests: ['the till @money › adds up @smoke @money passed'], end: 'passed', tags: ['@money', '@smoke'] },
};
const ENDS_ALL = ['a file that does not load', 'a file without tests', 'a focused test, which is forbidden'];
const fileOf = (name) => `${ROWS[name].spec}.test.cjs`;

const NO_MATCHERS = 'it has no assertions of its own, and the usual ones throw at the first failure';

function playwright(folder) {
  const minor = Number(versionOf(folder).split('.')[1]), addsReporters = minor >= 63;
  return {
    playwright: folder,
    argv: (specs) => [
      'node_modules/@playwright/test/cli.js', 'test', '--workers=1', '--forbid-only', '--output=output', ...(addsReporters ? [`--add-reporter=${REPORTERS}/playwright.mjs`] : []),
      ...specs.map((spec) => `/^.*\\/${spec.replaceAll('.', '\\.')}$/`),
    ],
    env: () => (addsReporters ? {} : { PW_TEST_REPORTER: `${REPORTERS}/playwright.mjs` }),
    together: (names) => names.map(fileOf),
    apart: [...ENDS_ALL, 'names in any script, and twice'],
    declaresElsewhere: true, // in mocha_words.cjs
    signals: ['SIGTERM'],
    but: {
      'a failure': { compared: undefined }, // of another library's assertion it tells the words alone
      'a failing "before all" hook': { says: [/^Error: no database$/] },
      // After a failure Playwright goes on in a new process, with the hooks from the start.
      'a failing "before each" hook': { tests: ['with a session › first passed', 'with a session › second failed', 'with a session › third passed'], says: [/^Error: no session$/] },
      'a failing "after each" hook': { tests: ['with a session › first failed', 'with a session › second failed'], says: Array(2).fill(/^Error: cannot sign out$/) },
      'a failing "after all" hook': { says: [/^Error: cannot clean up$/] },
      'a hook of the whole file that fails when all is over': { tests: ['cart › adds passed', 'till › pays failed'] }, // its hooks are of a test
      'a file without tests': { isUnnamed: true }, // it says so of the whole start
      ...(minor < 44 ? { 'a file that does not load': { isUnnamed: true } } : {}), // what Node says of a CommonJS file it passed on without its place
      'a focused test, which is forbidden': { isUnnamed: true }, // of where it was declared
      'a test that ends its process': { tests: ['ends passed', 'leaves failed', 'is never run passed'], end: 'failed', says: [/^Error: worker process exited unexpectedly/] },
      'a process that is killed': { tests: ['ends passed', 'dies failed'], end: 'error', says: Array(2).fill(/signal=SIGKILL/) },
      'a promise that nobody waits for is what the tool takes it for': { tests: ['leaves a promise behind failed'], end: 'failed', says: [/nobody waits for it/], at: 2 },
      'names in any script, and twice': { tests: [], end: 'error', says: [/duplicate test title/], at: undefined, isUnnamed: true }, // refused
    },
    lacks: {},
  };
}

const TOOLS = {
  Playwright: playwright(PLAYWRIGHT),
  'the oldest Playwright': playwright(OLDEST_PLAYWRIGHT),
  'Mocha 10': {
    argv: ([spec]) => ['node_modules/mocha/bin/mocha.js', '--forbid-only', '--reporter', path.join(REPORTERS, 'mocha.cjs'), spec],
    signals: ['SIGINT', 'SIGTERM'],
    but: {
      // Before there is a reporter: its output says why.
      'a file that does not load': { end: undefined, says: [] },
      'a focused test, which is forbidden': { end: undefined, says: [] },
    },
    lacks: { 'soft failures': NO_MATCHERS },
  },
  'the stand-in for Cypress': {
    argv: ([spec]) => ['cypress_stand_in.cjs', 'run', '--spec', spec, '--browser', 'chrome', '--reporter', path.join(REPORTERS, 'mocha.cjs'), '--config', '{}'],
    signals: ['SIGINT', 'SIGTERM'],
    but: {
      'a hook of the whole file that fails when all is over': { tests: ['cart › adds passed', 'till › pays failed'] }, // Cypress's hooks are of a test
    },
    lacks: {
      'soft failures': NO_MATCHERS,
      'a focused test, which is forbidden': 'it has no such option, and its reporter gets to know the focused tests alone',
    },
  },
  WebdriverIO: {
    argv: () => ['node_modules/@wdio/cli/bin/wdio.js', 'run', path.join(REPORTERS, 'webdriver.mjs')],
    env: ([spec]) => ({ WDIO_SPEC: spec, FUNKYTOWN_BROWSER: 'chrome' }),
    together: () => ['together.test.cjs'],
    apart: [...ENDS_ALL, 'a file of skipped tests alone', 'a test that ends its process', 'a process that is killed', 'a hook of the whole file that fails when all is over'],
    signals: ['SIGTERM'],
    but: {
      'a focused test, which is forbidden': { tests: ['is focused passed'] }, // Mocha had it when it was stopped
      ...(IS_WDIO_8 ? { 'a file that does not load': { says: [/^No test ran: WebdriverIO’s output says why\.$/] } } : {}), // it tells its log alone
    },
    lacks: IS_WDIO_8 ? { 'soft failures': 'its matchers have none' } : {},
  },
};

const rowOf = (tool, name) => ({ ...ROWS[name], ...tool.but[name] });
const namesOf = (tool) => Object.keys(ROWS).filter((name) => !(name in tool.lacks));
const isTogether = (tool, name) => Boolean(tool.together) && !tool.apart.includes(name);

const WDIO_CONFIGURATION = `export const config = { runner: 'local', framework: 'mocha', logLevel: 'error', capabilities: [], mochaOpts: { timeout: 60000 } };\n`;
const PLAYWRIGHT_CONFIGURATION = `require('./mocha_words.cjs');
module.exports = { testDir: '.', testMatch: '*.test.cjs', timeout: 60000, reporter: 'line' };
`;

/** A file in which each row is a group of its name. */
const requireAll = (names) => names.map((name) => `describe(${JSON.stringify(name)}, () => { require('./${fileOf(name)}'); });\n`).join('');

function layRoot(t, tool) {
  assert.ok(existsSync(tool.playwright ?? MODULES), 'run "npm ci" in tests/runners and in specs first');
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'funkytown-runner-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(path.join(HERE, 'fixtures/mocha'), root, { recursive: true });
  for (const file of ['cypress_stand_in.cjs', 'mocha_words.cjs']) cpSync(path.join(HERE, file), path.join(root, file));
  if (tool.playwright) mkdirSync(path.join(root, 'node_modules/@playwright'), { recursive: true });
  symlinkSync(tool.playwright ?? MODULES, path.join(root, tool.playwright ? 'node_modules/@playwright/test' : 'node_modules'));
  writeFileSync(path.join(root, 'wdio.conf.mjs'), WDIO_CONFIGURATION);
  writeFileSync(path.join(root, 'playwright.config.cjs'), PLAYWRIGHT_CONFIGURATION);
  return root;
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function start(t, tool, specs, files = {}) {
  const root = layRoot(t, tool);
  for (const [name, text] of Object.entries(files)) writeFileSync(path.join(root, name), text);
  const fifo = new EventFifo(path.join(root, 'events'));
  const child = spawn(process.execPath, tool.argv(specs), {
    cwd: root, detached: true, stdio: ['ignore', 'pipe', 'pipe'],
    env: { ...process.env, ...tool.env?.(specs), FORCE_COLOR: '1', FUNKYTOWN_EVENTS: fifo.file, FUNKYTOWN_SPEC: specs[0], PWTEST_CACHE_DIR: path.join(root, 'cache') },
  });
  t.after(() => killGroup(child.pid)); // a driver outlives what started it
  const output = { text: '' };
  for (const stream of [child.stdout, child.stderr]) stream.setEncoding('utf8').on('data', (text) => { output.text += text; });
  const ended = new Promise((resolve) => child.on('close', (code, signal) => resolve({ code, signal })));
  const printed = (words) => new Promise((resolve, reject) => {
    const look = () => output.text.includes(words) && resolve();
    child.stdout.on('data', look);
    child.on('close', () => reject(new Error(`ended without printing "${words}":\n${output.text}`)));
    look();
  });
  return { child, fifo, output, ended, printed };
}

const testsOf = (events) => events.filter((event) => event.event === 'test');

/** What is told of tests, whatever else the start held. */
function checkTests(told, spec, { tests, says = [], at, compared, retry, tags }, { declaresElsewhere = false } = {}) {
  assert.deepEqual(told.map(({ title, status }) => `${title.join(' › ')} ${status}`).sort(), [...tests].sort());
  const errors = told.filter((event) => event.error);
  assert.ok(errors.length <= says.length, JSON.stringify(errors));
  for (const [i, { error }] of errors.entries()) assert.match(error.message, says[i]);
  for (const { file, line, column, duration_ms: duration, status, error } of told) {
    if (!declaresElsewhere) assert.equal(file, spec);
    if (!error) continue;
    assert.ok(['failed', 'flaky'].includes(status));
    assert.ok(Number.isInteger(duration) && duration >= 0);
    if (line !== undefined) assert.ok(Number.isInteger(column) && column > 0, `column ${column}`);
  }
  if (at) {
    assert.equal(errors[0].line, at);
    assert.match(errors[0].error.stack, /^\s+at /);
  }
  if (compared) assert.deepEqual([errors[0].error.expected, errors[0].error.received], compared);
  assert.deepEqual(told.map((event) => event.retry).filter(Boolean), retry ? [retry] : []);
  assert.deepEqual(told.flatMap((event) => event.tags ?? []), tags ?? []);
}

/** All that is told of a spec. */
function check(events, spec, row, tool = {}) {
  const told = testsOf(events), rest = events.filter((event) => event.event !== 'test');
  assert.deepEqual(rest.map(({ event, status }) => status ?? event), row.end ? [row.end] : []);
  assert.equal(events.at(-1), rest[0] ?? events.at(-1), 'the conclusion comes last');
  for (const event of row.isUnnamed ? told : events) assert.equal(event.spec, spec);
  checkTests(told, spec, row, tool);
  const errors = events.filter((event) => event.error);
  assert.equal(errors.length, row.says?.length ?? 0, JSON.stringify(errors));
  for (const [i, { error }] of errors.entries()) assert.match(error.message, row.says[i]);
  JSON.stringify(events, (name, value) => {
    assert.ok(typeof value !== 'string' || !value.includes('\u001b'), name);
    return value;
  });
}

for (const [toolName, tool] of Object.entries(TOOLS)) {
  describe(toolName, { concurrency: 2 }, () => {
    const together = namesOf(tool).filter((name) => isTogether(tool, name));
    const apart = namesOf(tool).filter((name) => IS_FULL || !isTogether(tool, name));

    if (together.length > 0)
      test('many rows in one start', async (t) => {
        const specs = tool.together(together);
        const { fifo, ended, output } = start(t, tool, specs, { 'together.test.cjs': requireAll(together) });
        assert.notEqual((await ended).code, 0, output.text);
        const events = await fifo.events();
        for (const name of together)
          await t.test(name, () => {
            if (specs.length > 1) return check(events.filter(({ spec }) => spec === fileOf(name)), fileOf(name), rowOf(tool, name), tool);
            const told = testsOf(events).filter(({ title }) => title[0] === name).map((event) => ({ ...event, title: event.title.slice(1) }));
            return checkTests(told, fileOf(name), rowOf(tool, name), { declaresElsewhere: true });
          });
        if (specs.length === 1) assert.deepEqual(events.slice(-1).map(({ event, status }) => [event, status]), [['spec', 'failed']]);
      });

    for (const name of apart)
      test(name, async (t) => {
        const row = rowOf(tool, name);
        const { fifo, ended, output } = start(t, tool, [fileOf(name)]);
        const { code } = await ended;
        check(await fifo.events(), fileOf(name), row, tool);
        if (row.end === 'failed') assert.notEqual(code, 0, output.text);
        if (row.end === 'passed' || row.end === 'skipped') assert.equal(code, 0, output.text);
      });

    for (const signal of tool.signals)
      test(`an interrupt, ${signal}, is no verdict`, async (t) => {
        const { child, fifo, printed, ended } = start(t, tool, ['hangs.test.cjs']);
        await printed('now hanging');
        process.kill(-child.pid, signal); // as the worker does: the whole group
        await ended;
        check(await fifo.events(), 'hangs.test.cjs', { tests: ['ends passed'], end: 'error', says: [/^Interrupted in “hangs”\.$/] }, tool);
      });

    if (IS_FULL || !tool.together)
      test('a reader that goes away does not fail the run', async (t) => {
        const { fifo, ended, output } = start(t, tool, ['passes.test.cjs']);
        fifo.abandon();
        assert.equal((await ended).code, 0, output.text);
      });
  });
}

test('every tool has every row, or says why not', () => {
  for (const { but, lacks } of Object.values(TOOLS)) {
    for (const name of [...Object.keys(but), ...Object.keys(lacks)]) assert.ok(name in ROWS, name);
    for (const reason of Object.values(lacks)) assert.match(reason, /^\w.* .*\w$/);
  }
});

test('a spec that was kept from running is not skipped', async (t) => {
  const mocha = TOOLS['Mocha 10'];
  const { fifo, ended } = start(t, { ...mocha, argv: (specs) => [...mocha.argv(specs), '--bail', 'passes.test.cjs'] }, ['fails.test.cjs']);
  await ended;
  const events = (await fifo.events()).filter((event) => event.spec === 'passes.test.cjs');
  check(events, 'passes.test.cjs', { tests: ['cart › when empty › adds skipped', 'cart › keeps skipped'], end: 'error', says: [/^No test ran: 2 did not skip themselves\.$/] });
});
