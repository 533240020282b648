import assert from 'node:assert/strict';
import { test } from 'node:test';
import { readAddress, writeAddress } from '../../../html/src/address.js';
import { statusMask } from '../../../html/src/filters.js';
import { NATURAL } from '../../../html/src/order.js';

test('defaults leave the address empty', () => {
  assert.equal(writeAddress(readAddress('')), '');
  assert.deepEqual(readAddress('').sort, NATURAL);
});

test('all of it survives being written and read', () => {
  const state = {
    filter: { text: 'ünïcode & more = 100%', statuses: statusMask(['failed', 'error']), browser: 'chrome', viewport: 'mobile', group: 'a b', error: 'Timeout #ms' },
    sort: { column: 'duration', descending: true }, view: 'matrix', task: 'task:search:3', attempt: 2,
  };
  assert.deepEqual(readAddress(writeAddress(state)), state);
});

test('keys, paths and lists stay readable', () => {
  const address = writeAddress({ ...readAddress('?status=failed,error'), task: 'task:search:3' });
  assert.equal(address, '?status=failed,error&task=task:search:3');
});

test('nonsense is ignored', () => {
  const { filter, sort, view, attempt } = readAddress('?status=purple&sort=-nothing&view=pie&attempt=x');
  assert.equal(filter.statuses, 0);
  assert.deepEqual(sort, NATURAL);
  assert.equal(view, 'tasks');
  assert.equal(attempt, 0);
});
