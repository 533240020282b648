// What is wrong with a task in one line of the list: which test, and what was expected against what came; else what the
// error said. Pure.

import { failuresOf, messageOf } from './run.js';
import { oneLine } from './text.js';

// Longer ones would push each other out of the line.
const BOTH_FIT = 80;

/**
 * @returns { title, expected, received, message, more }: the test's title, '': there is none; either expected and
 * received or message are told; more: how many failures there are besides.
 */
export function headlineOf(run, row) {
  const [first, ...others] = failuresOf(run, row);
  if (!first) return { title: '', expected: '', received: '', message: oneLine(messageOf(run, row)), more: 0 };
  const [title, expected, received, message] = [first.title, first.expected, first.received, first.message].map(oneLine);
  const fit = expected !== '' && received !== '' && expected !== received && expected.length + received.length <= BOTH_FIT;
  return { title, expected: fit ? expected : '', received: fit ? received : '', message: fit ? '' : message || oneLine(messageOf(run, row)), more: others.length };
}

/** The same as text. */
export function headlineText({ title, expected, received, message, more }) {
  const said = expected ? `expected ${expected}, received ${received}` : message;
  return `${[title, said].filter(Boolean).join(': ')}${more ? `, and ${more} more` : ''}`;
}
