// Where an error happens, held against where its specs have ended at all: "only in firefox, mobile". Pure.

import { CANCELLED, SKIPPED, isOpen } from './status.js';

// Which rows are of one spec of a group is the plan's matter, so it is found out once for a run.
const lines = new WeakMap();

function linesOf(run) {
  let known = lines.get(run);
  if (known) return known;
  lines.set(run, known = new Map());
  for (let row = 0; row < run.size; row += 1) {
    const line = lineOf(run, row);
    if (known.has(line)) known.get(line).push(row);
    else known.set(line, [row]);
  }
  return known;
}

const lineOf = (run, row) => run.group[row] * run.tables.specs.length + run.spec[row];

/** The rows of the same spec in the same group, this one among them, in the order of the plan. */
export const sameSpec = (run, row) => linesOf(run).get(lineOf(run, row));

const hasEnded = (status) => !isOpen(status) && status !== CANCELLED && status !== SKIPPED;

/** rows that have an error -> { specs, browsers, viewports }: how many specs; names, or null: it is in all of them in which these specs ended. */
export function spreadOf(run, rows) {
  const concerned = new Set(rows.map((row) => lineOf(run, row)));
  const only = (column, table) => {
    const here = new Set(rows.map((row) => run[column][row]));
    const all = new Set(here);
    for (const line of concerned) for (const row of linesOf(run).get(line)) if (hasEnded(run.status[row])) all.add(run[column][row]);
    return here.size < all.size ? [...here].sort((a, b) => a - b).map((number) => run.tables[table][number]) : null;
  };
  return { specs: concerned.size, browsers: only('browser', 'browsers'), viewports: only('viewport', 'viewports') };
}

const NAMED = 4;

/** "only in firefox, mobile"; '': nothing tells it from elsewhere. */
export function describeSpread({ browsers, viewports }) {
  const names = [...browsers ?? [], ...viewports ?? []];
  if (!names.length) return '';
  return `only in ${names.slice(0, NAMED).join(', ')}${names.length > NAMED ? ` and ${names.length - NAMED} more` : ''}`;
}
