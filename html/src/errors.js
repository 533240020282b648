// The errors of the run, each once. Which failures are the same error the controller says, by their cause: one broken
// service usually fails a hundred specs with messages that differ only in ports, ids and times. Pure.

import { failuresOf } from './run.js';
import { isProblem } from './status.js';

/** Whether something that is wrong with the row has this cause. */
export const hasCause = (run, row, cause) => isProblem(run.status[row]) && failuresOf(run, row).some((failure) => failure.cause === cause);

/** The first failure of this cause, undefined without one. */
export function exampleOf(run, cause) {
  for (let row = 0; row < run.size; row += 1) {
    const failure = failuresOf(run, row).find((candidate) => candidate.cause === cause);
    if (failure) return failure;
  }
  return undefined;
}

/**
 * The causes of a run's problems, those of the most tasks first: [{ cause, example, rows, failures }]; example is the
 * first failure, failures how many there are, rows the tasks.
 */
export function groupErrors(run, matches) {
  const byCause = new Map();
  for (let row = 0; row < run.size; row += 1) {
    if (!isProblem(run.status[row]) || !matches(row)) continue;
    for (const failure of failuresOf(run, row)) {
      let entry = byCause.get(failure.cause);
      if (!entry) byCause.set(failure.cause, entry = { cause: failure.cause, example: failure, rows: [], failures: 0 });
      entry.failures += 1;
      if (entry.rows.at(-1) !== row) entry.rows.push(row);
    }
  }
  return [...byCause.values()].sort((a, b) => b.rows.length - a.rows.length || b.failures - a.failures || a.rows[0] - b.rows[0]);
}

/** What a run has come to: { causes, tests, isLeast }; tests: how many failed; isLeast: of failures that aren't told of there may be more causes. */
export function countCauses(run, causes) {
  let tests = 0;
  for (let row = 0; row < run.size; row += 1) if (isProblem(run.status[row])) tests += run.tests_failed[row];
  return { causes: causes.length, tests, isLeast: run.failuresDropped > 0 };
}
