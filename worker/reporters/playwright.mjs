// Tells funkytown's worker what Playwright does: one JSON line an event, into the FIFO named by FUNKYTOWN_EVENTS.
//
// The worker starts Playwright in SPEC_ROOT, as
//
//   node node_modules/@playwright/test/cli.js test --project=desktop-chrome --workers=1 --forbid-only \
//       --output=FOLDER --add-reporter=/abs/path/to/playwright.mjs '/^\/abs\/spec\/root\/tests\/a\.spec\.ts$/' …
//
// - A file argument is a regular expression that is searched for in the absolute path of each test file, ignoring case.
//   Between slashes it is taken as written, so `/^…$/` with every special character escaped means this file and no other.
//   The path is that of getcwd(): symbolic links in SPEC_ROOT must be resolved first.
// - --add-reporter came with Playwright 1.63; it keeps the reporters of the project's own configuration. Older versions
//   load this file from the environment variable PW_TEST_REPORTER=/abs/path/to/playwright.mjs instead. Given both ways at
//   once, only the first instance speaks. The value of --add-reporter is split at commas: keep them out of the path.
// - --forbid-only: a forgotten test.only would leave out its neighbours, and pass.
// - --output must be a folder that no other start uses: Playwright empties it first.
//
// Events, all paths relative to SPEC_ROOT with forward slashes:
//
//   {"event":"test","spec","title":[…],"status":"passed|failed|skipped|flaky","duration_ms","retry"?,"file","line",
//    "column","error"?,"steps"?,"tags"?,"annotations"?,"attachments"?}
//       once a test, when its result is final. file, line and column are those of the failing place, else of the test.
//       "retry": how often it had been tried before. Members that are empty are left out.
//       "error": {"message","expected"?,"received"?,"stack"?,"snippet"?}, of a flaky test that of its last failure
//       "steps": [{"title","depth"?,"duration_ms","failed"?}] of the failure, in their order, "depth" of them above it; the
//       last 50
//       "tags": ["@smoke"]   "annotations": [{"type":"skip","description"?}]: why it was skipped, and what else it says
//       "attachments": [{"name","path","type"}]
//   {"event":"spec","spec","status":"passed|failed|skipped","duration_ms"}
//       once a spec, as soon as every test of that file has its final result, in all projects of this start. The last
//       spec of a start waits for the end: closing the browser may still fail, and that would be its failure.
//   {"event":"error","spec"?,"error":{…},"file"?,"line"?}
//       what is no test's verdict: a file that does not load, no tests, a set-up that failed, a browser that cannot be
//       started, a run that was interrupted. With "spec" it stands in the place of that spec's "spec" event.
//
// Of a spec that was asked for, one of three things is thus true in the end: it has its "spec" event; or it has its "error"
// event; or neither, and it did not run: its file is missing, or empty, or one error without "spec" stopped the whole start
// (one file with a syntax error does). No line at all means that Playwright ended before it loads reporters: a broken
// configuration, an unknown project, an unknown option. Its standard error says which.
//
// What it promises: a spec is never "passed" unless at least one of its tests ran and none failed, and never "skipped"
// unless each of them skipped itself (test.skip, test.fixme): what was kept from running by something else is an error.
// SIGTERM, which Playwright dies of on the spot, becomes SIGINT, of which it ends in good order: attachments are written
// and what it started is closed. When a write fails it says nothing more, and an exception in here Playwright catches:
// either way the last spec has no "spec" event, so it can't pass. Lines and texts are events.cjs's.

import common from './events.cjs';

const { Events, WORDS, comparedIn, plain, relative, short, stepList, tagList, tagsIn } = common;

