import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FILTER, compileFilter, statusMask } from '../../../html/src/filters.js';
import { countMoves, createListing, nextProblem, updateListing } from '../../../html/src/listing.js';
import { NATURAL, compareBy, mergeRows, sortRows } from '../../../html/src/order.js';
import { countRetrying } from '../../../html/src/retrying.js';
import { applyDelta } from '../../../html/src/run.js';
import { deltaOf, everything, runOf } from './runs.mjs';

const [QUEUED, RUNNING, PASSED, FAILED, FLAKY, ERROR] = [0, 1, 2, 3, 4, 5];
const change = (run, changes) => applyDelta(run, deltaOf(run, changes));
const visible = { isVisible: () => true };
const hidden = { isVisible: () => false };

test('the natural order: problems as they happened, running longest first, flaky, the rest as planned', () => {
  const run = runOf([
    { status: QUEUED }, { status: PASSED, duration_ms: 1, started_ms: 1 }, { status: RUNNING, started_ms: 50 }, { status: FAILED, started_ms: 10, duration_ms: 30 },
    { status: FLAKY }, { status: ERROR, started_ms: 20, duration_ms: 5 }, { status: RUNNING, started_ms: 40 },
  ]);
  assert.deepEqual([...sortRows(run, everything, compareBy(run, NATURAL))], [5, 3, 6, 2, 4, 0, 1]);
});

test('what is tried again stands below the problems: running, then waiting', () => {
  const run = runOf([
    { status: RUNNING, started_ms: 1, attempt: 1 }, { status: QUEUED, attempt: 1, started_ms: 5, message: 'boom' }, { status: QUEUED, attempt: 1 }, { status: RUNNING, started_ms: 40, attempt: 2 },
    { status: FAILED, started_ms: 10, attempt: 2 }, { status: QUEUED, attempt: 2 }, { status: QUEUED },
  ]);
  assert.deepEqual([...sortRows(run, everything, compareBy(run, NATURAL))], [4, 3, 5, 1, 0, 2, 6]);
  assert.deepEqual(countRetrying(run), { queued: 2, running: 1, all: 3 });
  const matching = (...names) => [...sortRows(run, compileFilter(run, { ...NO_FILTER, statuses: statusMask(names) }), compareBy(run, NATURAL))];
  assert.deepEqual([matching('retrying'), matching('running'), matching('queued')], [[3, 5, 1], [0], [2, 6]]);
});

test('by a column, up and down: equal rows as planned, rows without a value last either way', () => {
  const run = runOf([{ duration_ms: 5, worker: 'w10' }, { worker: 'w9' }, { duration_ms: 9 }, { duration_ms: 5, worker: 'w9' }]);
  const order = (column, descending) => [...sortRows(run, everything, compareBy(run, { column, descending }))];
  assert.deepEqual(order('duration', false), [0, 3, 2, 1]);
  assert.deepEqual(order('duration', true), [2, 0, 3, 1]);
  assert.deepEqual(order('worker', false), [1, 3, 0, 2]);
  assert.deepEqual(order('worker', true), [0, 1, 3, 2]);
});

test('status sorts by urgency', () => {
  const run = runOf([{ status: PASSED }, { status: ERROR }, { status: QUEUED }, { status: FAILED }]);
  assert.deepEqual([...sortRows(run, everything, compareBy(run, { column: 'status', descending: false }))], [3, 1, 2, 0]);
});

test('merging a few changes gives what sorting again would', () => {
  let state = 7;
  const random = (n) => { state = (state * 48271) % 2147483647; return state % n; };
  const run = runOf(Array.from({ length: 300 }, () => ({ status: random(6), started_ms: random(100), duration_ms: random(50) })));
  for (const sort of [NATURAL, { column: 'duration', descending: true }, { column: 'status', descending: false }]) {
    const compare = compareBy(run, sort);
    const matches = compileFilter(run, { ...NO_FILTER, statuses: statusMask(['failed', 'passed', 'running']) });
    let rows = sortRows(run, matches, compare);
    for (let round = 0; round < 40; round += 1) {
      const changed = new Set(Array.from({ length: 7 }, () => random(300)));
      change(run, [...changed].map((row) => [row, { status: random(6), started: random(100), duration: random(50) }]));
      rows = mergeRows(rows, changed, matches, compare, run.size);
      assert.deepEqual(rows, sortRows(run, matches, compare));
    }
  }
});

test('a listing that nobody holds follows the run', () => {
  const run = runOf([{}, {}, {}]);
  let listing = createListing(run, everything, NATURAL);
  assert.deepEqual([...listing.rows], [0, 1, 2]);
  listing = updateListing(listing, change(run, [[2, { status: FAILED, started: 1 }]]), null);
  assert.deepEqual([...listing.rows], [2, 0, 1]);
  assert.deepEqual([...listing.places], [1, 2, 0]);
  assert.deepEqual(listing.entered, [2]);
});

test('while held, rows keep their places; released, they take those that are due', () => {
  const run = runOf([{ status: RUNNING, started_ms: 1 }, { status: RUNNING, started_ms: 2 }, {}]);
  let listing = createListing(run, everything, NATURAL);
  listing = updateListing(listing, change(run, [[0, { status: PASSED, started: 1, duration: 3 }]]), visible);
  assert.deepEqual([...listing.rows], [0, 1, 2]);
  assert.equal(countMoves(listing), 1);
  listing = updateListing(listing, [], null);
  assert.deepEqual([...listing.rows], [1, 0, 2]);
  assert.equal(countMoves(listing), 0);
});

test('while held, a failure out of sight still comes to the top, one in sight stays where it is', () => {
  const run = runOf([{ status: FAILED, started_ms: 1 }, {}, {}, {}]);
  const listing = createListing(run, everything, NATURAL);
  const changed = change(run, [[3, { status: FAILED, started: 5 }]]);
  assert.deepEqual([...updateListing(listing, changed, hidden).rows], [0, 3, 1, 2]);
  assert.deepEqual([...updateListing(listing, changed, visible).rows], [0, 1, 2, 3]);
});

test('while held, a row that no longer matches stays, and one that begins to match enters', () => {
  const run = runOf([{ status: RUNNING, started_ms: 1 }, {}]);
  const matches = compileFilter(run, { ...NO_FILTER, statuses: statusMask(['running']) });
  let listing = createListing(run, matches, NATURAL);
  listing = updateListing(listing, change(run, [[0, { status: PASSED }], [1, { status: RUNNING, started: 2 }]]), visible);
  assert.deepEqual([...listing.rows].sort(), [0, 1]);
  assert.equal(countMoves(listing), 1);
  assert.deepEqual([...updateListing(listing, [], null).rows], [1]);
});

test('a change that needs no move is not counted as one', () => {
  const run = runOf([{}, { status: RUNNING, started_ms: 1 }, {}]);
  let listing = createListing(run, everything, { column: 'spec', descending: false });
  listing = updateListing(listing, change(run, [[1, { status: PASSED }]]), visible);
  assert.equal(countMoves(listing), 0);
});

test('the next and the previous problem, and none at the ends', () => {
  const run = runOf([{ status: PASSED }, { status: FAILED }, { status: PASSED }, { status: ERROR }]);
  const listing = createListing(run, everything, { column: 'spec', descending: false });
  assert.equal(nextProblem(listing, -1, 1), 1);
  assert.equal(nextProblem(listing, 1, 1), 3);
  assert.equal(nextProblem(listing, 3, 1), -1);
  assert.equal(nextProblem(listing, 3, -1), 1);
});
