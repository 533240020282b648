import assert from 'node:assert/strict';
import { test } from 'node:test';
import { NO_FILTER, compileFilter, hasStatus, isUnfiltered, statusMask, statusNames, toggleStatus } from '../../../html/src/filters.js';
import { applyDelta } from '../../../html/src/run.js';
import { deltaOf, runOf } from './runs.mjs';

const run = runOf([
  { group: 'search', number: 0, spec: 'tests/Cart.spec.ts', browser: 'chrome', status: 2, worker: 'node-1' },
  { group: 'search', number: 1, spec: 'tests/login.spec.ts', browser: 'firefox', status: 3, message: '\u001b[31mTimeout\u001b[39m of 5000 ms' },
  { group: 'cart', number: 0, spec: 'tests/pay.spec.ts', viewport: 'mobile', status: 5, message: 'exit 127' },
  { group: 'cart', number: 12, spec: 'tests/pay.spec.ts', status: 0 },
]);
const matching = (change) => [0, 1, 2, 3].filter(compileFilter(run, { ...NO_FILTER, ...change }));

test('no filter lets everything through', () => {
  assert.deepEqual(matching({}), [0, 1, 2, 3]);
  assert.ok(isUnfiltered(NO_FILTER));
  assert.ok(!isUnfiltered({ ...NO_FILTER, text: 'x' }));
});

test('text is looked for in spec, group, worker, message and browser, whatever the case; every word has to occur', () => {
  assert.deepEqual(matching({ text: 'cart' }), [0, 2, 3]);
  assert.deepEqual(matching({ text: 'PAY mobile' }), [2]);
  assert.deepEqual(matching({ text: 'node-1' }), [0]);
  assert.deepEqual(matching({ text: 'timeout of 5000' }), [1]);
  assert.deepEqual(matching({ text: 'nowhere' }), []);
});

test('a key, or a part of one with its colon, is text too', () => {
  assert.deepEqual(matching({ text: 'task:cart:12' }), [3]);
  assert.deepEqual(matching({ text: 'search:1' }), [1]);
});

test('statuses are alternatives; browser, viewport and group narrow', () => {
  assert.deepEqual(matching({ statuses: statusMask(['failed', 'error']) }), [1, 2]);
  assert.deepEqual(matching({ browser: 'firefox' }), [1]);
  assert.deepEqual(matching({ group: 'cart', viewport: 'desktop' }), [3]);
  assert.deepEqual(matching({ group: 'no such group' }), []);
});

test('failed tests are found by their titles and by what they said', () => {
  const told = runOf([{ status: 3 }, { status: 3 }, {}], { failures: [[0, 'Cart › adds', 'one\nTwo lines', 'three', 'four', 'c', 'a.ts', 1], [1, null, 'exit 1']] });
  const found = (text) => [0, 1, 2].filter(compileFilter(told, { ...NO_FILTER, text }));
  for (const text of ['cart', '› adds', 'two', 'THREE', 'four', 'a.ts', 'cart four']) assert.deepEqual(found(text), [0], text);
  assert.deepEqual(found('exit'), [1]);
  assert.deepEqual(found('cart exit'), []);
});

test('a cause selects the problems that have it among others; a task that passed in the end is none', () => {
  const failure = (row, cause) => [row, 'a', 'm', null, null, cause];
  const told = runOf([{ status: 3 }, { status: 5 }, { status: 4 }, { status: 3 }], { failures: [failure(0, 'c1'), failure(0, 'c2'), failure(1, 'c2'), failure(2, 'c2'), failure(3, 'c3')] });
  const found = (error) => [0, 1, 2, 3].filter(compileFilter(told, { ...NO_FILTER, error }));
  assert.deepEqual([found('c1'), found('c2'), found('c3'), found('c4')], [[0], [0, 1], [3], []]);
});

test('a compiled filter follows the run as it goes on', () => {
  const live = runOf([{}, {}]);
  const matches = compileFilter(live, { ...NO_FILTER, text: 'late' });
  assert.ok(!matches(0));
  applyDelta(live, deltaOf(live, [[0, { status: 1, worker: 'late-worker' }]]));
  assert.ok(matches(0));
  assert.ok(!matches(1));
});

test('status masks and names', () => {
  const mask = statusMask(['failed', 'flaky', 'no such', '']);
  assert.deepEqual(statusNames(mask), ['failed', 'flaky']);
  const toggled = toggleStatus({ ...NO_FILTER, statuses: mask }, 3);
  assert.ok(!hasStatus(toggled, 3));
  assert.ok(hasStatus(toggled, 4));
});
