// A stand-in for Cypress, whose program can't be had where these tests run: `cypress run` of one spec, as far as its command
// line, its exit status, and the order and the shape of Mocha's events are concerned. There is no browser: the spec is
// run by Mocha in this process, and what Mocha tells is told again as Cypress's server tells a reporter:
//
// - on copies of suites and tests, whose files are relative or null, as only the root suite has one;
// - "pass", "fail" of a test and "test end" come after the hooks that follow it, at the end of a suite also the suite's;
// - a hook that fails, and an attempt that is to be repeated, come as plain objects: the test's members with the hook's
//   title, or without a parent;
// - errors have what an assertion compared, and a codeFrame with the place in the source;
// - a spec that does not load is one failed test.
//
// The command line that it got is left beside the spec, as <spec>.command.json.

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { parseArgs } = require('node:util');
const Mocha = require('mocha');

const LOAD_ERROR = 'An uncaught error was detected outside of a test';

function readCommand() {
  const text = { type: 'string' };
  const { values, positionals } = parseArgs({ allowPositionals: true, options: { spec: text, browser: text, config: text, reporter: text, 'reporter-options': text } });
  if (positionals.join(' ') !== 'run') throw new Error(`the stand-in for Cypress only knows "run", not "${positionals.join(' ')}"`);
  values.config = JSON.parse(values.config);
  return values;
}

function errorFor(error, spec) {
  const place = new RegExp(`${path.basename(spec).replace(/\./g, '\\.')}:(\\d+):(\\d+)`).exec(error.stack ?? '');
  const codeFrame = place && { line: Number(place[1]), column: Number(place[2]), relativeFile: spec, frame: `> ${place[1]} | ` };
  const { name, message, stack, actual, expected } = error;
  return { name, message, stack, actual, expected, ...(codeFrame ? { codeFrame } : {}) };
}

/** Cypress's copies, by what they are copies of. */
function copyTree(suite, copies, parent, file) {
  const copy = new Mocha.Suite(suite.title);
  Object.assign(copy, { parent, root: !parent, file: parent ? null : file });
  copies.set(suite, copy);
  copy.tests = suite.tests.map((test) => {
    const twin = Object.assign(new Mocha.Test(test.title, test.pending ? undefined : () => {}), { parent: copy, file: null, state: 'skipped', order: copies.size });
    copies.set(test, twin);
    return twin;
  });
  copy.suites = suite.suites.map((inner) => copyTree(inner, copies, copy));
  return copy;
}

class Replay {
  constructor(command, suite) {
    this.copies = new Map();
    this.spec = command.spec;
    this.runner = new Mocha.Runner(copyTree(suite, this.copies, undefined, command.spec));
    this.waiting = []; // what is told once the hooks have run
    this.last = null; // for hooks of the root suite, which have no test of their own
    new (require(command.reporter))(this.runner, { reporterOptions: {} });
  }

  emit(...event) {
    this.runner.emit(...event);
  }

  flush() {
    for (const event of this.waiting.splice(0)) this.emit(...event);
  }

  copyOf(test) {
    return this.copies.get(test.retriedTest?.() ?? test);
  }

  plain(test, more) {
    const all = {};
    for (const name in this.copyOf(test)) all[name] = this.copyOf(test)[name]; // with what it inherits, as lodash's extend does
    return Object.assign(all, more);
  }

  follow(runner) {
    const twin = (test, more) => Object.assign(this.copyOf(test), { _currentRetry: test.currentRetry(), duration: test.duration }, more);
    runner.on('start', () => this.emit('start'));
    runner.on('suite', (suite) => { this.flush(); this.emit('suite', this.copies.get(suite)); });
    runner.on('suite end', (suite) => { this.flush(); this.emit('suite end', this.copies.get(suite)); });
    runner.on('test', (test) => {
      this.flush();
      this.last = test;
      this.emit('test', twin(test));
    });
    runner.on('pending', (test) => { this.flush(); this.emit('pending', twin(test, { state: 'pending' })); });
    runner.on('pass', (test) => this.waiting.push(['pass', twin(test, { state: 'passed' })], ['test end', twin(test)]));
    runner.on('retry', (test, error) => {
      const { titlePath, fullTitle, parent, ctx, ...attempt } = this.plain(test, { state: 'failed', err: errorFor(error, this.spec) });
      this.emit('retry', attempt);
    });
    runner.on('fail', (runnable, error) => this.fail(runnable, error));
    runner.on('end', () => { this.flush(); this.emit('end'); });
  }

  fail(runnable, thrown) {
    const test = runnable.type === 'hook' ? runnable.ctx.currentTest ?? this.last : runnable;
    const err = errorFor(thrown, this.spec);
    const copy = Object.assign(this.copyOf(test), { err, state: 'failed' });
    if (runnable.type === 'hook') this.waiting.length = 0; // it takes a pass back
    this.waiting.push(['fail', this.plain(test, { title: runnable.title, failedFromHookId: runnable.type === 'hook' ? 'h1' : undefined, type: 'test' }), err], ['test end', copy]);
  }
}

/** The number of failed tests. */
function run(command) {
  const mocha = new Mocha({ reporter: class {} });
  try {
    mocha.addFile(path.resolve(command.spec)).loadFiles();
  } catch (error) {
    mocha.suite.suites.length = mocha.suite.tests.length = 0;
    mocha.suite.addTest(new Mocha.Test(LOAD_ERROR, () => { throw error; }));
  }
  mocha.files = []; // loaded
  const replay = new Replay(command, mocha.suite);
  return new Promise((resolve) => replay.follow(mocha.run(resolve)));
}

const command = readCommand();
fs.writeFileSync(`${command.spec}.command.json`, JSON.stringify(command));
run(command).then((failures) => process.exit(failures));
