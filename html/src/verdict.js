// What the run amounts to, in words: the line at the top, the title of the tab, its icon. Honest above all:
// a run that still goes but has failures says so, "passed" is only said when the controller says it, and "running" only
// as long as there is one to say it. Pure.

import { plural, formatCount } from './format.js';
import { STATUSES, isOpen } from './status.js';

/** The states of a run, and whether it goes on in them. They and the verdicts are words of controller/board.c. */
export const RUN_STATES = { running: true, finished: false, cancelled: false };

export const goesOn = ({ state }) => RUN_STATES[state];

export const VERDICTS = {
  passed: { tone: 'passed', word: 'Passed', mark: '✓' },
  failed: { tone: 'failed', word: 'Failed', mark: '✗' },
  error: { tone: 'error', word: 'Error', mark: '!' },
  cancelled: { tone: 'cancelled', word: 'Cancelled', mark: '⊘' },
  skipped: { tone: 'skipped', word: 'Skipped', mark: '»' },
};

const OUT_OF_TOUCH = { tone: 'lost', word: 'No contact', mark: '?' };
const UNFINISHED = { tone: 'interrupted', word: 'Unfinished', mark: '‖' };
const INTERRUPTED = { tone: 'interrupted', word: 'Interrupted', mark: '‖' };

const DONE = STATUSES.filter((_, status) => !isOpen(status)).map(({ name }) => name);

export const doneOf = (counts) => DONE.reduce((sum, name) => sum + counts[name], 0);

/**
 * summary, what is known of the controller (contact.js), and what it has come to (errors.js: countCauses, retrying.js) -> { tone, word, mark, sentence, title }. tone: waiting,
 * running, failing, passed, failed, error, cancelled, skipped, interrupted or lost; mark: one character for the title.
 */
export function describeRun(summary, { phase, gone } = {}, told = null) {
  if (!summary) return { tone: 'waiting', word: 'Waiting', mark: '…', sentence: '', title: '… waiting · funkytown' };
  const { counts } = summary;
  const problems = problemsOf(counts);
  const verdict = VERDICTS[summary.verdict]
    ?? (phase === 'kept' ? UNFINISHED : null) ?? (gone && phase === 'ended' ? INTERRUPTED : null) ?? (gone ? OUT_OF_TOUCH : null)
    ?? (problems ? { tone: 'failing', word: 'Running', mark: '✗' } : { tone: 'running', word: 'Running', mark: '▸' });
  const progress = `${formatCount(doneOf(counts))}/${formatCount(counts.total)}`;
  const title = [`${verdict.mark} ${(verdict.tone !== 'lost' && verdict.tone !== 'interrupted' && problems) || verdict.word.toLowerCase()}`, progress, 'funkytown'].join(' · ');
  return { ...verdict, sentence: sentenceOf(summary, verdict, problems, told), title };
}

function problemsOf({ failed, error }) {
  return [failed && `${formatCount(failed)} failed`, error && `${plural(error, 'error')}`].filter(Boolean).join(', ');
}

/** "3 causes, 18 tests in 10 tasks"; tasks: what to say of these. */
function causesOf({ causes, tests, isLeast }, tasks) {
  return `${isLeast ? 'at least ' : ''}${plural(causes, 'cause')}${tests ? `, ${plural(tests, 'test')}` : ''} in ${tasks}`;
}

function sentenceOf({ counts }, verdict, problems, told) {
  const total = plural(counts.total, 'task');
  const flaky = counts.flaky ? `, ${formatCount(counts.flaky)} of them only when tried again` : '';
  const again = told?.retrying?.all ? `; ${formatCount(told.retrying.all)} retrying` : '';
  switch (verdict.tone) {
    case 'running': return `${doneOf(counts) ? 'No failures so far' : 'Nothing has ended yet'}${again}`;
    case 'failing': return `${told?.causes ? causesOf(told, plural(counts.failed + counts.error, 'task')) : problems} so far${again}`;
    case 'lost':
    case 'interrupted': return `${formatCount(doneOf(counts))} of ${total} done, ${problems || 'no failures'} until then`;
    case 'passed': {
      const who = counts.skipped ? `${formatCount(counts.total - counts.skipped)} of ${total}` : counts.total === 1 ? 'The one task' : `All ${total}`;
      return `${who} passed${flaky}${counts.skipped ? `; ${formatCount(counts.skipped)} skipped` : ''}`;
    }
    case 'skipped': return `${counts.total === 1 ? 'The one task was' : `All ${total} were`} skipped: nothing was tested`;
    case 'cancelled': {
      const left = plural(counts.cancelled, 'task');
      return `${left} of ${formatCount(counts.total)} did not run${problems ? `; ${problems}` : ''}`;
    }
    default: return told?.causes ? causesOf(told, `${formatCount(counts.failed + counts.error)} of ${total}`) : `${problems} of ${total}`;
  }
}
