// How the tests of a run stand, for runners that tell of them one by one as Mocha does; and what is said of it.
//
// A result that was told can't be taken back, but a hook that fails afterwards would: so the last one is held until
// something else begins. A hook that fails is the failure of the test that it was run for. When the run ends, tests that
// were never run are skipped, and none of them is a pass; nor is a spec skipped of which that is all. A run that is cut
// off has no verdict on what is unfinished.

'use strict';

const path = require('node:path');
const { comparedIn, plain, relative, shown, stepList, tagsIn } = require('./events.cjs');

const HOOK = /^"(?:before|after) (?:all|each)" hook/;
const SIGNALS = ['SIGINT', 'SIGTERM'];

/** A hook's title without the name of what it was run for; undefined: it is no hook's. */
const hookTitle = (title) => HOOK.exec(title ?? '')?.[0];

/** The innermost place in the project's own code: { file, line, column }. */
function placeIn(stack) {
  for (const line of stack.split('\n')) {
    const [, file, at, column] = /(?:\(|at |async )(?:file:\/\/)?([^\s():][^():]*):(\d+):(\d+)\)?$/.exec(line) ?? [];
    if (file && !file.includes('node_modules/')) return { file: relative(process.cwd(), path.resolve(file.replace(/\?.*/, ''))), line: Number(at), column: Number(column) };
  }
  return {};
}

/** What was compared: { expected?, received? }. Chai, Node's assert and Mocha's own say it in the error. */
function comparedBy(error, message) {
  if (error.expected === undefined && error.actual === undefined) return comparedIn(message);
  return { expected: shown(error.expected), received: shown(error.actual) };
}

/** What was thrown, as events have it: { error, file?, line?, column? }. `where` is put before the message. */
function describe(thrown, where) {
  const error = thrown !== null && typeof thrown === 'object' ? thrown : { message: String(thrown) };
  const text = String(error.message ?? '') || 'An error without a message.';
  const named = error.name && !text.startsWith(error.name) ? `${error.name}: ${text}` : text;
  const frames = String(error.stack ?? '').split('\n');
  const first = frames.findIndex((line) => /^\s+at /.test(line));
  const described = { message: plain(where ? `${where}: ${named}` : named) };
  Object.assign(described, comparedBy(error, described.message));
  if (first >= 0) described.stack = plain(frames.slice(first).join('\n'));
  const framed = error.codeFrame; // Cypress's, which went through its source maps
  if (framed?.frame) described.snippet = plain(framed.frame);
  const place = framed?.relativeFile ? { file: framed.relativeFile, line: framed.line, column: framed.column } : placeIn(described.stack ?? '');
  return { error: described, ...place };
}

/** One test file and how it stands. */
class Spec {
  constructor(name) {
    this.name = name;
    this.counts = { passed: 0, failed: 0, skipped: 0, flaky: 0 };
    this.error = null; // what failed outside of its tests
    this.startedAt = performance.now();
  }

  get status() {
    if (this.counts.failed > 0) return 'failed';
    return this.counts.passed + this.counts.flaky > 0 ? 'passed' : 'skipped';
  }
}

class Results {
  /** `onTold` gets each event of a test. */
  constructor(events, onTold = () => {}) {
    this.events = events;
    this.onTold = onTold;
    this.specs = new Map();
    this.tests = []; // { spec, title, place?, hasResult }
    this.held = null;
    this.current = null;
    if (events.open) this.#tellWhenCutOff();
  }

  spec(name) {
    if (!this.specs.has(name)) this.specs.set(name, new Spec(name));
    return this.specs.get(name);
  }

  /** A test that is to be run: the record of it, which the others take. */
  expect(spec, title, place) {
    const test = { spec: this.spec(spec), title, place, hasResult: false };
    this.tests.push(test);
    return test;
  }

  begin(test) {
    if (this.held && this.held.test !== test) this.#tellHeld();
    this.current = test;
  }

  /** Its result: { status, duration?, retry?, error?, file?, line?, column?, steps? }. A later one of the same test takes its place, if it can. */
  end(test, result) {
    this.begin(test);
    this.held = { test, result };
    test.hasResult = true;
  }

  /** A hook, or something that was left behind, failed. `test` is what it was run for; what has been told of that stays. */
  failLate(test, title, result) {
    if (!test.hasResult || this.held?.test === test) return this.end(test, { duration: this.held?.result.duration, ...result });
    this.#tellHeld();
    this.#tell({ ...test, title: [...test.title.slice(0, -1), title] }, result);
  }

  failSpec(name, described) {
    this.spec(name).error ??= described;
  }

  finish() {
    this.#tellHeld();
    this.#leave();
    for (const test of this.tests)
      if (!test.hasResult) this.#tell(test, { status: 'skipped' });
    for (const spec of this.specs.values()) this.#conclude(spec);
    this.events.close();
  }

  #tellHeld() {
    if (this.held) this.#tell(this.held.test, this.held.result);
    this.held = null;
  }

  #tell(test, { status, duration, retry, error, file, line, column, steps }) {
    test.spec.counts[status]++;
    const event = {
      event: 'test', spec: test.spec.name, title: test.title, status, duration_ms: Math.round(duration ?? 0), retry: retry || undefined,
      ...(file ? { file, line, column } : test.place?.file ? test.place : { file: test.spec.name, line: test.place?.line }),
      error, steps: stepList(steps ?? []), tags: tagsIn(test.title),
    };
    this.events.write(event);
    this.onTold(event);
  }

  #conclude(spec) {
    if (spec.error) return this.#fail(spec, spec.error);
    if (this.tests.every((test) => test.spec !== spec)) return this.#fail(spec, { error: { message: 'No tests found in the file.' } });
    const kept = this.tests.filter((test) => test.spec === spec && !test.hasResult);
    if (spec.status === 'skipped' && kept.length > 0) return this.#fail(spec, { error: { message: `No test ran: ${kept.length} did not skip themselves.` } });
    this.events.write({ event: 'spec', spec: spec.name, status: spec.status, duration_ms: Math.round(performance.now() - spec.startedAt) });
  }

  #fail(spec, described) {
    this.events.write({ event: 'error', spec: spec.name, ...described });
  }

  /** A signal is passed on when nobody else listens: else it would not end the process any more. */
  #tellWhenCutOff() {
    this.onExit = (code) => this.#cutOff(`The runner's process ended (exit ${code})`);
    this.onSignal = (signal) => {
      this.#cutOff('Interrupted');
      if (process.listenerCount(signal) === 0) process.kill(process.pid, signal);
    };
    process.on('exit', this.onExit);
    for (const signal of SIGNALS) process.once(signal, this.onSignal);
  }

  #leave() {
    if (!this.onExit) return;
    process.off('exit', this.onExit);
    for (const signal of SIGNALS) process.off(signal, this.onSignal);
  }

  #cutOff(how) {
    const where = this.current && !this.current.hasResult ? ` in “${this.current.title.join(' › ')}”` : '';
    this.#tellHeld();
    this.#leave();
    for (const spec of this.specs.values())
      if (this.tests.some((test) => test.spec === spec && !test.hasResult)) this.#fail(spec, { error: { message: `${how}${where}.` }, file: spec.name });
      else this.#conclude(spec);
    this.events.close();
  }
}

module.exports = { Results, describe, hookTitle };
