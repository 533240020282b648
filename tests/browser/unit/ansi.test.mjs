import assert from 'node:assert/strict';
import { test } from 'node:test';
import { lineText, parseAnsi, troubleLines } from '../../../html/src/ansi.js';
import { oneLine, splitPath, stripAnsi } from '../../../html/src/text.js';

const pieces = (text) => parseAnsi(text).map((line) => line.map(({ text: words, style }) => [words, style.className, style.color || style.background].filter(Boolean)));

test('text without codes is itself, line by line', () => {
  assert.deepEqual(parseAnsi('a\nb\r\n\nc').map(lineText), ['a', 'b', '', 'c']);
});

test('colours and attributes become classes, and carry over lines', () => {
  assert.deepEqual(pieces('\u001b[1;31mred\nstill\u001b[0m plain'), [[['red', 'ansi-bold ansi-fg-1']], [['still', 'ansi-bold ansi-fg-1'], [' plain']]]);
  assert.deepEqual(pieces('\u001b[93;44mx\u001b[39my\u001b[49mz'), [[['x', 'ansi-fg-11 ansi-bg-4'], ['y', 'ansi-bg-4'], ['z']]]);
  assert.deepEqual(pieces('\u001b[1;2mx\u001b[22my'), [[['x', 'ansi-bold ansi-dim'], ['y']]]);
});

test('palette and direct colours', () => {
  assert.deepEqual(pieces('\u001b[38;5;9ma\u001b[38;5;208mb\u001b[38;5;244mc\u001b[38;2;1;2;3md'), [[['a', 'ansi-fg-9'], ['b', 'rgb(255 135 0)'], ['c', 'rgb(128 128 128)'], ['d', 'rgb(1 2 3)']]]);
});

test('inverse swaps, also what was never set', () => {
  assert.deepEqual(pieces('\u001b[7mx'), [[['x', 'ansi-fg-inverse ansi-bg-inverse']]]);
  assert.deepEqual(pieces('\u001b[31;7mx'), [[['x', 'ansi-fg-inverse ansi-bg-1']]]);
});

test('broken colours are ignored and never reach a style', () => {
  assert.deepEqual(pieces('\u001b[38;2;999;0;0ma\u001b[38;5;300mb\u001b[38;5mc\u001b[38;2;1md'), [[['a'], ['b'], ['c'], ['d']]]);
});

test('a carriage return starts its line again', () => {
  assert.deepEqual(parseAnsi('10%\r50%\rdone\nnext').map(lineText), ['done', 'next']);
  assert.deepEqual(parseAnsi('kept\r').map(lineText), ['kept']);
});

test('links, cursor movements and control characters fall away; hidden text is shown', () => {
  assert.equal(lineText(parseAnsi('\u001b]8;;javascript:alert(1)\u0007link\u001b]8;;\u001b\\ \u001b[2K\u001b[1Aok\u0000\u0008')[0]), 'link ok');
  assert.deepEqual(pieces('\u001b[8msecret'), [[['secret']]]);
  assert.equal(lineText(parseAnsi('cut \u001b[')[0]), 'cut ');
});

test('markup is text', () => {
  assert.equal(lineText(parseAnsi('<img src=x onerror=alert(1)>')[0]), '<img src=x onerror=alert(1)>');
});

test('lines that look like trouble', () => {
  const log = ['ok', 'Error: boom', '  ✘ adds', 'TypeError: x', 'no errors here', 'FAILED tests/a', '0 failed', 'java.lang.NullPointerException', 'Traceback (most recent call last):', 'waiting for terror: none'];
  assert.deepEqual(troubleLines(parseAnsi(log.join('\n'))), [1, 2, 3, 5, 7, 8]);
});

test('plain text for cells', () => {
  assert.equal(stripAnsi('\u001b[31mred\u001b[0m\u0007'), 'red');
  assert.equal(oneLine(' a\n\t b\u001b[1m c '), 'a b c');
  assert.deepEqual(splitPath('tests/cart/a.spec.ts'), ['tests/cart/', 'a.spec.ts']);
  assert.deepEqual(splitPath('a.spec.ts'), ['', 'a.spec.ts']);
});
