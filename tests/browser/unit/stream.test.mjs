import assert from 'node:assert/strict';
import { test } from 'node:test';
import { openStream } from '../../../html/src/stream.js';

// A network and a clock that the test moves by hand.
function world() {
  const requests = [];
  const sources = [];
  let clock = 1000;
  const timers = new Map();
  let ids = 0;
  class EventSource {
    static CLOSED = 2;
    readyState = 1;
    listeners = {};
    constructor(address) { this.address = address; sources.push(this); }
    addEventListener(name, listener) { this.listeners[name] = listener; }
    close() { this.closed = true; }
    emit(name, data, lastEventId) { this.listeners[name]({ data: JSON.stringify(data), lastEventId }); }
    fail(readyState) { this.readyState = readyState; this.onerror(); }
  }
  const env = {
    EventSource,
    Date: { now: () => clock },
    fetch: (address) => new Promise((resolve, reject) => requests.push({
      address, reject, answer: (status, body) => resolve({ status, ok: status < 300, json: async () => body }),
    })),
    setTimeout: (action, ms) => { timers.set(++ids, { action, ms }); return ids; },
    clearTimeout: (id) => timers.delete(id),
  };
  const seen = { snapshots: [], deltas: [], phases: [] };
  const ends = [];
  const sinces = [];
  const stream = openStream({
    api: 'api', env,
    onSnapshot: (snapshot) => seen.snapshots.push(snapshot.seq),
    onDelta: (delta) => { if (delta.bad) throw new Error('does not fit'); seen.deltas.push(delta.seq); },
    onEnd: (end) => ends.push(end.state),
    onPhase: (phase, since) => { sinces.push(since); if (seen.phases.at(-1) !== phase) seen.phases.push(phase); },
  });
  const settle = () => new Promise((resolve) => { setImmediate(resolve); });
  return {
    seen, ends, stream, requests, sources, timers, settle,
    since: () => sinces.at(-1),
    wait: (ms) => { clock += ms; },
    request: () => requests.at(-1),
    source: () => sources.at(-1),
    answer: async (status, body) => { requests.at(-1).answer(status, body); await settle(); },
    refuse: async () => { requests.at(-1).reject(new TypeError('unreachable')); await settle(); },
    fire: async () => { const [[id, { action, ms }]] = [...timers]; timers.delete(id); action(); await settle(); return ms; },
  };
}

const snapshot = (seq, epoch = 'e1') => ({ epoch, seq });

test('a snapshot, then deltas from there on', async () => {
  const w = world();
  assert.equal(w.request().address, 'api/snapshot');
  await w.answer(200, snapshot(5));
  assert.equal(w.source().address, 'api/events?since=e1:5');
  w.source().onopen();
  w.source().emit('delta', { seq: 6 }, 'e1:6');
  w.source().emit('delta', { seq: 9 }, 'e1:9');
  assert.deepEqual(w.seen, { snapshots: [5], deltas: [6, 9], phases: ['loading', 'live'] });
});

test('waits while the run is not there, and asks again', async () => {
  const w = world();
  await w.answer(503);
  await w.fire();
  await w.answer(404);
  await w.fire();
  await w.answer(200, snapshot(1));
  w.source().onopen();
  assert.deepEqual(w.seen.phases, ['loading', 'waiting', 'live']);
});

test('a lost stream is opened again where it was, ever more patiently', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().onopen();
  w.source().emit('delta', { seq: 7 }, 'e1:7');
  const waits = [];
  for (let i = 0; i < 8; i += 1) {
    w.source().fail(0);
    waits.push(await w.fire());
  }
  assert.equal(w.source().address, 'api/events?since=e1:7');
  assert.equal(w.requests.length, 1);
  assert.ok(waits[0] <= 625 && waits[7] >= 11250 && waits[7] <= 18750, String(waits));
  w.source().onopen();
  assert.deepEqual(w.seen.phases, ['loading', 'live', 'lost', 'live']);
});

test('after an HTTP error the snapshot tells what is the matter', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().fail(2);
  await w.fire();
  assert.equal(w.requests.length, 2);
  await w.refuse();
  await w.fire();
  await w.answer(200, snapshot(1, 'e2'));
  assert.equal(w.source().address, 'api/events?since=e2:1');
});

test('reset, another epoch, or a delta that does not fit: the snapshot again', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().emit('reset', {});
  assert.equal(w.requests.length, 2);
  assert.ok(w.source().closed);
  await w.answer(200, snapshot(8, 'e2'));
  w.source().emit('delta', { seq: 9 }, 'e3:9');
  assert.equal(w.requests.length, 3);
  await w.answer(200, snapshot(2, 'e3'));
  w.source().emit('delta', { seq: 3, bad: true }, 'e3:3');
  await w.fire();
  assert.equal(w.requests.length, 4);
  assert.deepEqual(w.seen.deltas, []);
});

test('a stream that is silent for long is opened anew, without a word', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().onopen();
  const [first] = w.sources;
  assert.equal(await w.fire(), 45_000);
  assert.ok(first.closed);
  assert.equal(w.sources.length, 2);
  assert.deepEqual(w.seen.phases, ['loading', 'live']);
});

test('what a closed source still says is not heard', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  const [old] = w.sources;
  old.emit('reset', {});
  await w.answer(200, snapshot(8, 'e2'));
  old.emit('delta', { seq: 9 }, 'e1:9');
  old.emit('reset', {});
  old.fail(0);
  assert.equal(w.requests.length, 2);
  assert.deepEqual(w.seen.deltas, []);
});

test('the network is back: no more waiting', async () => {
  const w = world();
  await w.refuse();
  w.stream.retryNow();
  assert.equal(w.requests.length, 2);
  w.stream.retryNow();
  assert.equal(w.requests.length, 2);
});

test('the controller ends on purpose: its last words, and no hurry to find another', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().onopen();
  const [source] = w.sources;
  w.wait(250);
  source.emit('end', { seq: 7, state: 'finished', summary: {} }, 'e1:7');
  assert.ok(source.closed);
  assert.deepEqual(w.ends, ['finished']);
  assert.equal(w.since(), 1250);
  const waits = [];
  for (let i = 0; i < 8; i += 1) {
    waits.push(await w.fire());
    w.wait(waits[i]);
    await w.refuse();
  }
  assert.ok(waits[0] >= 3000 && waits[0] <= 5000 && waits[7] >= 45_000 && waits[7] <= 75_000, String(waits));
  assert.deepEqual(w.seen.phases, ['loading', 'live', 'ended']);
  assert.equal(w.since(), 1250);
});

test('after the end another controller is waited for, followed, and lost again like the first', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().onopen();
  w.source().emit('end', { seq: 5, state: 'interrupted', summary: {} }, 'e1:5');
  w.stream.retryNow();
  await w.answer(503);
  await w.fire();
  await w.answer(200, snapshot(1, 'e2'));
  w.source().onopen();
  assert.equal(w.since(), 0);
  w.source().fail(0);
  assert.deepEqual(w.seen.phases, ['loading', 'live', 'ended', 'waiting', 'live', 'lost']);
});

test('lost since the stream broke; if it only fell silent, since it last said something', async () => {
  const w = world();
  await w.answer(200, snapshot(5));
  w.source().onopen();
  w.wait(20_000);
  w.source().fail(0);
  assert.equal(w.since(), 21_000);
  await w.fire();
  w.source().onopen();
  w.wait(45_000);
  await w.fire();
  w.wait(10_000);
  assert.equal(await w.fire(), 10_000);
  assert.equal(w.since(), 21_000);
  assert.equal(w.seen.phases.at(-1), 'lost');
});
