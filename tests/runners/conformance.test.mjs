// The same behaviours for every reporter, real tool by real tool: each row is a spec, and what must be told of it whoever
// runs it. Mocha, WebdriverIO's Mocha and the stand-in for Cypress run the same files (fixtures/mocha); what is a tool's
// own stands in its `but`. A start of WebdriverIO takes seconds, so without CONFORMANCE=full it gets the rows of `core` alone;
// RUNNER_MODULES is another folder of npm packages, for other versions. Needs the npm packages of this folder, and
// chromedriver.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { cpSync, existsSync, mkdtempSync, readFileSync, realpathSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { describe, test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { EventFifo } from './event_fifo.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));
const REPORTERS = path.resolve(HERE, '../../worker/reporters');
const MODULES = path.resolve(process.env.RUNNER_MODULES ?? path.join(HERE, 'node_modules'));
const CLI = path.join(MODULES, '@wdio/cli/package.json');
const IS_WDIO_8 = existsSync(CLI) && JSON.parse(readFileSync(CLI, 'utf8')).version.startsWith('8.');
const IS_FULL = process.env.CONFORMANCE === 'full';

// Tests as "title status", in any order; how the spec ends; words of its messages; where the first failure is.
const ROWS = {
  'a pass': { spec: 'passes', tests: ['cart › when empty › adds passed', 'cart › keeps passed'], end: 'passed' },
  'a failure': {
    spec: 'fails', tests: ['compares failed', 'throws a string failed', 'goes on passed'], end: 'failed', says: [/'mustard' == 'tomato'/, /only words/], at: 4,
  },
  'skipped tests': { spec: 'skips', tests: ['is skipped skipped', 'skips itself skipped', 'is to be written skipped', 'runs passed'], end: 'passed' },
  'a file of skipped tests alone': { spec: 'only_skips', tests: ['one skipped', 'two skipped'], end: 'skipped' },
  'a retry that passes': {
    spec: 'flaky', tests: ['stock › passes at once passed', 'stock › passes the second time flaky'], end: 'passed', says: [/first time/], at: 6,
  },
  'a retry that fails again': { spec: 'fails_twice', tests: ['fails each time failed'], end: 'failed', says: [/again/], at: 3 },
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
  'a time limit': { spec: 'times_out', tests: ['waits failed', 'goes on passed'], end: 'failed', says: [/100ms/] },
  'a test that ends its process': { spec: 'exits', tests: ['ends passed'], end: 'error', says: [/^The runner's process ended \(exit 0\) in “leaves”\.$/] },
  'a process that is killed': { spec: 'kills_itself', tests: ['ends passed'], end: undefined },
  'an exception from nowhere': { spec: 'late', tests: ['gets an exception from a timer failed', 'goes on passed'], end: 'failed', says: [/too late/], at: 2 },
  'a promise that nobody waits for is what the tool takes it for': { spec: 'rejects', tests: ['leaves a promise behind passed'], end: 'passed' },
  'errors and output without end': {
    spec: 'big_errors', tests: [...Array(4).fill('throws much failed'), 'prints much passed'], end: 'failed', says: Array(4).fill(/begin [^]*… \d+ bytes left out …[^]* end$/),
  },
  'names in any script, and twice': {
    spec: 'names', tests: ['наші 店 🎵 › “é” and\ttabs passed', 'наші 店 🎵 › the same passed', 'наші 店 🎵 › the same failed'], end: 'failed', says: [/only the second/], at: 4,
  },
};

const WDIO_CONFIGURATION = `export const config = { runner: 'local', framework: 'mocha', logLevel: 'error', capabilities: [], mochaOpts: { timeout: 60000 } };\n`;

const TOOLS = {
  'Mocha 10': {
    argv: (spec) => ['node_modules/mocha/bin/mocha.js', '--reporter', path.join(REPORTERS, 'mocha.cjs'), spec],
    but: {
      'a file that does not load': { end: undefined, says: [] }, // before there is a reporter
    },
  },
  'the stand-in for Cypress': {
    argv: (spec) => ['cypress_stand_in.cjs', 'run', '--spec', spec, '--browser', 'chrome', '--reporter', path.join(REPORTERS, 'mocha.cjs'), '--config', '{}'],
    but: {
      'a hook of the whole file that fails when all is over': { tests: ['cart › adds passed', 'till › pays failed'] }, // Cypress's hooks are of a test
    },
  },
  WebdriverIO: {
    argv: () => ['node_modules/@wdio/cli/bin/wdio.js', 'run', path.join(REPORTERS, 'webdriver.mjs')],
    env: (spec) => ({ WDIO_SPEC: spec, FUNKYTOWN_BROWSER: 'chrome' }),
    core: ['a failure', 'skipped tests', 'a retry that passes', 'a failing "before all" hook', 'a file that does not load', 'a test that ends its process', 'SIGTERM'],
    but: IS_WDIO_8 ? { 'a file that does not load': { says: [/^No test ran: WebdriverIO’s output says why\.$/] } } : {}, // it tells its log alone
  },
};

function layRoot(t) {
  assert.ok(existsSync(MODULES), 'run "npm ci" in tests/runners first');
  const root = realpathSync(mkdtempSync(path.join(tmpdir(), 'funkytown-runner-')));
  t.after(() => rmSync(root, { recursive: true, force: true }));
  cpSync(path.join(HERE, 'fixtures/mocha'), root, { recursive: true });
  cpSync(path.join(HERE, 'cypress_stand_in.cjs'), path.join(root, 'cypress_stand_in.cjs'));
  symlinkSync(MODULES, path.join(root, 'node_modules'));
  writeFileSync(path.join(root, 'wdio.conf.mjs'), WDIO_CONFIGURATION);
  return root;
}

function killGroup(pid) {
  try {
    process.kill(-pid, 'SIGKILL');
  } catch (error) {
    if (error.code !== 'ESRCH') throw error;
  }
}

function start(t, tool, name) {
  const root = layRoot(t);
  const spec = `${name}.test.cjs`;
  const fifo = new EventFifo(path.join(root, 'events'));
  const child = spawn(process.execPath, tool.argv(spec), {
    cwd: root, env: { ...process.env, ...tool.env?.(spec), FORCE_COLOR: '1', FUNKYTOWN_EVENTS: fifo.file, FUNKYTOWN_SPEC: spec }, stdio: ['ignore', 'pipe', 'pipe'], detached: true,
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
  return { spec, child, fifo, output, ended, printed };
}

function check(events, spec, { tests, end, says = [], at }) {
  const told = events.filter((event) => event.event === 'test');
  const rest = events.filter((event) => event.event !== 'test');
  assert.deepEqual(told.map(({ title, status }) => `${title.join(' › ')} ${status}`).sort(), [...tests].sort());
  assert.deepEqual(rest.map(({ event, status }) => status ?? event), end ? [end] : []);
  assert.equal(events.at(-1), rest[0] ?? events.at(-1), 'the conclusion comes last');
  for (const event of events) assert.equal(event.spec, spec);
  for (const { file, duration_ms: duration } of told) {
    assert.equal(file, spec);
    assert.ok(Number.isInteger(duration) && duration >= 0);
  }
  const errors = events.filter((event) => event.error);
  assert.equal(errors.length, says.length, JSON.stringify(errors));
  for (const [i, words] of says.entries()) assert.match(errors[i].error.message, words);
  if (at) {
    const broken = errors[0];
    assert.equal(broken.line, at);
    assert.match(broken.error.stack, /^\s+at /);
  }
  assert.ok(!JSON.stringify(events).includes('\\u001b'));
}

const isAsked = (tool, name) => IS_FULL || !tool.core || tool.core.includes(name);

for (const [toolName, tool] of Object.entries(TOOLS)) {
  describe(toolName, { concurrency: 2 }, () => {
    for (const [name, row] of Object.entries(ROWS).filter(([each]) => isAsked(tool, each))) {
      test(name, async (t) => {
        const { spec, fifo, ended, output } = start(t, tool, row.spec);
        const { code } = await ended;
        const wanted = { ...row, ...tool.but[name] };
        check(await fifo.events(), spec, wanted);
        if (wanted.end === 'failed') assert.notEqual(code, 0, output.text);
        if (wanted.end === 'passed' || wanted.end === 'skipped') assert.equal(code, 0, output.text);
      });
    }

    for (const signal of ['SIGINT', 'SIGTERM'].filter((each) => isAsked(tool, each))) {
      test(`${signal} is no verdict`, async (t) => {
        const { spec, child, fifo, printed, ended } = start(t, tool, 'hangs');
        await printed('now hanging');
        process.kill(-child.pid, signal); // as the worker does: the whole group
        await ended;
        check(await fifo.events(), spec, { tests: ['ends passed'], end: 'error', says: [/^Interrupted in “hangs”\.$/] });
      });
    }

    for (const name of ['a reader that goes away does not fail the run'].filter((each) => isAsked(tool, each))) {
      test(name, async (t) => {
        const { fifo, ended, output } = start(t, tool, 'passes');
        fifo.abandon();
        assert.equal((await ended).code, 0, output.text);
      });
    }
  });
}

test('a spec that was kept from running is not skipped', async (t) => {
  const { fifo, ended } = start(t, { argv: (spec) => [...TOOLS['Mocha 10'].argv(spec), '--bail', 'passes.test.cjs'] }, 'fails');
  await ended;
  const events = (await fifo.events()).filter((event) => event.spec === 'passes.test.cjs');
  check(events, 'passes.test.cjs', { tests: ['cart › when empty › adds skipped', 'cart › keeps skipped'], end: 'error', says: [/^No test ran: 2 did not skip themselves\.$/] });
});
