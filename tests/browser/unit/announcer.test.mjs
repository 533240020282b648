import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createAnnouncer } from '../../../html/src/announcer.js';
import { applyDelta } from '../../../html/src/run.js';
import { deltaOf, runOf, summaryOf } from './runs.mjs';

function listener() {
  const said = [];
  let timer = null;
  const announcer = createAnnouncer({ say: (text) => said.push(text), setTimeout: (action) => { timer = action; return 1; }, clearTimeout: () => { timer = null; } });
  return { said, announcer, wait: () => { const action = timer; timer = null; action?.(); } };
}

const fail = (run, announcer, rows) => announcer.update(run, applyDelta(run, deltaOf(run, rows.map((row) => [row, { status: 3 }]))));

test('a failure is said at once, those that follow are summed up', () => {
  const { said, announcer, wait } = listener();
  const run = runOf(Array.from({ length: 9 }, () => ({})), { summary: { counts: { total: 9, failed: 1 } } });
  announcer.begin(run);
  fail(run, announcer, [0]);
  fail(run, announcer, [1, 2]);
  fail(run, announcer, [3, 4, 5]);
  assert.deepEqual(said, ['1 new failure: s0.spec.ts in g. 1 of 9 done.']);
  wait();
  assert.equal(said[1], '5 new failures: s1.spec.ts in g, s2.spec.ts in g, s3.spec.ts in g and more. 1 of 9 done.');
  wait();
  assert.equal(said.length, 2);
});

test('what had failed when the page opened, and a failure said already, are not news', () => {
  const { said, announcer } = listener();
  const run = runOf([{ status: 3 }, {}]);
  announcer.begin(run);
  fail(run, announcer, [0]);
  assert.deepEqual(said, []);
});

test('the verdict is said at once, and once', () => {
  const { said, announcer } = listener();
  const run = runOf([{ status: 2 }]);
  announcer.begin(run);
  run.summary = summaryOf({ state: 'finished', verdict: 'passed', counts: { total: 1, passed: 1 } });
  announcer.update(run, []);
  announcer.update(run, []);
  assert.deepEqual(said, ['The run has finished: Passed. The one task passed.']);
});

test('that the controller has gone is said once, and that one is there again', () => {
  const { said, announcer } = listener();
  announcer.contact('');
  announcer.contact('The controller is gone.');
  announcer.contact('The controller is gone.');
  announcer.contact('');
  announcer.contact('');
  assert.deepEqual(said, ['The controller is gone.', 'The controller is back.']);
});
