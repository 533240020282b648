import assert from 'node:assert/strict';
import { test } from 'node:test';
import { EMPTY, EXCLUDED, buildMatrix, neighbour, problemsByColumn, visibleLines } from '../../../html/src/matrix.js';
import { buildTimeline, firstReaching, nextBar, rowsByStart, spanOf, ticks } from '../../../html/src/timeline.js';
import { applyDelta } from '../../../html/src/run.js';
import { deltaOf, everything, runOf } from './runs.mjs';

const run = runOf([
  { group: 'a', spec: 'x', viewport: 'desktop', browser: 'chrome', status: 3 },
  { group: 'a', spec: 'x', viewport: 'desktop', browser: 'firefox' },
  { group: 'a', spec: 'x', viewport: 'mobile', browser: 'chrome' },
  { group: 'a', spec: 'y', viewport: 'desktop', browser: 'firefox', status: 5 },
  { group: 'b', spec: 'x', viewport: 'desktop', browser: 'chrome' },
], { excluded: [{ group: 'a', spec: 'x', viewport: 'mobile', browser: 'firefox', reason: 'no touch' }, { group: 'b', spec: 'gone', viewport: 'tv', browser: 'chrome', reason: 'none' }] });
const matrix = buildMatrix(run);

test('the matrix has a line for each spec of each group and a column for each pair that occurs', () => {
  assert.deepEqual(matrix.columns.map(({ viewport, browser }) => `${run.tables.viewports[viewport]} ${run.tables.browsers[browser]}`), ['desktop chrome', 'desktop firefox', 'mobile chrome', 'mobile firefox']);
  assert.deepEqual(matrix.lines.map(({ cells }) => [...cells]), [[0, 1, 2, EXCLUDED], [EMPTY, 3, EMPTY, EMPTY], [4, EMPTY, EMPTY, EMPTY]]);
  assert.deepEqual(problemsByColumn(matrix, run), [1, 1, 0, 0]);
});

test('lines that match, under the headings of their groups', () => {
  const shape = (matches) => visibleLines(matrix, matches).map((line) => (line.heading === undefined ? `line ${line.cells.find((row) => row >= 0)}` : `group ${line.heading}`));
  assert.deepEqual(shape(everything), ['group 0', 'line 0', 'line 3', 'group 1', 'line 4']);
  assert.deepEqual(shape((row) => row === 4), ['group 1', 'line 4']);
});

test('arrow keys skip headings and gaps, and stop at the edge', () => {
  const lines = visibleLines(matrix, everything);
  assert.equal(neighbour(lines, -1, [1, 0]), 0);
  assert.equal(neighbour(lines, 0, [1, 0]), 1);
  assert.equal(neighbour(lines, 2, [1, 0]), 2);
  assert.equal(neighbour(lines, 0, [0, 1]), 4);
  assert.equal(neighbour(lines, 1, [0, 1]), 3);
  assert.equal(neighbour(lines, 3, [0, -1]), 1);
});

test('tasks of a worker stand in one lane, in several where they overlap', () => {
  const live = runOf([
    { worker: 'w10', status: 2, started_ms: 1000, duration_ms: 100 }, { worker: 'w9', status: 3, started_ms: 1000, duration_ms: 500 },
    { worker: 'w9', status: 1, started_ms: 1200 }, { worker: 'w9', status: 2, started_ms: 1500, duration_ms: 100 }, {},
  ]);
  const rows = rowsByStart(live);
  assert.deepEqual(rows, [0, 1, 2, 3]);
  const { from, to, lanes, workers } = buildTimeline(live, rows, 2000);
  assert.deepEqual([from, to, lanes], [1000, 2000, 2]);
  assert.deepEqual(workers.map(({ name, rows: own, laneOf, problems }) => [name, own, laneOf, problems]), [['w9', [1, 2, 3], [0, 1, 0], 1], ['w10', [0], [0], 0]]);
  assert.equal(workers[0].busyMs, 500 + 800 + 100);
  applyDelta(live, deltaOf(live, [[4, { status: 1, started: 1100, worker: 'w10' }]]));
  assert.deepEqual(rowsByStart(live, rows), [0, 1, 4, 2, 3]);
});

test('the first bar that can reach a moment', () => {
  const live = runOf([10, 20, 30, 40].map((started_ms) => ({ started_ms, duration_ms: 15, status: 2 })));
  assert.equal(firstReaching(live, [0, 1, 2, 3], 30, 15), 1);
  assert.equal(firstReaching(live, [0, 1, 2, 3], 5, 15), 0);
  assert.equal(firstReaching(live, [0, 1, 2, 3], 999, 15), 4);
});

test('round times on the axis', () => {
  assert.deepEqual(ticks(0, 60_000, 0, 6), [0, 10_000, 20_000, 30_000, 40_000, 50_000, 60_000]);
  assert.deepEqual(ticks(1_012_000, 1_021_000, 1_000_000, 5), [12_000, 14_000, 16_000, 18_000, 20_000]);
});

test('the axis is that of the whole run', () => {
  const bars = { from: 1000, to: 5000 };
  assert.deepEqual(spanOf(bars, { started_at: new Date(500).toISOString(), finished_at: new Date(9000).toISOString() }), { from: 500, to: 9000 });
  assert.deepEqual(spanOf(bars, { started_at: new Date(2000).toISOString(), finished_at: new Date(3000).toISOString() }), bars);
  assert.deepEqual(spanOf(bars, { started_at: null, finished_at: null }), bars);
});

test('keys lead along a worker, and to what another one did at that time', () => {
  const live = runOf([10, 20, 30, 15, 25].map((started_ms, i) => ({ started_ms, duration_ms: 5, status: 2, worker: i < 3 ? 'a' : 'b' })));
  const { workers } = buildTimeline(live, rowsByStart(live), 99);
  assert.deepEqual([nextBar(live, workers, -1, [1, 0]), nextBar(live, workers, 0, [1, 0]), nextBar(live, workers, 0, [-1, 0]), nextBar(live, workers, 2, [1, 0])], [0, 1, 0, 2]);
  assert.deepEqual([nextBar(live, workers, 2, [0, 1]), nextBar(live, workers, 0, [0, 1]), nextBar(live, workers, 4, [0, -1]), nextBar(live, workers, 4, [0, 1])], [4, 3, 1, 4]);
});

test('an attempt that was followed by another stays in the picture, in a lane of its worker', () => {
  const live = runOf([{ worker: 'w1', status: 1, started_ms: 1000, attempt: 1 }, { worker: 'w1', status: 1, started_ms: 1100, attempt: 1 }, {}]);
  applyDelta(live, deltaOf(live, [[0, { status: 0, attempt: 1, started: 1000, duration: 300, worker: 'w1' }]]));
  assert.deepEqual(live.earlier, []);
  applyDelta(live, deltaOf(live, [[0, { status: 1, attempt: 2, started: 1500, worker: 'w2' }], [1, { status: 1, attempt: 2, started: 1800, worker: 'w1' }], [2, { status: 1, attempt: 1, started: 1800, worker: 'w2' }]]));
  assert.deepEqual(live.earlier, [{ row: 0, worker: 0, from: 1000, to: 1300 }, { row: 1, worker: 0, from: 1100, to: 1800 }]);
  const { from, workers, lanes } = buildTimeline(live, rowsByStart(live), 2000);
  assert.deepEqual([from, lanes], [1000, 2]);
  assert.deepEqual(workers.map(({ name, rows, earlier }) => [name, rows, earlier.map(({ row, lane }) => [row, lane])]), [['w1', [1], [[0, 0], [1, 1]]], ['w2', [0, 2], []]]);
});
