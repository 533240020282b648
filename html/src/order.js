// The order of the rows, and how it changes while somebody reads.
//
// The natural order tells the story of a run: what went wrong, in the order in which it did; what is tried
// again; what is running, longest first; what passed only at a second try; the rest as planned. A new failure comes
// after those already there, so that the ones being read stay where they are.
//
// A list is never sorted again because of a few changes: they are taken out and merged back in. Pure.

import { isRetrying, shownStatus } from './retrying.js';
import { BY_URGENCY, FLAKY, RUNNING, STATUSES, isProblem } from './status.js';

export const COLUMNS = ['status', 'group', 'spec', 'viewport', 'browser', 'duration', 'attempt', 'worker', 'message'];

/** The natural order has no column. */
export const NATURAL = Object.freeze({ column: '', descending: false });

const collator = new Intl.Collator(undefined, { numeric: true });

/** compare(row, row) for a sort; total: equal rows stand in plan order. */
export function compareBy(run, { column, descending }) {
  if (!column) return naturalCompare(run);
  const value = columnValue(run, column);
  const sign = descending ? -1 : 1;
  return (a, b) => {
    const valueA = value(a);
    const valueB = value(b);
    if (valueA === valueB) return a - b;
    // What has no value stands last, whichever way the others are sorted.
    if (valueA === NONE || valueB === NONE) return valueA === NONE ? 1 : -1;
    return sign * (valueA - valueB);
  };
}

const [PROBLEM, TRIED_AGAIN, UNDER_WAY, SECOND_TRY, REST] = [0, 1, 2, 3, 4];
const SECTIONS = STATUSES.map((_, status) => {
  if (isProblem(status)) return PROBLEM;
  if (status === RUNNING) return UNDER_WAY;
  return status === FLAKY ? SECOND_TRY : REST;
});

// Called for every row of a list each time that something changes: no allocations here.
function naturalCompare(run) {
  const { status, started_ms: started, duration_ms: duration } = run;
  const sectionOf = (row) => (isRetrying(run, row) ? TRIED_AGAIN : SECTIONS[status[row]]);
  return (a, b) => {
    const section = sectionOf(a);
    const apart = section - sectionOf(b);
    if (apart !== 0) return apart;
    if (section === PROBLEM) return started[a] + duration[a] - started[b] - duration[b] || a - b;
    if (section === TRIED_AGAIN && status[a] !== status[b]) return status[b] - status[a];
    if (section === UNDER_WAY || section === TRIED_AGAIN) return started[a] - started[b] || a - b;
    return a - b;
  };
}

// Every column sorts by a number: row -> number, NONE where the task has nothing to show in it.
const NONE = -1;

function columnValue(run, column) {
  switch (column) {
    case 'status': return (row) => BY_URGENCY.indexOf(shownStatus(run, row));
    case 'duration': return (row) => run.duration_ms[row] || NONE;
    case 'attempt': return (row) => run.attempt[row] || NONE;
    default: {
      const rank = ranking(run.tables[`${column}s`]);
      return (row) => (run[column][row] < 0 ? NONE : rank(run[column][row]));
    }
  }
}

// Strings are compared once per table and not once per pair of tasks.
function ranking(table) {
  let ranks = [];
  return (number) => {
    if (ranks.length !== table.length) {
      ranks = new Array(table.length);
      table.map((_, entry) => entry)
        .sort((a, b) => collator.compare(table[a], table[b]))
        .forEach((entry, rank) => { ranks[entry] = rank; });
    }
    return ranks[number];
  };
}

/** Every row that matches, in order. */
export function sortRows(run, matches, compare) {
  const rows = [];
  for (let row = 0; row < run.size; row += 1) if (matches(row)) rows.push(row);
  return Int32Array.from(rows.sort(compare));
}

/**
 * `rows` with the changed ones taken out and, where they match, merged back in: a new list. size: of the run.
 */
export function mergeRows(rows, changed, matches, compare, size) {
  const taken = new Uint8Array(size);
  for (const row of changed) taken[row] = 1;
  const incoming = [...changed].filter(matches).sort(compare);
  const merged = new Int32Array(rows.length + incoming.length);
  let length = 0;
  let next = 0;
  for (let place = 0; place < rows.length; place += 1) {
    const row = rows[place];
    if (taken[row] === 1) continue;
    while (next < incoming.length && compare(incoming[next], row) < 0) merged[length++] = incoming[next++];
    merged[length++] = row;
  }
  while (next < incoming.length) merged[length++] = incoming[next++];
  return merged.subarray(0, length);
}
