import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_MESSAGE, errorPattern, groupErrors } from '../../../html/src/errors.js';
import { everything, runOf } from './runs.mjs';

test('what varies from task to task is left out of a pattern', () => {
  assert.equal(errorPattern('Timeout 5000ms at locator(\'#cart-7\')'), errorPattern('Timeout 30000ms at locator(\'#menu\')'));
  assert.equal(errorPattern('id 0f8fad5b-d9cb-469f-a165-70867728950e'), errorPattern('id 7c9e6679-7425-40de-944b-e07fc1f90ae7'));
  assert.equal(errorPattern('commit 1a2b3c4d'), errorPattern('commit 99ffee00'));
  assert.notEqual(errorPattern('net::ERR_FAILED'), errorPattern('net::ERR_ABORTED'));
});

test('problems are counted by pattern, the most frequent first; what passed is not among them', () => {
  const run = runOf([
    { status: 3, message: 'expected 1', browser: 'chrome' }, { status: 5, message: 'exit 127' }, { status: 3, message: 'expected 2', browser: 'firefox' },
    { status: 4, message: 'expected 3' }, { status: 3 }, { status: 2 },
  ]);
  const errors = groupErrors(run, everything);
  assert.deepEqual(errors.map(({ pattern, rows }) => [pattern, rows]), [['expected #', [0, 2]], ['exit #', [1]], [NO_MESSAGE, [4]]]);
  assert.equal(errors[0].example, 'expected 1');
  assert.equal(errors[0].browsers, 2);
  assert.deepEqual(groupErrors(run, (row) => row === 1).map(({ rows }) => rows), [[1]]);
});
