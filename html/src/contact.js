// What the page knows of its controller, in words: the strip above the page, and what is said aloud. Pure.
//
//   live ──end──► ended ──┐                  ended: it said so itself
//    ▲ └─────────► lost ──┤                  lost: nothing is heard any more, since then
//    └────────────────────┴──► waiting       waiting: one is there again, and has no run to show yet
//
// A report that was kept as a file has no controller: its phase is kept, from the first moment.
//
// Short losses are over before anybody has to know: `gone` is what is worth telling.

import { formatTimeOfDay } from './format.js';
import { describeRun, goesOn } from './verdict.js';

/** phase: loading, waiting, live, lost, ended, kept; since: when the contact ended, the reader's clock; gone: for long enough. */
export const IN_TOUCH = { phase: 'live', since: 0, gone: false };

/** One or two sentences; '': there is nothing to say. */
export function describeContact(summary, { phase, since, gone }) {
  if (!summary || !gone) return '';
  const time = formatTimeOfDay(since);
  if (phase === 'waiting') return 'A controller is back, but still reading the plan. What you see is from before.';
  if (!goesOn(summary)) {
    return `The controller has ended${phase === 'ended' ? '' : ` or can’t be reached, since ${time}`}. The verdict stays: ${describeRun(summary).word}.`;
  }
  return phase === 'ended'
    ? `The controller was stopped at ${time}, before the run was finished. When it is started again, it goes on from here, and this page follows.`
    : `The controller has been gone since ${time}. What you see is as of then; trying to reach it.`;
}
