// The run as the page holds it: one typed array per column and one list per string table, never an
// object per task, so that 100,000 tasks cost a few megabytes and a delta costs its own length. Only what went
// wrong is a list of objects for its row: run.failures.
//
// Pure: no network, no DOM. Rows are task indices in plan order, as in the API.

const INDEX_COLUMNS = ['group', 'number', 'spec', 'viewport', 'browser', 'runner', 'worker', 'message'];
const COUNT_COLUMNS = ['attempt', 'tests', 'tests_failed'];
const TIME_COLUMNS = ['started_ms', 'duration_ms'];
export const TABLES = ['groups', 'specs', 'viewports', 'browsers', 'runners', 'workers', 'messages'];

/** All of them; controller/board_columns.c has the same. */
export const COLUMNS = ['status', ...INDEX_COLUMNS, ...COUNT_COLUMNS, ...TIME_COLUMNS];

/** Those of the failed tests, and of the errors that they have; controller/board_json.c has the same. */
export const FAILURE_COLUMNS = ['task', 'title', 'error', 'file', 'line'];
export const ERROR_COLUMNS = ['message', 'expected', 'received', 'cause'];
export const FAILURE_TABLES = ['titles', 'files'];

/** The snapshot of the API -> a run. Throws on a snapshot whose columns do not fit together. */
export function loadRun(snapshot) {
  const { tasks } = snapshot;
  const size = tasks.status.length;
  const column = (name, Type) => {
    const values = tasks[name];
    if (!Array.isArray(values) || values.length !== size) throw new Error(`snapshot: tasks.${name}: expected ${size} values`);
    return Type.from(values);
  };
  const run = {
    epoch: snapshot.epoch,
    seq: snapshot.seq,
    summary: snapshot.summary,
    excluded: snapshot.excluded ?? [],
    size,
    status: column('status', Uint8Array),
    tables: {},
    // How often a row changed since it was loaded: lets a view redraw only what differs.
    changes: new Uint32Array(size),
    // Attempts before the last, as far as they were seen to be followed by another: { row, worker, from, to }, in ms. A snapshot has none.
    earlier: [],
  };
  for (const name of INDEX_COLUMNS) run[name] = column(name, Int32Array);
  for (const name of COUNT_COLUMNS) run[name] = column(name, Uint32Array);
  for (const name of TIME_COLUMNS) run[name] = column(name, Float64Array);
  for (const name of TABLES) run.tables[name] = snapshot[name].slice();
  run.failures = loadFailures(snapshot, size);
  run.failuresDropped = snapshot.failures_dropped ?? 0;
  run.workerNumbers = numbering(run.tables.workers);
  run.messageNumbers = numbering(run.tables.messages);
  return run;
}

const NO_FAILURES = [];

/**
 * What is wrong with a task, one by one, as { title, message, expected, received, cause, file, line }: a title of '' is the task's
 * own, and those of one cause are the same error.
 */
export const failuresOf = (run, row) => run.failures.get(row) ?? NO_FAILURES;

function loadFailures({ failures = {}, errors = {}, titles = [], files = [] }, size) {
  const byRow = new Map();
  const [tasks, title, error, file, line] = FAILURE_COLUMNS.map((name) => failures[name] ?? []);
  const texts = ERROR_COLUMNS.map((name) => errors[name] ?? []);
  tasks.forEach((row, i) => {
    if (!(row >= 0 && row < size)) throw new Error(`snapshot: failures.task[${i}]: no task ${row}`);
    addFailure(byRow, row, titles[title[i]], texts.map((column) => column[error[i]]), files[file[i]], line[i]);
  });
  return byRow;
}

function addFailure(byRow, row, title, [message, expected, received, cause], file, line) {
  const failure = { title: title ?? '', message: message ?? '', expected: expected ?? '', received: received ?? '', cause: cause ?? '', file: file ?? '', line };
  if (byRow.has(row)) byRow.get(row).push(failure);
  else byRow.set(row, [failure]);
}

/** Applies one delta in place; returns the rows that changed, empty for a delta already seen. */
export function applyDelta(run, delta) {
  if (delta.seq <= run.seq) return [];
  run.seq = delta.seq;
  run.summary = delta.summary;
  const rows = [];
  for (const [row, status, attempt, startedMs, durationMs, worker, message, tests, testsFailed] of delta.tasks) {
    if (!(row >= 0 && row < run.size)) throw new Error(`delta ${delta.seq}: no task ${row}`);
    if (attempt > run.attempt[row] && run.started_ms[row] > 0 && run.worker[row] >= 0) run.earlier.push(lastAttemptOf(run, row, startedMs));
    run.status[row] = status;
    run.attempt[row] = attempt;
    run.started_ms[row] = startedMs;
    run.duration_ms[row] = durationMs;
    run.worker[row] = intern(run.tables.workers, run.workerNumbers, worker);
    run.message[row] = intern(run.tables.messages, run.messageNumbers, message);
    run.tests[row] = tests;
    run.tests_failed[row] = testsFailed;
    run.changes[row] += 1;
    run.failures.delete(row);
    rows.push(row);
  }
  for (const [row, title, message, expected, received, cause, file, line] of delta.failures ?? []) {
    addFailure(run.failures, row, title, [message, expected, received, cause], file, line);
  }
  run.failuresDropped = delta.failures_dropped ?? 0;
  return rows;
}

// Of one that is followed in the same delta it isn't told how long it took, but that it was over.
function lastAttemptOf(run, row, nextMs) {
  const from = run.started_ms[row];
  return { row, worker: run.worker[row], from, to: run.duration_ms[row] > 0 ? from + run.duration_ms[row] : Math.max(from, nextMs) };
}

function numbering(table) {
  return new Map(table.map((text, number) => [text, number]));
}

function intern(table, numbers, text) {
  if (!text) return -1;
  let number = numbers.get(text);
  if (number === undefined) {
    number = table.push(text) - 1;
    numbers.set(text, number);
  }
  return number;
}

/** "task:search:3" */
export function taskKey(run, row) {
  return `task:${run.tables.groups[run.group[row]]}:${run.number[row]}`;
}

/** The row of a task key, -1 if this run has no such task. */
export function taskRow(run, key) {
  const match = /^task:(.*):(\d+)$/su.exec(key);
  if (!match) return -1;
  const group = run.tables.groups.indexOf(match[1]);
  const number = Number(match[2]);
  for (let row = 0; group >= 0 && row < run.size; row += 1) {
    if (run.group[row] === group && run.number[row] === number) return row;
  }
  return -1;
}

export const specOf = (run, row) => run.tables.specs[run.spec[row]];
export const groupOf = (run, row) => run.tables.groups[run.group[row]];
export const viewportOf = (run, row) => run.tables.viewports[run.viewport[row]];
export const browserOf = (run, row) => run.tables.browsers[run.browser[row]];
export const workerOf = (run, row) => run.tables.workers[run.worker[row]] ?? '';
export const messageOf = (run, row) => run.tables.messages[run.message[row]] ?? '';
