// The words and order of the eight task states: the one table that chips, rows, matrix, timeline and titles read, so
// that a state looks and is called the same everywhere; and the words of attempts and tests, which look like states.
//
// The numbers are those of the API's `tasks.status` column, the names its words (controller/board.c). That no list here
// has a word more or less than the controller's is held by tests/e2e/page_lists.test.mjs.

export const QUEUED = 0;
export const RUNNING = 1;
export const PASSED = 2;
export const FAILED = 3;
export const FLAKY = 4;
export const ERROR = 5;
export const CANCELLED = 6;
export const SKIPPED = 7;
/** No state of the API's: some of the queued and running ones (retrying.js). */
export const RETRYING = 8;

// Indexed by the number. `name` is the key in summary.counts and in the page's address.
export const STATUSES = [
  { name: 'queued', word: 'Queued' },
  { name: 'running', word: 'Running' },
  { name: 'passed', word: 'Passed' },
  { name: 'failed', word: 'Failed' },
  { name: 'flaky', word: 'Flaky' },
  { name: 'error', word: 'Error' },
  { name: 'cancelled', word: 'Cancelled' },
  { name: 'skipped', word: 'Skipped' },
];

/** The states that a reader sees. */
export const SHOWN = [...STATUSES, { name: 'retrying', word: 'Retrying' }];

// What a reader wants to know first comes first: the order of chips and of sorting by status.
export const BY_URGENCY = [FAILED, ERROR, RETRYING, FLAKY, RUNNING, QUEUED, PASSED, SKIPPED, CANCELLED];

// From settled to open: the order of the segments in the progress bar.
export const BY_PROGRESS = [PASSED, FLAKY, FAILED, ERROR, SKIPPED, CANCELLED, RUNNING, QUEUED];

export const statusNumber = (name) => SHOWN.findIndex((status) => status.name === name);

export const isProblem = (status) => status === FAILED || status === ERROR;

export const isOpen = (status) => status === QUEUED || status === RUNNING;

// How an attempt ended: the words of its record (shared/record.c). `name` is the state whose colour it has.
export const OUTCOMES = {
  passed: STATUSES[PASSED],
  failed: STATUSES[FAILED],
  error: STATUSES[ERROR],
  skipped: STATUSES[SKIPPED],
  released: { name: 'cancelled', word: 'Handed back' },
  lost: { name: 'error', word: 'Worker lost' },
};

export const outcomeOf = (outcome) => (Object.hasOwn(OUTCOMES, outcome) ? OUTCOMES[outcome] : { name: 'cancelled', word: String(outcome) });

// How a test ended (worker/judge.c), and the state that it looks like.
export const TESTS = { passed: PASSED, failed: FAILED, flaky: FLAKY, skipped: SKIPPED };

/** Of two of these words, which one a reader wants to know first. */
export const byUrgency = (a, b) => BY_URGENCY.indexOf(TESTS[a]) - BY_URGENCY.indexOf(TESTS[b]);
