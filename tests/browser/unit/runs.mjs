// Small runs for tests of the page's pure modules.

import { ERROR_COLUMNS, FAILURE_COLUMNS, loadRun } from '../../../html/src/run.js';

/**
 * A run from a list of tasks { group, spec, viewport, browser, status, … }; what is left out has a default, and the
 * string tables are made from what occurs. failures: [[row, title, message, expected, received, cause, file, line], …].
 */
export function runOf(tasks, { excluded = [], summary = {}, failures = [] } = {}) {
  const full = tasks.map((task, i) => ({
    group: 'g', number: i, spec: `s${i}.spec.ts`, viewport: 'desktop', browser: 'chrome', status: 0, attempt: 0, started_ms: 0, duration_ms: 0,
    worker: '', message: '', tests: 0, tests_failed: 0, ...task,
  }));
  const table = (name) => [...new Set(full.map((task) => task[name]))].filter(Boolean);
  const snapshot = { epoch: 'e', seq: 10, excluded, runners: ['playwright'], tasks: { runner: full.map(() => 0) }, summary: summaryOf(summary) };
  for (const name of ['group', 'spec', 'viewport', 'browser', 'worker', 'message']) {
    snapshot[`${name}s`] = table(name);
    snapshot.tasks[name] = full.map((task) => snapshot[`${name}s`].indexOf(task[name]));
  }
  for (const name of ['number', 'status', 'attempt', 'started_ms', 'duration_ms', 'tests', 'tests_failed']) snapshot.tasks[name] = full.map((task) => task[name]);
  return loadRun({ ...snapshot, ...failureTables(failures) });
}

/** The tables of a snapshot from rows as a delta has them. */
export function failureTables(failures, dropped = 0) {
  const [titles, errors, files] = [[], [], []];
  const index = (table, key) => {
    if (key === null || key === undefined) return -1;
    if (!table.includes(key)) table.push(key);
    return table.indexOf(key);
  };
  const rows = failures.map(([row, title, message, expected, received, cause, file, line]) => [
    row, index(titles, title), index(errors, JSON.stringify([message, expected, received, cause])), index(files, file), line ?? 0,
  ]);
  const columns = (names, list) => Object.fromEntries(names.map((name, i) => [name, list.map((entry) => entry[i])]));
  return {
    failures: columns(FAILURE_COLUMNS, rows), errors: columns(ERROR_COLUMNS, errors.map((text) => JSON.parse(text))), titles, files, failures_dropped: dropped,
  };
}

export function summaryOf({ counts = {}, ...rest } = {}) {
  return {
    run_id: 'run-1', state: 'running', verdict: null, excluded: 0, tests: { passed: 0, failed: 0, skipped: 0, flaky: 0 }, started_at: '2026-11-24T10:00:00Z', finished_at: null,
    wall_s: 1, idle_s: 0, compute_s: 1, eta_s: null, workers: { live: 1, lost: 0 }, bound_s: null, efficiency: null, ...rest,
    counts: { total: 0, queued: 0, running: 0, passed: 0, failed: 0, flaky: 0, error: 0, cancelled: 0, skipped: 0, ...counts },
  };
}

/** A delta that changes tasks: [[row, { status, … }], …]. */
export function deltaOf(run, changes, failures = []) {
  return {
    failures, failures_dropped: 0,
    seq: run.seq + 1, summary: run.summary,
    tasks: changes.map(([row, { status = run.status[row], attempt = 1, started = 0, duration = 0, worker = '', message = '', tests = 0, failed = 0 }]) => [row, status, attempt, started, duration, worker, message, tests, failed]),
  };
}

export const everything = () => true;
