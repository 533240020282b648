import assert from 'node:assert/strict';
import { test } from 'node:test';
import { countCauses, exampleOf, groupErrors } from '../../../html/src/errors.js';
import { describeSpread, sameSpec, spreadOf } from '../../../html/src/spread.js';
import { everything, runOf } from './runs.mjs';

const failure = (row, cause, message) => [row, 'a test', message, null, null, cause, 'a.ts', 1];

test('problems are counted by cause, that of the most tasks first; what passed is not among them', () => {
  const run = runOf([{ status: 3, browser: 'chrome' }, { status: 5 }, { status: 3, browser: 'firefox' }, { status: 4 }, { status: 3 }, { status: 2 }], {
    failures: [failure(0, 'c1', 'expected 1'), failure(0, 'c1', 'expected 2'), failure(0, 'c3', 'other'), failure(1, 'c2', 'exit 127'),
      failure(2, 'c1', 'expected 3'), failure(3, 'c1', 'expected 4'), failure(4, 'c4', 'x'), failure(4, 'c4', 'x')],
  });
  const errors = groupErrors(run, everything);
  assert.deepEqual(errors.map(({ cause, rows, failures }) => [cause, rows, failures]), [['c1', [0, 2], 3], ['c4', [4], 2], ['c3', [0], 1], ['c2', [1], 1]]);
  assert.equal(errors[0].example.message, 'expected 1');
  assert.deepEqual(groupErrors(run, (row) => row === 1).map(({ rows }) => rows), [[1]]);
});

test('a cause has an example as long as the run has one of it', () => {
  const run = runOf([{ status: 3 }, { status: 4 }], { failures: [failure(0, 'c1', 'first'), failure(1, 'c2', 'passed then')] });
  assert.equal(exampleOf(run, 'c1').message, 'first');
  assert.equal(exampleOf(run, 'c2').message, 'passed then');
  assert.equal(exampleOf(run, 'gone'), undefined);
});

test('what a run has come to: causes, and failed tests of tasks that failed', () => {
  const run = runOf([{ status: 3, tests_failed: 2 }, { status: 5 }, { status: 4, tests_failed: 1 }], { failures: [failure(0, 'c1', 'a'), failure(0, 'c1', 'b'), failure(1, 'c2', 'c')] });
  assert.deepEqual(countCauses(run, groupErrors(run, everything)), { causes: 2, tests: 2, isLeast: false });
  run.failuresDropped = 7;
  assert.ok(countCauses(run, []).isLeast);
});

const spread = (run, rows) => describeSpread(spreadOf(run, rows));

test('only where its specs have ended elsewhere, too, an error is only there', () => {
  const at = (viewport, browser, status, spec = 'x') => ({ spec, viewport, browser, status });
  const run = runOf([at('desktop', 'chrome', 2), at('desktop', 'firefox', 3), at('mobile', 'chrome', 0), at('mobile', 'firefox', 7), at('desktop', 'chrome', 3, 'y'), at('mobile', 'webkit', 6, 'y')]);
  assert.equal(spread(run, [1]), 'only in firefox');
  assert.equal(spread(run, [4]), '');
  assert.equal(spread(run, [1, 4]), '');
  run.status[2] = 4;
  assert.equal(spread(run, [1]), 'only in firefox, desktop');
  assert.equal(spreadOf(run, [1, 4]).specs, 2);
  assert.deepEqual(sameSpec(run, 2), [0, 1, 2, 3]);
  assert.equal(describeSpread({ browsers: ['a', 'b', 'c', 'd', 'e'], viewports: ['f'] }), 'only in a, b, c, d and 2 more');
});
