// A made-up run for tests of the page: the same seed gives the same run, task by task, and time is what the test says
// it is. It speaks the shapes of the API (ARCHITECTURE.md, "The page and the API"), and nothing else of the controller.

import { failureTables } from './unit/runs.mjs';
import { CANCELLED, ERROR, FAILED, FLAKY, PASSED, QUEUED, RUNNING, SKIPPED, STATUSES } from '../../html/src/status.js';

const GROUPS = ['search', 'checkout', 'account', 'catalog', 'admin'];
const SUBJECTS = ['cart', 'login', 'filters', 'results', 'payment', 'profile', 'orders', 'reviews', 'stock', 'export', 'coupons', 'navigation', 'address', 'wishlist', 'upload', 'audit'];
const KINDS = ['adds', 'edits', 'lists', 'sorts', 'guards', 'recovers'];
const VIEWPORTS = ['desktop', 'mobile'];
const BROWSERS = ['chrome', 'firefox', 'webkit'];
const FAILURES = [
  (n) => `Timeout ${n % 3 ? 5000 : 30000}ms exceeded waiting for locator('#cart-${n}')`,
  (n) => `expect(received).toBe(expected): expected ${n % 40}, received ${(n % 40) + 1}`,
  () => 'page.goto: net::ERR_CONNECTION_REFUSED at http://shop.test/',
  (n) => `TypeError: Cannot read properties of undefined (reading 'item${n % 7}')`,
];
/** As the controller does it, as far as these messages need: what differs from task to task is left out. */
const causeOf = (message) => message.replace(/\d+/g, '#');

const REASONS = ['exit 127', 'timeout', 'signal 9', 'no such spec'];

const SOURCE = { id: '4f2a9c01be77d3a5c1e0b9f8a7d6c5b4a3f2e1d0', branch: 'main', url: 'https://ci.example/runs/7' };

/** Strings that must come out as the characters they are. */
export const HOSTILE = {
  spec: 'tests/<img src=x onerror=alert(1)>/"quote" & \u202egpj.exe \u202c عربي.spec.ts',
  group: 'gröup-<b>ümläut</b>',
  worker: 'worker-"><script>alert(1)</script>',
  source: { id: '<img src=x onerror=alert(1)>', branch: '"><script>alert(1)</script>\u202egnp.', url: 'javascript:alert(1)' },
  message: '\u001b[31mError\u001b[39m: <img src=x onerror="document.title=\'owned\'"> \u202eright to left\u202c مرحبا',
  log: '\u001b[1;31mFAIL\u001b[0m <script>alert(1)</script>\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u0007\n50%\r100%\n\u001b[38;5;208morange\u001b[0m \u001b[38;2;1;2;3mdark\u001b[0m\n',
};

function randomFrom(seed) {
  let state = seed >>> 0;
  return () => {
    state = (state + 0x6d2b79f5) >>> 0;
    let t = Math.imul(state ^ (state >>> 15), 1 | state);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32;
  };
}

/**
 * options: tasks, workers, seed; failing, flaky, erring, skipping: shares of tasks; retries; hostile: puts HOSTILE into task 0;
 * startedMs: when the run began, Unix time; source: what is tested, null: unknown.
 */
export class ReplayRun {
  constructor({ tasks = 60, workers = 4, seed = 1, failing = 0.06, flaky = 0.04, erring = 0.02, skipping = 0, retries = 1, hostile = false, startedMs = Date.now(), source = SOURCE } = {}) {
    this.random = randomFrom(seed);
    this.options = { failing, flaky, erring, skipping, retries };
    this.source = hostile ? HOSTILE.source : source;
    this.runId = `run-replay-${seed}`;
    this.epoch = `e${seed}`;
    this.seq = 1;
    this.startedMs = startedMs;
    this.nowMs = startedMs;
    this.finishedMs = 0;
    this.cancelled = false;
    this.lost = 0;
    this.plan(tasks, hostile);
    this.workers = Array.from({ length: workers }, (_, i) => ({ id: i === 0 && hostile ? HOSTILE.worker : `node-${1 + (i >> 1)}-${'abcdefgh'[i % 8]}${17 + i}`, row: -1 }));
    this.next = 0;
    this.again = [];
    this.open = this.tasks.length;
  }

