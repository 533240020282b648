// The lists that the page keeps of its own are those of the controller: the columns of the snapshot, the rows of a
// delta, the words of states, verdicts and outcomes.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { COLUMNS, ERROR_COLUMNS, FAILURE_COLUMNS, FAILURE_TABLES, TABLES, applyDelta, failuresOf, loadRun, messageOf, workerOf } from '../../html/src/run.js';
import { OUTCOMES, STATUSES, TESTS } from '../../html/src/status.js';
import { RUN_STATES, VERDICTS } from '../../html/src/verdict.js';
import { Stage, waitFor } from './harness.mjs';

// One fails by two tests, one without a word.
const SCRIPT = `echo boom
tell() { echo "{\\"event\\":\\"test\\",\\"title\\":[\\"cart\\",\\"$1\\"],\\"status\\":\\"failed\\",$2}" > "$FUNKYTOWN_EVENTS"; }
case $FUNKYTOWN_SPEC in
  b) tell adds '"file":"b","line":7,"error":{"message":"not equal","expected":"3","received":"2"}'; tell pays '"error":{}'; exit 1 ;;
  c) exit 1 ;;
esac`;

// The first event of a stream that begins after `since`, as [event, data].
async function firstEvent(url, since) {
  const response = await fetch(`${url}/api/v1/runs/current/events?since=${since}`);
  const decoder = new TextDecoder();
  let text = '';
  for await (const bytes of response.body) {
    text += decoder.decode(bytes, { stream: true });
    const found = text.match(/^event: (\w+)\nid: \S+\ndata: (.*)$/m);
    if (found) return [found[1], JSON.parse(found[2])];
  }
  throw new Error(`the stream ended without an event: ${text}`);
}

const rowsOf = (run) => Array.from({ length: run.size }, (_, row) => ({
  ...Object.fromEntries(COLUMNS.map((name) => [name, run[name][row]])), worker: workerOf(run, row), message: messageOf(run, row), failures: failuresOf(run, row),
}));

test('what the page lists is what the controller tells', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller([stage.map(SCRIPT, ['a', 'b', 'c'])]);
  const url = await stage.url(controller);
  const before = await waitFor('the run', async () => stage.api(controller, '/snapshot').catch(() => null));
  stage.worker();
  await waitFor('its end', async () => (await stage.api(controller, '')).state === 'finished');
  const after = await stage.api(controller, '/snapshot');

  assert.deepEqual(Object.keys(after.tasks).sort(), [...COLUMNS].sort());
  const rest = Object.keys(after).filter((name) => !['epoch', 'seq', 'summary', 'excluded', 'tasks', 'failures', 'errors', 'failures_dropped'].includes(name));
  assert.deepEqual(rest.sort(), [...TABLES, ...FAILURE_TABLES].sort());
  assert.deepEqual(Object.keys(after.failures).sort(), [...FAILURE_COLUMNS].sort());
  assert.deepEqual(Object.keys(after.errors).sort(), [...ERROR_COLUMNS].sort());
  assert.deepEqual(Object.keys(after.summary.counts), ['total', ...STATUSES.map(({ name }) => name)]);
  assert.deepEqual(Object.keys(after.summary.tests).sort(), Object.keys(TESTS).sort());

  assert.deepEqual(after.failures, { task: [1, 1, 2], title: [0, 1, -1], error: [0, 1, 2], file: [0, -1, -1], line: [7, 0, 0] });
  assert.deepEqual(after.titles, ['cart › adds', 'cart › pays']);
  assert.deepEqual(after.errors.message, ['not equal', null, 'exit 1']);
  const found = await stage.api(controller, '/tasks?q=Cart%20%E2%80%BA%20pays');
  assert.deepEqual(found.tasks.map(({ failures }) => failures.map(({ title, received }) => [title, received])), [[['cart › adds', '2'], ['cart › pays', null]]]);

  const { tasks: listed } = await stage.api(controller, '/tasks');
  assert.deepEqual(listed.map(({ status }) => status), after.tasks.status.map((status) => STATUSES[status].name));

  // A row of a delta has its cells in the order in which the page takes them.
  const run = loadRun(before);
  const [name, delta] = await firstEvent(url, `${before.epoch}:${before.seq}`);
  assert.equal(name, 'delta');
  applyDelta(run, delta);
  assert.deepEqual(rowsOf(run), rowsOf(loadRun(after)));
  for (const column of COLUMNS) {
    const { status } = await fetch(`${url}/api/v1/runs/current/tasks?sort=${column}`);
    assert.equal(status, 200, column);
  }
});

// The texts of a table in a C file.
function textsOf(file, table) {
  const source = readFileSync(new URL(`../../${file}`, import.meta.url), 'utf8');
  const found = source.match(new RegExp(`\\b${table}\\[\\w*\\] = \\{([^;]*)\\};`));
  assert.ok(found, `${file} has a table ${table}`);
  return [...found[1].matchAll(/"([^"]*)"/g)].map(([, text]) => text);
}

// No single run is in every state and ends in every way, so these are compared with what is written in C.
test('the words that the page has for runs, attempts and tests are those that C has', () => {
  assert.deepEqual(Object.keys(RUN_STATES), textsOf('controller/board.c', 'run_state_names'));
  assert.deepEqual(Object.keys(VERDICTS), textsOf('controller/board.c', 'verdict_names'));
  assert.deepEqual(Object.keys(OUTCOMES), textsOf('shared/record.c', 'outcome_names'));
  assert.deepEqual(Object.keys(TESTS).sort(), textsOf('worker/judge.c', 'statuses').sort());
});
