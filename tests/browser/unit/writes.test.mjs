import assert from 'node:assert/strict';
import { test } from 'node:test';
import { createWrites } from '../../../html/src/writes.js';

function asking(answer, kept = new Map()) {
  const sent = [];
  const fetch = async (...args) => {
    sent.push(args);
    if (!answer) throw new TypeError('no route');
    return { ok: answer.status === 200, status: answer.status, json: async () => answer.body };
  };
  const place = { getItem: (name) => kept.get(name) ?? null, setItem: (name, value) => kept.set(name, value), removeItem: (name) => kept.delete(name) };
  return { sent, kept, writes: createWrites({ api: 'api', fetch, storage: () => place }) };
}

test('a write has the token and its body; a token that was taken is kept', async () => {
  const { sent, writes } = asking({ status: 200, body: { rerun: 3 } });
  assert.equal(writes.token(), '');
  assert.equal(await writes.send('rerun', { status: ['failed'], expected_count: 3 }, 's3cret'), '');
  assert.deepEqual(sent, [['api/rerun', { method: 'POST', headers: { authorization: 'Bearer s3cret', 'content-type': 'application/json' }, body: '{"status":["failed"],"expected_count":3}' }]]);
  assert.equal(writes.token(), 's3cret');
});

test('what the controller refuses is told in words, and a wrong token is forgotten', async () => {
  const told = async (status, body) => asking({ status, body }).writes.send('cancel', {}, 'x');
  assert.equal(await told(401, { detail: 'writes need …' }), 'The controller has another token.');
  assert.equal(await told(403, { detail: 'none is configured' }), 'The controller does not allow it: none is configured. It takes a token when it is started with FUNKYTOWN_TOKEN.');
  assert.equal(await told(409, { detail: 'run a is finished already' }), 'The run is not as you saw it: run a is finished already.');
  assert.equal(await told(503, { title: 'Service Unavailable' }), 'The controller refused with HTTP 503: Service Unavailable.');
  assert.equal(await asking(null).writes.send('cancel', {}, 'x'), 'The controller does not answer.');
  const kept = new Map([['funkytown.token', 'old']]);
  const { writes } = asking({ status: 401, body: {} }, kept);
  assert.equal(writes.token(), 'old');
  await writes.send('cancel', {}, 'old');
  assert.equal(writes.token(), '');
});

test('without a storage the token is asked for each time', async () => {
  const writes = createWrites({ api: 'api', fetch: async () => ({ ok: true }), storage: () => { throw new Error('SecurityError'); } });
  assert.equal(writes.token(), '');
  assert.equal(await writes.send('cancel', {}, 'x'), '');
});