// What Playwright says when the machine, not the test, is at fault: no browser to be had (in time), or a process that was killed.
const INFRASTRUCTURE = [
  /^(?:\w*Error: )?browserType\.(?:launch|launchPersistentContext|connect|connectOverCDP): /,
  /^Test timeout of \d+ms exceeded while setting up "browser"\./,
  /^(?:\w*Error: )?worker process exited unexpectedly \(code=null, signal=SIG/,
];

// What --forbid-only says, without the place.
const FOCUSED = /^(?:Error: )?item focused with '\.only' is not allowed due to the (.*?): "([^]*)"$/;

const INSTANCE = Symbol.for('funkytown.playwright.reporter');

/** What Playwright puts into a box of many lines is in one: what is wrong, and the command that mends it. */
function unboxed(message) {
  return message.replace(/\.?\s*╔═*╗([^]*?)╚═*╝/g, (box, inside) => {
    const lines = inside.split('\n').map((line) => line.replace(/^\s*║|║\s*$/g, '').trim()).filter(Boolean);
    const command = lines.find((line) => /^(?:sudo |npx |npm |pnpm |yarn |bunx )/.test(line));
    return command ? `. ${lines[0].replace(/\.$/, '')}: run \`${command}\`` : box;
  });
}

function messageOf(error) {
  return unboxed(plain(error.message ?? error.value ?? 'An error without a message.')).trim();
}

/** Several errors of one test (soft assertions, a time limit and where it struck) are one report: all messages, one place. */
function describe(errors) {
  const placed = errors.find((error) => error.location) ?? errors[0];
  const frames = (placed.stack ?? '').split('\n');
  const firstFrame = frames.findIndex((line) => /^\s+at /.test(line));
  const described = { message: plain(errors.map(messageOf).join('\n\n')), ...comparedIn(messageOf(placed)) };
  if (firstFrame >= 0) described.stack = plain(frames.slice(firstFrame).join('\n'));
  if (placed.snippet) described.snippet = plain(placed.snippet);
  return { error: described, location: placed.location };
}

// ---- specs

/** One test file: its tests in every project of this start, and how far they are. */
class Spec {
  constructor(name) {
    this.name = name;
    this.tests = [];
    this.unfinished = new Set();
    // Playwright's own retries make results provisional. In serial groups they run tests again that have passed before,
    // in an order that its public interface does not tell, so a file with a retry in it is judged when all is over.
    this.retries = false;
    this.retrying = false;
    this.interrupted = null;
    this.error = null; // happened outside its tests, but in its file
    this.settled = false;
  }

  begin() {
    this.startedAt ??= performance.now();
  }

  get duration_ms() {
    return Math.round((this.endedAt ?? this.startedAt ?? 0) - (this.startedAt ?? 0));
  }

  count(outcome) {
    return this.tests.filter((test) => test.results.length > 0 && test.outcome() === outcome).length;
  }
}

/** Of the suite below the root and its project, as a test may be declared in a helper's file. Before 1.44 suites don't say what they are. */
function fileOf(test) {
  let suite = test.parent;
  while (suite.parent?.parent?.parent) suite = suite.parent;
  return suite.location?.file ?? test.location.file;
}

function titleOf(test) {
  const [, , , ...title] = test.titlePath(); // root, project and file come first
  return title.map(short);
}

const failuresOf = (test) => test.results.filter((result) => !['passed', 'skipped', 'interrupted'].includes(result.status) && result.errors.length > 0);

const isInfrastructure = (test) => failuresOf(test).length > 0
  && failuresOf(test).at(-1).errors.some((error) => INFRASTRUCTURE.some((pattern) => pattern.test(messageOf(error))));

// What something else kept from running (a hook that failed, an interruption) is still expected to pass.
const hasSkippedItself = (test) => test.expectedStatus === 'skipped' && test.results.length > 0 && test.results.every((result) => result.status === 'skipped');

function stepsOf(steps, depth = 0) {
  return steps.flatMap((step) => [{ title: step.title, depth, duration: step.duration, failed: Boolean(step.error) }, ...stepsOf(step.steps, depth + 1)]);
}

// Before 1.42 tests had no tags, only their titles.
const tagsOf = (test) => (test.tags ? tagList(test.tags) : tagsIn(titleOf(test)));

function annotationsOf(test) {
  const all = test.annotations.slice(0, WORDS).map(({ type, description }) => ({ type: short(type), description: description && short(description) }));
  return all.length > 0 ? all : undefined;
}

const STATUS = { expected: 'passed', unexpected: 'failed', flaky: 'flaky', skipped: 'skipped' };

export default class FunkytownReporter {
  constructor() {
    this.root = process.cwd();
    this.specs = new Map();
    this.stray = null; // the last error that no spec could be named for: { message, at }
    this.stopping = false;
    const first = !globalThis[INSTANCE];
    globalThis[INSTANCE] = true;
    this.events = new Events(first ? process.env.FUNKYTOWN_EVENTS : undefined);
    if (this.events.open) this.#endInGoodOrder();
  }

  #endInGoodOrder() {
    process.once('SIGINT', () => {
      this.stopping = true;
      if (process.listenerCount('SIGINT') === 0) process.kill(process.pid, 'SIGINT'); // Playwright does not listen yet, or any more
    });
    process.once('SIGTERM', () => {
      this.stopping = true;
      process.kill(process.pid, 'SIGINT');
    });
  }

  printsToStdio() {
    return false;
  }

  onBegin(config, root) {
    for (const test of root.allTests()) {
      const name = relative(this.root, fileOf(test));
      if (!this.specs.has(name)) this.specs.set(name, new Spec(name));
      const spec = this.specs.get(name);
      spec.tests.push(test);
      spec.unfinished.add(test.id);
      spec.retries ||= test.retries > 0;
    }
  }

  #specOf(test) {
    return this.specs.get(relative(this.root, fileOf(test)));
  }

  onTestBegin(test) {
    this.#specOf(test)?.begin();
  }

  onTestEnd(test, result) {
    const spec = this.#specOf(test);
    if (!spec || spec.settled) return;
    spec.begin();
    spec.endedAt = performance.now();

    // When the run is being stopped, the browser goes away under a running test: what it then says is not its verdict.
    if (result.status === 'interrupted' || (this.stopping && result.status !== 'skipped' && result.status !== test.expectedStatus)) {
      spec.interrupted ??= test;
      return;
    }
    if (!test.ok() && result.retry < test.retries) {
      spec.retrying = true;
      return;
    }
    if (!spec.retries) this.#report(spec, test); // else it may still be run again
    spec.unfinished.delete(test.id);
    const isLast = [...this.specs.values()].every((other) => other.settled || other === spec);
    if (spec.unfinished.size === 0 && !spec.retrying && !isLast) this.#settle(spec);
  }

  onError(error) {
    const { error: described, location } = describe([error]);
    if (/^(?:Error: )?No tests found/.test(described.message)) {
      if (this.stray) return; // that is why
      described.message = 'No tests found: there is no test in the file, or testDir, testMatch, testIgnore or grep of the Playwright configuration leave it out.';
    }
    const file = location && relative(this.root, location.file);
    const [, source, title] = FOCUSED.exec(described.message) ?? [];
    if (source && file) described.message = `${file}:${location.line}: "${title}" is focused with .only, which leaves out the other tests (forbidden by the ${source}).`;
    const event = { event: 'error', error: described, file, line: location?.line };
    const spec = this.specs.get(file);
    if (spec && !spec.settled) {
      spec.error ??= event; // told when the file's tests have ended
      return;
    }
    this.stray = { message: described.message, at: performance.now() };
    // Before any test is known, the place says which file did not load.
    if (this.specs.size === 0 && file) event.spec = file;
    this.events.write(event);
  }

  onEnd(result) {
    for (const spec of this.specs.values())
      if (!spec.settled) this.#settleAtEnd(spec, result.status);
    this.events.close();
  }

  #report(spec, test) {
    const outcome = test.outcome();
    const last = test.results.at(-1);
    const failures = failuresOf(test);
    const event = {
      event: 'test', spec: spec.name, title: titleOf(test), status: STATUS[outcome], duration_ms: Math.round(last?.duration ?? 0), retry: last?.retry || undefined,
    };
    let location = test.location;
    if (outcome === 'unexpected' || outcome === 'flaky') {
      const described = failures.length > 0 ? describe(failures.at(-1).errors) : { error: { message: this.#withoutError(test, last) } };
      event.error = described.error;
      event.steps = stepList(stepsOf(failures.at(-1)?.steps ?? last?.steps ?? []));
      location = described.location ?? location;
    }
    event.file = relative(this.root, location.file);
    event.line = location.line;
    event.column = location.column;
    event.tags = tagsOf(test);
    event.annotations = annotationsOf(test);
    const attachments = test.results.flatMap((each) => each.attachments).filter((attachment) => attachment.path)
      .map(({ name, path: file, contentType }) => ({ name: short(name), path: file, type: contentType }));
    if (attachments.length > 0) event.attachments = attachments.slice(0, WORDS);
    this.events.write(event);
  }

  #withoutError(test, last) {
    if (test.expectedStatus === 'failed' && last?.status === 'passed') return 'Expected to fail, but passed.';
    return `Expected ${test.expectedStatus}, but the test ended ${last?.status ?? 'without a result'}.`;
  }

  #reportHeld(spec) {
    if (!spec.retries) return;
    spec.retries = false;
    for (const test of spec.tests)
      if (test.results.length > 0 && test.results.at(-1).status !== 'interrupted') this.#report(spec, test);
  }

  /** Every test of the file has its final result. */
  #settle(spec) {
    this.#reportHeld(spec);
    const failed = spec.tests.filter((test) => test.outcome() === 'unexpected');
    if (failed.length > 0 && failed.every(isInfrastructure)) {
      const { error, location } = describe(failuresOf(failed[0]).at(-1).errors);
      const place = location ?? failed[0].location;
      return this.#fail(spec, error, relative(this.root, place.file), place.line);
    }
    if (failed.length > 0) return this.#conclude(spec, 'failed');
    if (spec.error) return this.#fail(spec, spec.error.error, spec.error.file, spec.error.line);
    if (spec.count('expected') + spec.count('flaky') === 0)
      return this.#settleSkipped(spec);
    this.#conclude(spec, 'passed');
  }

  #settleSkipped(spec) {
    const kept = spec.tests.filter((test) => !hasSkippedItself(test));
    if (kept.length === 0) return this.#conclude(spec, 'skipped');
    this.#fail(spec, { message: `No test ran: ${kept.length} of ${spec.tests.length} did not skip themselves.` }, spec.name);
  }

  #settleAtEnd(spec, status) {
    this.#reportHeld(spec);
    const pending = spec.tests.filter((test) => spec.unfinished.has(test.id) && !(spec.retrying && test.results.length > 0));
    const unexpected = spec.count('unexpected');
    if (this.stopping || spec.interrupted || status === 'interrupted') {
      if (pending.length === 0) return this.#settle(spec);
      const test = spec.interrupted;
      const where = test ? `in “${titleOf(test).join(' › ')}”` : `before ${pending.length} of its ${spec.tests.length} tests`;
      return this.#fail(spec, { message: `Interrupted ${where}.` }, relative(this.root, (test ?? pending[0]).location.file), (test ?? pending[0]).location.line);
    }
    if (pending.length > 0 && unexpected === 0) return this.#fail(spec, { message: this.#whyNotRun(spec, pending, status) }, spec.name);
    if (this.stray?.at >= spec.startedAt && unexpected === 0)
      return this.#fail(spec, { message: plain(`All tests of this spec ended well, but then: ${this.stray.message}`) }, spec.name);
    this.#settle(spec);
  }

  #whyNotRun(spec, pending, status) {
    const how = pending.length === spec.tests.length ? 'No test ran' : `${pending.length} of ${spec.tests.length} tests did not run`;
    const error = spec.error?.error.message ?? this.stray?.message;
    if (error) return plain(`${how}: ${error}`);
    for (const other of this.specs.values()) {
      const culprit = other !== spec && other.tests.find((test) => test.outcome() === 'unexpected' && test.results.length > 0);
      if (culprit) return plain(`${how}: “${titleOf(culprit).join(' › ')}” in ${other.name} failed before. ${failuresOf(culprit).at(-1)?.errors.map(messageOf)[0] ?? ''}`);
    }
    return status === 'timedout' ? `${how}: the time limit of the whole run (globalTimeout) was over.` : `${how}.`;
  }

  #conclude(spec, status) {
    spec.settled = true;
    this.events.write({ event: 'spec', spec: spec.name, status, duration_ms: spec.duration_ms });
  }

  #fail(spec, error, file, line) {
    spec.settled = true;
    this.events.write({ event: 'error', spec: spec.name, error, file, line });
  }
}
