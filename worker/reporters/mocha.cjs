// Tells funkytown's worker what Mocha does, also the Mocha inside Cypress: one JSON line an event, into the FIFO named by
// FUNKYTOWN_EVENTS. The events are those that playwright.mjs describes.
//
//   cypress run --spec cypress/e2e/a.cy.ts --reporter /abs/path/to/mocha.cjs
//   mocha --reporter /abs/path/to/mocha.cjs a.test.js
//
// Cypress runs tests in the browser and replays Mocha's events to a reporter in its server, on copies. So:
//
// - A test is known by being in runner.suite, by being what a hook was run for, or by the error that it got; the object
//   that an event brings may be another one.
// - Mocha tells a test's result before its afterEach hooks, Cypress after them.
// - A retried test is a copy of the first in Mocha, the same again in Cypress, which tells of a retry without saying where.
// - In Cypress the paths of files are relative to its project and the working directory is the server's, so the one spec
//   that it was started for is FUNKYTOWN_SPEC. Errors come with a place and a snippet that went through its source maps.
//
// What all of it comes to is results.cjs's. What Mocha can't load it tells nobody: it ends before there is a reporter, with no line at all.
// Cypress makes a test of it, of a name of its own, and that is an "error" here.
//
// --reporter replaces the one of the project's configuration, so the tests are printed here too.

'use strict';

const path = require('node:path');
const { Events, relative, short } = require('./events.cjs');
const { Results, describe, hookTitle } = require('./results.cjs');

const OUTSIDE_OF_TESTS = /^(?:Uncaught error outside test suite|An uncaught error was detected outside of a test)/;
const SIGNS = { passed: '✓', flaky: '✓', failed: '✗', skipped: '-' };

/** All tests below a suite that this run asks for. */
function testsOf(runner, suite = runner.suite) {
  const isAsked = (test) => typeof runner._grep?.test !== 'function' || runner._grep.test(test.fullTitle()) !== Boolean(runner._invert);
  return [...(suite.tests ?? []).filter(isAsked), ...(suite.suites ?? []).flatMap((inner) => testsOf(runner, inner))];
}

function fileOf(runnable) {
  for (let place = runnable; place; place = place.parent)
    if (place.file) return place.file;
  return undefined;
}

/** Below where Mocha was started; what Cypress says of its one spec is the end of the name that the worker knows it by. */
function specName(file) {
  const asked = process.env.FUNKYTOWN_SPEC;
  if (!file) return asked;
  if (path.isAbsolute(file)) return relative(process.cwd(), file);
  return asked && `/${asked}`.endsWith(`/${file}`) ? asked : file;
}

function placeOf(test) {
  const { relativeFile: file, line, column } = test.invocationDetails ?? {};
  return { file, line, column };
}

/** How often it was tried before. */
const retryOf = (test) => test.currentRetry?.() ?? test._currentRetry ?? 0;

function print({ status, title, error }) {
  process.stdout.write(`  ${SIGNS[status]} ${title.join(' › ')}\n`);
  if (error) process.stdout.write(`${error.message.replace(/^/gm, '      ')}\n`);
}

class FunkytownReporter {
  constructor(runner) {
    this.runner = runner;
    this.results = new Results(new Events(process.env.FUNKYTOWN_EVENTS), print);
    this.records = new Map(); // of the tests in runner.suite
    this.retried = null; // the last attempt that failed: { title, error }
    runner.on('start', () => this.#onStart());
    runner.on('test', (test) => this.results.begin(this.#record(test)));
    runner.on('pass', (test) => this.#onPass(test));
    runner.on('pending', (test) => this.results.end(this.#record(test), { status: 'skipped' }));
    runner.on('retry', (test, error) => { this.retried = { title: test.title, error: error ?? test.err }; });
    runner.on('fail', (runnable, error) => this.#onFail(runnable, error));
    runner.on('end', () => this.results.finish());
  }

  #onStart() {
    for (const test of testsOf(this.runner)) this.#add(test);
    if (this.records.size === 0) this.results.spec(specName(this.runner.suite.file));
  }

  #add(test) {
    const record = this.results.expect(specName(fileOf(test)), test.titlePath().map(short), placeOf(test));
    this.records.set(test, record);
    return record;
  }

  /** The record of the test that an event is about. */
  #find(runnable, error) {
    const of = [runnable, runnable.retriedTest?.(), runnable.ctx?.currentTest, runnable.ctx?.currentTest?.retriedTest?.()];
    const known = of.find((test) => this.records.has(test)) ?? [...this.records.keys()].find((test) => error && test.err === error);
    return this.records.get(known);
  }

  #record(test) {
    return this.#find(test) ?? this.#add(test);
  }

  #onPass(test) {
    const retry = retryOf(test), isFlaky = retry > 0;
    const why = isFlaky && this.retried?.title === test.title ? describe(this.retried.error) : {};
    this.results.end(this.#record(test), { status: isFlaky ? 'flaky' : 'passed', duration: test.duration, retry, ...why });
  }

  #onFail(runnable, thrown) {
    const hook = hookTitle(runnable.title);
    const record = this.#find(runnable, thrown);
    if (OUTSIDE_OF_TESTS.test(runnable.title)) return this.#onError(runnable, record, thrown);
    if (record) return this.results.failLate(record, hook ?? short(runnable.title), { status: 'failed', duration: runnable.duration, retry: hook ? 0 : retryOf(runnable), ...describe(thrown, hook) });
    // A hook of the root suite, or of another without a test of its own.
    const title = [...(runnable.parent?.titlePath() ?? []), hook ?? runnable.title].map(short);
    this.results.end(this.results.expect(specName(fileOf(runnable)), title), { status: 'failed', ...describe(thrown, hook) });
  }

  /** No test's verdict, but the file's. */
  #onError(runnable, record, thrown) {
    const described = describe(thrown);
    if (record) record.hasResult = true; // Cypress makes a test of it
    this.results.failSpec(record?.spec.name ?? specName(fileOf(runnable) ?? this.runner.suite.file), described);
    print({ status: 'failed', title: [runnable.title], error: described.error });
  }
}

module.exports = FunkytownReporter;
