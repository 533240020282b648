// The list that the table shows: which rows, in which order, and what is held back while somebody reads.
//
// Held means: a row that is in the list keeps its place and only changes its looks. What would have
// moved or vanished is remembered as `pending` until the reader lets go. Two things still enter a held list,
// because hiding them would be worse than a moved row: tasks that begin to match, and failures out of sight.
// The table keeps the reader's row where it is on the screen when something enters above it. Pure.

import { compareBy, mergeRows, sortRows } from './order.js';
import { isProblem } from './status.js';

/**
 * A listing: { rows, places, pending, entered }; places[row] is where the row stands, -1 if it is not in the list;
 * entered: the rows that the last update put in their places.
 */
export function createListing(run, matches, sort) {
  const compare = compareBy(run, sort);
  return withPlaces({ run, matches, compare, natural: sort.column === '', pending: new Set(), entered: [] }, sortRows(run, matches, compare));
}

/**
 * The listing after `changed` rows changed. held: null, or { isVisible(row) } while the order is held.
 */
export function updateListing(listing, changed, held) {
  const { run, matches, compare, places } = listing;
  const pending = new Set(listing.pending);
  const moving = new Set();
  for (const row of changed) {
    const stays = held && places[row] >= 0 && !(listing.natural && isProblem(run.status[row]) && matches(row) && !held.isVisible(row));
    (stays ? pending : moving).add(row);
  }
  if (held) {
    for (const row of moving) pending.delete(row);
  } else {
    for (const row of pending) moving.add(row);
    pending.clear();
  }
  const next = { ...listing, pending, entered: [...moving].filter(matches) };
  return moving.size ? withPlaces(next, mergeRows(listing.rows, moving, matches, compare, run.size)) : next;
}

/** How many rows would move or vanish if the order were let go now. */
export function countMoves({ run, rows, places, pending, matches, compare }) {
  let moves = 0;
  for (const row of pending) {
    const place = places[row];
    const inOrder = (place === 0 || compare(rows[place - 1], row) < 0)
      && (place === rows.length - 1 || compare(row, rows[place + 1]) < 0);
    if (!inOrder || !matches(row)) moves += 1;
  }
  return moves;
}

function withPlaces(listing, rows) {
  const places = new Int32Array(listing.run.size).fill(-1);
  for (let place = 0; place < rows.length; place += 1) places[rows[place]] = place;
  return { ...listing, rows, places };
}

/** The next row with a problem after (step 1) or before (step -1) a place in the list, -1 if there is none. */
export function nextProblem({ run, rows }, place, step) {
  for (let at = place + step; at >= 0 && at < rows.length; at += step) {
    if (isProblem(run.status[rows[at]])) return rows[at];
  }
  return -1;
}
