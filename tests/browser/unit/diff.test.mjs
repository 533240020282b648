import assert from 'node:assert/strict';
import { test } from 'node:test';
import { diffTexts, foldLines } from '../../../html/src/diff.js';

const SIGNS = { both: ' ', expected: '-', received: '+' };
/** As people write a diff, changed words in [brackets]. */
const drawn = (expected, received) => diffTexts(expected, received).map(({ side, pieces }) => SIGNS[side] + pieces.map(({ text, changed }) => (changed ? `[${text}]` : text)).join(''));

test('words that were changed in a line', () => {
  assert.deepEqual(drawn('"3 items"', '"2 items"'), ['-"[3] items"', '+"[2] items"']);
  assert.deepEqual(drawn('the cart is empty', 'the cart is not empty'), ['-the cart is empty', '+the cart is [not ]empty']);
});

test('lines with nothing in common are told whole', () => {
  assert.deepEqual(drawn('200', '404'), ['-200', '+404']);
  assert.deepEqual(drawn('', 'x'), ['-', '+x']);
});

test('what is the same stands once, around what was changed, added and left out', () => {
  assert.deepEqual(drawn('{\n  a: 1,\n  b: 2,\n  gone: 3\n}', '{\n  a: 1,\n  b: 7,\n}'), [' {', '   a: 1,', '-  b: [2],', '-  gone: 3', '+  b: [7],', ' }']);
  assert.deepEqual(drawn('a\nb\nc', 'a\nc\nd'), [' a', '-b', ' c', '+d']);
  assert.deepEqual(drawn('same\ntext', 'same\ntext'), [' same', ' text']);
});

test('what comes out is what went in', () => {
  let seed = 5;
  const random = (n) => { seed = (seed * 48271) % 2147483647; return seed % n; };
  const text = () => Array.from({ length: random(12) }, () => Array.from({ length: random(5) }, () => 'abc '[random(4)]).join('')).join('\n');
  for (let round = 0; round < 300; round += 1) {
    const [expected, received] = [text(), text()];
    const side = (name) => diffTexts(expected, received).filter((line) => line.side === 'both' || line.side === name).map(({ pieces }) => pieces.map((piece) => piece.text).join('')).join('\n');
    assert.equal(side('expected'), expected);
    assert.equal(side('received'), received);
  }
});

test('too much to be compared is told, not compared', () => {
  const long = Array.from({ length: 5000 }, (_, i) => `line ${i}`).join('\n');
  assert.equal(diffTexts(long, 'x').length, 5001);
  const wide = Array.from({ length: 5000 }, (_, i) => i).join(' ');
  assert.deepEqual(drawn(wide, `${wide} x`), [`-${wide}`, `+${wide} x`]);
});

test('long stretches of the same are left out', () => {
  const lines = Array.from({ length: 20 }, (_, i) => `${i}`);
  const folded = foldLines(diffTexts(lines.join('\n'), lines.with(10, 'x').join('\n')));
  assert.deepEqual(folded.map((line) => line.skipped ?? line.pieces[0].text), [7, '7', '8', '9', '10', 'x', '11', '12', '13', 6]);
});