  plan(size, hostile) {
    this.specs = [];
    this.excluded = [];
    this.tasks = [];
    this.groups = hostile ? [HOSTILE.group, ...GROUPS] : GROUPS;
    const numbers = this.groups.map(() => 0);
    for (let s = 0; this.tasks.length < size; s += 1) {
      const group = hostile && s === 0 ? 0 : (hostile ? 1 : 0) + (Math.floor(s / 4) % GROUPS.length);
      const name = hostile && s === 0 ? HOSTILE.spec
        : `tests/${this.groups[group]}/${SUBJECTS[s % SUBJECTS.length]}-${KINDS[s % KINDS.length]}${s >= 48 ? `-${s}` : ''}.spec.ts`;
      const spec = this.specs.push(name) - 1;
      for (let v = 0; v < VIEWPORTS.length; v += 1) {
        for (let b = 0; b < BROWSERS.length; b += 1) {
          if (VIEWPORTS[v] === 'mobile' && BROWSERS[b] === 'firefox') {
            this.excluded.push({ group: this.groups[group], spec: name, viewport: 'mobile', browser: 'firefox', reason: 'no touch emulation in this browser' });
          } else if (this.tasks.length < size) {
            this.tasks.push(this.draw({ group, number: numbers[group]++, spec, viewport: v, browser: b, hostile: hostile && s === 0 }));
          }
        }
      }
    }
  }

  // What will become of a task is drawn at the start.
  draw(task) {
    const fate = this.random();
    const { failing, flaky, erring, skipping } = this.options;
    const duration = Math.round(Math.min(180_000, 400 * Math.exp(2.6 * Math.abs(this.random() + this.random() - 0.6))));
    const fated = task.hostile ? FAILED : fate < failing ? FAILED : fate < failing + flaky ? FLAKY : fate < failing + flaky + erring ? ERROR : fate < failing + flaky + erring + skipping ? SKIPPED : PASSED;
    return { ...task, fate: fated, lasts: duration, status: QUEUED, attempt: 0, started: 0, duration: 0, worker: '', message: '', tests: 2 + Math.floor(this.random() * 9), failed: 0, attempts: [], changed: 0 };
  }

  touch(task) {
    task.changed = ++this.seq;
  }

  /** Lets ms of the run's time pass. */
  step(ms) {
    const until = this.nowMs + ms;
    while (!this.finishedMs) {
      for (const worker of this.workers) if (worker.row < 0) this.claim(worker);
      const busy = this.workers.filter((worker) => worker.row >= 0);
      if (!busy.length) break;
      const first = busy.reduce((a, b) => (this.endOf(b) < this.endOf(a) ? b : a));
      if (this.endOf(first) > until) break;
      this.nowMs = this.endOf(first);
      this.settle(first);
      if (this.open === 0) this.finishedMs = this.nowMs;
    }
    if (!this.finishedMs) this.nowMs = until;
  }

  /** Runs to the end. */
  finish() {
    while (!this.finishedMs) this.step(3_600_000);
  }

  cancel() {
    for (const task of this.tasks) {
      if (task.status > RUNNING) continue;
      task.status = CANCELLED;
      this.touch(task);
    }
    this.cancelled = true;
    this.finishedMs = this.nowMs;
    this.seq += 1;
  }

  /** Puts back what failed; this time it passes. @returns how many. */
  rerun() {
    let count = 0;
    this.tasks.forEach((task, row) => {
      if (task.status !== FAILED && task.status !== ERROR) return;
      Object.assign(task, { status: QUEUED, message: '', worker: '', duration: 0, failed: 0, fate: PASSED });
      this.again.push(row);
      this.touch(task);
      count += 1;
    });
    this.open += count;
    this.finishedMs = 0;
    return count;
  }

  endOf(worker) {
    const task = this.tasks[worker.row];
    return task.started + task.lasts;
  }

  claim(worker) {
    const row = this.again.shift() ?? (this.next < this.tasks.length ? this.next++ : -1);
    if (row < 0) return;
    const task = this.tasks[row];
    Object.assign(task, { status: RUNNING, attempt: task.attempt + 1, started: this.nowMs, duration: 0, worker: worker.id });
    worker.row = row;
    this.touch(task);
  }

  settle(worker) {
    const task = this.tasks[worker.row];
    const retriesLeft = task.attempt <= this.options.retries;
    const outcome = task.fate === FLAKY ? (task.attempt > 1 ? PASSED : FAILED) : task.fate;
    const n = worker.row;
    const message = outcome === PASSED ? '' : outcome === SKIPPED ? `all ${task.tests} tests are skipped` : outcome === ERROR ? REASONS[n % REASONS.length] : task.hostile ? HOSTILE.message : FAILURES[n % FAILURES.length](n);
    task.duration = task.lasts;
    task.failed = outcome === FAILED ? 1 : 0;
    task.attempts.push({ outcome, message, worker: worker.id, started: task.started, duration: task.lasts });
    const goesOn = outcome === FAILED && retriesLeft;
    task.status = goesOn ? QUEUED : outcome === PASSED && task.attempt > 1 ? FLAKY : outcome;
    task.message = task.status === PASSED ? '' : message || task.message;
    if (goesOn) this.again.push(n);
    else this.open -= 1;
    worker.row = -1;
    this.touch(task);
  }

