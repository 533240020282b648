// What the run amounts to, in words: the line at the top, the title of the tab, its icon. Honest above all:
// a run that still goes but has failures says so, and "passed" is only said when the controller says it. Pure.

import { plural, formatCount } from './format.js';

const FINISHED = {
  passed: { tone: 'passed', word: 'Passed', mark: '✓' },
  failed: { tone: 'failed', word: 'Failed', mark: '✗' },
  error: { tone: 'error', word: 'Error', mark: '!' },
  cancelled: { tone: 'cancelled', word: 'Cancelled', mark: '⊘' },
};

export const doneOf = ({ passed, failed, flaky, error, cancelled }) => passed + failed + flaky + error + cancelled;

/**
 * summary -> { tone, word, mark, sentence, title }. tone: waiting, running, failing, passed, failed, error or
 * cancelled; mark: one character for the title.
 */
export function describeRun(summary) {
  if (!summary) return { tone: 'waiting', word: 'Waiting', mark: '…', sentence: '', title: '… waiting · funkytown' };
  const { counts } = summary;
  const problems = problemsOf(counts);
  const verdict = FINISHED[summary.verdict] ?? (summary.state === 'cancelled' ? FINISHED.cancelled : null)
    ?? (problems ? { tone: 'failing', word: 'Running', mark: '✗' } : { tone: 'running', word: 'Running', mark: '▸' });
  const progress = `${formatCount(doneOf(counts))}/${formatCount(counts.total)}`;
  const title = [`${verdict.mark} ${problems || verdict.word.toLowerCase()}`, progress, 'funkytown'].join(' · ');
  return { ...verdict, sentence: sentenceOf(summary, verdict, problems), title };
}

function problemsOf({ failed, error }) {
  return [failed && `${formatCount(failed)} failed`, error && `${plural(error, 'error')}`].filter(Boolean).join(', ');
}

function sentenceOf({ counts }, verdict, problems) {
  const total = plural(counts.total, 'task');
  const flaky = counts.flaky ? `, ${formatCount(counts.flaky)} of them only when tried again` : '';
  switch (verdict.tone) {
    case 'running': return doneOf(counts) ? 'No failures so far' : 'Nothing has ended yet';
    case 'failing': return `${problems} so far`;
    case 'passed': return `${counts.total === 1 ? 'The one task' : `All ${total}`} passed${flaky}`;
    case 'cancelled': {
      const left = plural(counts.cancelled, 'task');
      return `${left} of ${formatCount(counts.total)} did not run${problems ? `; ${problems}` : ''}`;
    }
    default: return `${problems} of ${total}`;
  }
}
