// Tasks that didn't end well and are tried again: queued or running for the API, and a state of their own for who reads.
// Told from the columns: a queued task that failed still has its message; one that was only handed back has none. Pure.

import { QUEUED, RETRYING, RUNNING } from './status.js';

export function isRetrying({ status, attempt, message }, row) {
  if (status[row] === RUNNING) return attempt[row] > 1;
  return status[row] === QUEUED && (attempt[row] > 1 || (attempt[row] === 1 && message[row] >= 0));
}

/** The state that a reader sees: a status, or RETRYING. */
export const shownStatus = (run, row) => (isRetrying(run, row) ? RETRYING : run.status[row]);

/** How many of the queued and of the running tasks are being tried again, by the names of their states. */
export function countRetrying(run) {
  const counts = { queued: 0, running: 0 };
  for (let row = 0; row < run.size; row += 1) if (isRetrying(run, row)) counts[run.status[row] === QUEUED ? 'queued' : 'running'] += 1;
  return { ...counts, all: counts.queued + counts.running };
}