  /** Changes one task by hand. */
  set(row, change) {
    Object.assign(this.tasks[row], change);
    this.touch(this.tasks[row]);
  }

  summary() {
    const counts = { total: this.tasks.length };
    for (const { name } of STATUSES) counts[name] = 0;
    const tests = { passed: 0, failed: 0, skipped: 0, flaky: 0 };
    let computeMs = 0;
    let openMs = 0;
    for (const task of this.tasks) {
      counts[STATUSES[task.status].name] += 1;
      computeMs += task.attempts.reduce((sum, attempt) => sum + attempt.duration, 0);
      if (task.status <= RUNNING) openMs += task.lasts;
      if (task.status === PASSED || task.status === FLAKY) tests.passed += task.tests;
      if (task.status === SKIPPED) tests.skipped += task.tests;
      if (task.status === FAILED) { tests.failed += task.failed; tests.passed += task.tests - task.failed; }
      if (task.status === FLAKY) { tests.flaky += 1; tests.passed -= 1; }
    }
    const over = this.finishedMs > 0;
    const verdict = this.cancelled ? 'cancelled' : counts.failed ? 'failed' : counts.error ? 'error' : counts.skipped === counts.total ? 'skipped' : 'passed';
    const wallS = (this.nowMs - this.startedMs) / 1000;
    const boundS = Math.max(computeMs / this.workers.length, ...(this.tasks.length < 5000 ? this.tasks.map((task) => task.duration) : [0])) / 1000;
    const left = openMs / this.workers.length / 1000;
    return {
      run_id: this.runId, source: this.source, state: over ? (this.cancelled ? 'cancelled' : 'finished') : 'running', verdict: over ? verdict : null, counts,
      excluded: this.excluded.length, tests, started_at: new Date(this.startedMs).toISOString(), finished_at: over ? new Date(this.finishedMs).toISOString() : null,
      wall_s: wallS, idle_s: 0, compute_s: computeMs / 1000, eta_s: over || wallS < 5 ? null : [left * 0.9, left * 1.3], workers: { live: this.workers.length, lost: this.lost },
      bound_s: over ? boundS : null, efficiency: over && wallS > 0 ? boundS / wallS : null,
    };
  }

  snapshot() {
    const column = (name) => this.tasks.map((task) => task[name]);
    const workers = [...new Set(column('worker'))].filter(Boolean);
    const messages = [...new Set(column('message'))].filter(Boolean);
    const indices = (table, name) => {
      const numbers = new Map(table.map((text, number) => [text, number]));
      return this.tasks.map((task) => numbers.get(task[name]) ?? -1);
    };
    return {
      epoch: this.epoch, seq: this.seq, summary: this.summary(), excluded: this.excluded,
      groups: this.groups, specs: this.specs, viewports: VIEWPORTS, browsers: BROWSERS, runners: ['playwright'], workers, messages,
      tasks: {
        group: column('group'), number: column('number'), spec: column('spec'), viewport: column('viewport'), browser: column('browser'), runner: this.tasks.map(() => 0),
        status: column('status'), attempt: column('attempt'), started_ms: column('started'), duration_ms: column('duration'),
        worker: indices(workers, 'worker'), message: indices(messages, 'message'), tests: column('tests'), tests_failed: column('failed'),
      },
      ...failureTables(this.tasks.flatMap((_, row) => this.failures(row))),
    };
  }

  /** What changed after `since`, or null if nothing did. */
  delta(since) {
    if (since >= this.seq) return null;
    const tasks = [];
    const failures = [];
    this.tasks.forEach((task, row) => {
      if (task.changed <= since) return;
      failures.push(...this.failures(row));
      tasks.push([row, task.status, task.attempt, task.started, task.duration, task.worker, task.message, task.tests, task.failed]);
    });
    return { seq: this.seq, summary: this.summary(), tasks, failures, failures_dropped: 0 };
  }

  /** What is wrong with a task, as rows of a delta. */
  failures(row) {
    const task = this.tasks[row];
    const ended = task.attempts.at(-1);
    if (task.status === ERROR) return [[row, null, task.message, null, null, causeOf(task.message), null, 0]];
    if (!ended || ended.outcome !== FAILED || task.status === RUNNING) return [];
    return Array.from({ length: task.tests }, (_, t) => this.test(task, ended, t)).filter(({ status }) => status === 'failed')
      .map(({ title, file, line, error }) => [row, title.join(' › '), ended.message, ...(task.hostile ? [null, null] : ['"3 items"', '"2 items"']), causeOf(ended.message), file, line]);
  }

  key(row) {
    const task = this.tasks[row];
    return `task:${this.groups[task.group]}:${task.number}`;
  }

  rowOf(key) {
    return this.tasks.findIndex((_, row) => this.key(row) === key);
  }

