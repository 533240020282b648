// What all reporters have in common: worker/reporters/events.cjs.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import common from '../../worker/reporters/events.cjs';
import { EventFifo } from './event_fifo.mjs';

const { Events, comparedIn, plain, relative, shown, stepList, tagsIn } = common;

function makeFifo(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'funkytown-events-'));
  t.after(() => rmSync(folder, { recursive: true, force: true }));
  return new EventFifo(path.join(folder, 'events'));
}

// Writing waits for the reader, so it is another process that does it.
const WRITER = `const { Events } = require(${JSON.stringify(fileURLToPath(new URL('../../worker/reporters/events.cjs', import.meta.url)))});
  const events = new Events(process.argv[1]);
  for (const event of JSON.parse(require('node:fs').readFileSync(0, 'utf8'))) events.write(event);`;

/** What comes out of the FIFO when these go in. */
async function pass(t, ...written) {
  const fifo = makeFifo(t);
  const writer = spawn(process.execPath, ['-e', WRITER, fifo.file], { stdio: ['pipe', 'inherit', 'inherit'] });
  writer.stdin.end(JSON.stringify(written));
  assert.deepEqual(await once(writer, 'close'), [0, null]);
  return fifo.events();
}

const stack = 's'.repeat(200 * 1024), attachments = [{ name: 'a'.repeat(200 * 1024) }];

test('an event is a line', async (t) => {
  const written = [{ event: 'test', title: ['één', '🎵\n'] }, { event: 'spec' }];
  assert.deepEqual(await pass(t, ...written), written);
});

for (const [left, event, read] of [
  ['steps', { error: { message: 'm', stack: 's' }, steps: [{ title: stack }, { title: stack }], attachments: [] }, { error: { message: 'm', stack: 's' }, attachments: [] }],
  ['attachments', { error: { message: 'm', stack }, attachments }, { error: { message: 'm', stack } }],
  ['stack and snippet', { error: { message: 'm', stack, snippet: stack } }, { error: { message: 'm' } }],
  ['all titles but the last', { title: [stack, stack, 'last'], error: { message: 'm', stack: 's' } }, { title: ['last'], error: { message: 'm' } }],
]) {
  test(`a line that is too long is without ${left}`, async (t) => {
    assert.deepEqual(await pass(t, event), [read]);
  });
}

test('without a FIFO, or a reader of it, nothing is open and nothing is said', (t) => {
  const fifo = makeFifo(t);
  fifo.abandon();
  for (const name of [undefined, '', '/nowhere/events', fifo.file]) {
    const events = new Events(name);
    assert.equal(events.open, false);
    events.write({ event: 'spec' });
    events.close();
  }
});

test('a reader that goes away ends it', (t) => {
  const fifo = makeFifo(t);
  const events = new Events(fifo.file);
  fifo.abandon();
  events.write({ event: 'spec' });
  assert.equal(events.open, false);
});

for (const [text, clean] of [
  ['\u001b[31mred\u001b[0m \u001b]8;;http://x\u0007link\u001b]8;;\u0007', 'red link'],
  ['a\r\nb\tc\u0000\u0007\u0085', 'a\nb\tc'],
  ['\ud83c half', '\ufffd half'],
  [undefined, 'undefined'],
]) {
  test(`plain text of ${JSON.stringify(text)}`, () => assert.equal(plain(text), clean));
}

for (const [message, compared] of [
  ['Error: expect(received).toBe(expected)\n\nExpected: "tomato"\nReceived: "mustard"', { expected: '"tomato"', received: '"mustard"' }],
  ['expect(locator).toHaveText(expected)\n\nExpected string: "a"\nReceived string: "b"\nTimeout: 5000ms', { expected: '"a"', received: '"b"' }],
  ['toHaveLength\n\nExpected length: 2\nReceived length: 3\nReceived array:  [1, 2, 3]', { expected: '2', received: '3' }],
  ['- Expected  - 1\n+ Received  + 1\n\n- a\n+ b', {}],
  ['Expected to fail, but passed.', {}],
]) {
  test(`what is compared in ${JSON.stringify(message)}`, () => assert.deepEqual(comparedIn(message), compared));
}

test('values are shown as Node shows them, texts as they are, and nothing without end', () => {
  assert.deepEqual(['a\u001b[1mb', 7, null, undefined, { a: [1, 'b'] }].map(shown), ['ab', '7', 'null', 'undefined', "{ a: [ 1, 'b' ] }"]);
  assert.ok(Buffer.byteLength(shown('é'.repeat(1e5))) <= 4096);
  assert.ok(Buffer.byteLength(shown(Array(1e5).fill('x'.repeat(1e4)))) <= 4096);
});

test('tags are the words of titles that begin with @, each once', () => {
  assert.deepEqual(tagsIn(['@cart adds @smoke', 'mail to a@b.example @smoke']), ['@cart', '@smoke']);
  assert.equal(tagsIn(['adds']), undefined);
});

test('of steps the last ones are kept', () => {
  const steps = Array.from({ length: 60 }, (_, i) => ({ title: `s${i}`, depth: i % 2, duration: 1.4, failed: i === 59 }));
  const kept = stepList(steps);
  assert.deepEqual([kept.length, kept[0], kept.at(-1)], [
    50, { title: 's10', depth: undefined, duration_ms: 1, failed: undefined }, { title: 's59', depth: 1, duration_ms: 1, failed: true }]);
  assert.equal(stepList([]), undefined);
});

test('a path elsewhere stays absolute', () => {
  assert.equal(relative('/srv/specs', '/srv/specs/a/b.js'), 'a/b.js');
  assert.equal(relative('/srv/specs', '/srv/other/b.js'), '/srv/other/b.js');
});
