import assert from 'node:assert/strict';
import { test } from 'node:test';
import { applyDelta, failuresOf, loadRun, messageOf, specOf, taskKey, taskRow, workerOf } from '../../../html/src/run.js';
import { deltaOf, runOf } from './runs.mjs';

test('a snapshot becomes columns, and a row can be read back by name', () => {
  const run = runOf([{ group: 'search', number: 0, spec: 'a.spec.ts' }, { group: 'cart', number: 3, spec: 'b.spec.ts', worker: 'w1', message: 'boom', status: 3 }]);
  assert.equal(run.size, 2);
  assert.equal(specOf(run, 1), 'b.spec.ts');
  assert.equal(workerOf(run, 0), '');
  assert.equal(workerOf(run, 1), 'w1');
  assert.equal(messageOf(run, 1), 'boom');
  assert.equal(taskKey(run, 1), 'task:cart:3');
});

test('a key finds its row; a group may hold colons, and strangers find nothing', () => {
  const run = runOf([{ group: 'a:b', number: 7 }, { group: 'c', number: 0 }]);
  assert.equal(taskRow(run, 'task:a:b:7'), 0);
  assert.equal(taskRow(run, 'task:c:0'), 1);
  for (const key of ['task:c:1', 'task:d:0', 'task:c', 'c:0', '', 'task:c:x']) assert.equal(taskRow(run, key), -1, key);
});

test('a delta changes rows in place and learns strings that it has not seen', () => {
  const run = runOf([{}, { worker: 'w1' }]);
  const rows = applyDelta(run, deltaOf(run, [[0, { status: 3, worker: 'w2', message: 'new', duration: 5 }], [1, { status: 2, worker: 'w1' }]]));
  assert.deepEqual(rows, [0, 1]);
  assert.equal(run.status[0], 3);
  assert.equal(workerOf(run, 0), 'w2');
  assert.equal(workerOf(run, 1), 'w1');
  assert.equal(messageOf(run, 0), 'new');
  assert.deepEqual(run.tables.workers, ['w1', 'w2']);
  assert.equal(run.changes[0], 1);
  assert.equal(run.seq, 11);
});

test('failures come with the snapshot and go with their task', () => {
  const run = runOf([{}, {}], { failures: [[1, 'cart › adds', 'not equal\nhere', '3', '2', 'c1', 'a.ts', 7], [1, null, 'exit 1'], [0, 'cart › adds', 'not equal\nhere', '3', '2', 'c1', 'a.ts', 9]] });
  const adds = { title: 'cart › adds', message: 'not equal\nhere', expected: '3', received: '2', cause: 'c1', file: 'a.ts', line: 7 };
  const own = { title: '', message: 'exit 1', expected: '', received: '', cause: '', file: '', line: 0 };
  assert.deepEqual(failuresOf(run, 1), [adds, own]);
  assert.deepEqual(failuresOf(run, 0), [{ ...adds, line: 9 }]);
  applyDelta(run, deltaOf(run, [[1, { status: 1 }]]));
  assert.deepEqual(failuresOf(run, 1), []);
  applyDelta(run, deltaOf(run, [[0, { status: 3 }]], [[0, 'cart › adds', 'not equal\nhere', '3', '2', 'c1', 'a.ts', 7]]));
  assert.deepEqual(failuresOf(run, 0), [adds]);
  assert.throws(() => runOf([{}], { failures: [[1, 'a']] }), /no task 1/);
});

test('a delta that was seen already changes nothing', () => {
  const run = runOf([{}]);
  const delta = deltaOf(run, [[0, { status: 2 }]]);
  applyDelta(run, delta);
  assert.deepEqual(applyDelta(run, { ...delta, tasks: [[0, 3, 1, 0, 0, '', '', 0, 0]] }), []);
  assert.equal(run.status[0], 2);
});

test('what does not fit is refused', () => {
  const run = runOf([{}]);
  assert.throws(() => applyDelta(run, deltaOf(run, [[5, {}]])), /no task 5/);
  assert.throws(() => loadRun({ tasks: { status: [0, 1], group: [0] } }), /tasks\.group: expected 2 values/);
});