  detail(row) {
    const task = this.tasks[row];
    return {
      key: this.key(row), group: this.groups[task.group], spec: this.specs[task.spec], viewport: VIEWPORTS[task.viewport], browser: BROWSERS[task.browser], runner: 'playwright',
      status: STATUSES[task.status].name, attempt: task.attempt, message: task.message || null,
      attempts: task.attempts.map((attempt, i) => ({
        attempt: i + 1, outcome: STATUSES[attempt.outcome].name, reason: attempt.outcome === FAILED ? 'exit 1' : attempt.message,
        worker: attempt.worker, started_ms: attempt.started, duration_ms: attempt.duration, max_rss_bytes: 210_000_000 + row * 4096, cpu_ms: Math.round(attempt.duration * 1.3),
        strays: row % 7 === 3 ? 2 : 0, log_bytes: Buffer.byteLength(this.log(row, i + 1)), log_dropped_bytes: 0,
        ...(task.hostile && { unreadable_lines: 1200, unreadable_sample: HOSTILE.message, attachments_dropped: 1, tests_dropped: 3 }),
        tests: attempt.outcome === ERROR ? [] : Array.from({ length: task.tests }, (_, t) => this.test(task, attempt, t)),
      })),
    };
  }

  test(task, attempt, number) {
    const subject = SUBJECTS[task.spec % SUBJECTS.length];
    const failed = attempt.outcome === FAILED && number === 1;
    const file = this.specs[task.spec];
    const test = {
      title: [subject, `${KINDS[number % KINDS.length]} the ${subject}${number > 5 ? ` again (${number})` : ''}`],
      status: failed ? 'failed' : number === 4 || attempt.outcome === SKIPPED ? 'skipped' : 'passed', duration_ms: failed ? 5012 : 90 + number * 57, file, line: 12 + number * 9,
    };
    if (test.status === 'skipped') test.annotations = [{ type: 'skip', description: 'not in this browser' }, { type: 'slow' }];
    if (number === 0) test.annotations = [{ type: 'issue', description: 'SHOP-12' }];
    if (failed) {
      test.retry = 1;
      test.steps = [{ title: 'Open the cart', duration_ms: 140 }, { title: 'page.goto(/cart)', depth: 1, duration_ms: 120 }, { title: 'expect.toHaveText', duration_ms: 4800, failed: true }];
      test.error = {
        ...(!task.hostile && { expected: '"3 items"', received: '"2 items"' }),
        message: `${attempt.message}\n\nExpected: \u001b[32m"3 items"\u001b[39m\nReceived: \u001b[31m"2 items"\u001b[39m`,
        stack: `${attempt.message}\n    at ${file}:${test.line}:31\n    at CartPage.open (tests/pages/cart.ts:40:9)`,
        snippet: `  \u001b[90m19 |\u001b[39m   await page.goto('/cart');\n  \u001b[90m20 |\u001b[39m   await cart.add(item);\n\u001b[31m>\u001b[39m \u001b[90m21 |\u001b[39m   await expect(cart.count).toHaveText('3 items');\n  \u001b[90m   |\u001b[39m   \u001b[31m^\u001b[39m\n  \u001b[90m22 |\u001b[39m });`,
      };
    }
    return test;
  }

  log(row, attemptNumber) {
    const task = this.tasks[row];
    const attempt = task.attempts[attemptNumber - 1];
    if (!attempt) return null;
    const lines = [`Running ${task.tests} tests using 1 worker`, ''];
    for (let t = 0; t < task.tests; t += 1) {
      const { title, status, duration_ms: ms } = this.test(task, attempt, t);
      lines.push(`  ${status === 'failed' ? '\u001b[31m✘\u001b[39m' : status === 'skipped' ? '-' : '\u001b[32m✓\u001b[39m'}  ${t + 1} [${VIEWPORTS[task.viewport]}-${BROWSERS[task.browser]}] › ${title.join(' › ')} \u001b[2m(${ms}ms)\u001b[22m`);
      lines.push(`\u001b[2m      GET /api/items?page=${t} 200 ${12 + t}ms\u001b[22m`);
    }
    if (attempt.outcome !== PASSED && attempt.outcome !== SKIPPED) lines.push('', `  \u001b[31mError: ${attempt.message}\u001b[39m`, '', '    at tests/pages/cart.ts:40:9');
    if (task.logLines) for (let i = 0; i < task.logLines; i += 1) lines.splice(2, 0, `[browser] console.log frame ${i} rendered in ${i % 17}ms`);
    lines.push('', attempt.outcome === PASSED ? `  \u001b[32m${task.tests} passed\u001b[39m` : attempt.outcome === SKIPPED ? `  ${task.tests} skipped` : `  \u001b[31m1 failed\u001b[39m`, '');
    return (task.hostile ? HOSTILE.log : '') + lines.join('\n');
  }
}
