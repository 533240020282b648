import assert from 'node:assert/strict';
import { test } from 'node:test';
import { exampleOf, groupErrors } from '../../../html/src/errors.js';
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
  assert.equal(errors[0].browsers, 2);
  assert.deepEqual(groupErrors(run, (row) => row === 1).map(({ rows }) => rows), [[1]]);
});

test('a cause has an example as long as the run has one of it', () => {
  const run = runOf([{ status: 3 }, { status: 4 }], { failures: [failure(0, 'c1', 'first'), failure(1, 'c2', 'passed then')] });
  assert.equal(exampleOf(run, 'c1').message, 'first');
  assert.equal(exampleOf(run, 'c2').message, 'passed then');
  assert.equal(exampleOf(run, 'gone'), undefined);
});
