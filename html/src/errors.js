// Failures that say the same thing, counted together: one broken service usually fails a hundred specs
// with messages that differ only in numbers, ids and quoted values. Pure.

import { isProblem } from './status.js';
import { oneLine } from './text.js';

/** The pattern of problems that came without a message. */
export const NO_MESSAGE = '(no message)';

/** The message without what varies from task to task; two messages with one pattern are "the same error". */
export function errorPattern(message) {
  return oneLine(message)
    .replace(/"(?:[^"\\]|\\.)*"|'(?:[^'\\]|\\.)*'|`[^`]*`/g, '“…”')
    .replace(/\b[0-9a-f]{8}(?:-[0-9a-f]{4}){3}-[0-9a-f]{12}\b/gi, '#')
    .replace(/\b(?=[0-9a-f]*\d)[0-9a-f]{7,}\b/gi, '#')
    .replace(/\d+(?:\.\d+)?/g, '#');
}

/**
 * The problems of a run, the most frequent first:
 * [{ pattern, example, rows, failed, error, specs, browsers }], specs and browsers being how many distinct ones.
 */
export function groupErrors(run, matches) {
  const patterns = [];
  const byPattern = new Map();
  for (let row = 0; row < run.size; row += 1) {
    if (!isProblem(run.status[row]) || !matches(row)) continue;
    const number = run.message[row];
    const message = run.tables.messages[number] ?? NO_MESSAGE;
    const pattern = number < 0 ? NO_MESSAGE : (patterns[number] ??= errorPattern(message));
    let entry = byPattern.get(pattern);
    if (!entry) byPattern.set(pattern, entry = { pattern, example: oneLine(message), rows: [] });
    entry.rows.push(row);
  }
  const distinct = (rows, column) => new Set(rows.map((row) => column[row])).size;
  return [...byPattern.values()]
    .map((entry) => ({ ...entry, specs: distinct(entry.rows, run.spec), browsers: distinct(entry.rows, run.browser) }))
    .sort((a, b) => b.rows.length - a.rows.length || a.rows[0] - b.rows[0]);
}
