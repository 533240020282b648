// What a screen reader says while the run goes on: failures as they come, at most once in a few seconds and
// then summed up, the verdict at once, and that the controller has gone or is there again. Pure but for the timer that it
// is given.

import { countCauses, groupErrors } from './errors.js';
import { isProblem } from './status.js';
import { plural } from './format.js';
import { groupOf, specOf } from './run.js';
import { splitPath } from './text.js';
import { describeRun, doneOf } from './verdict.js';

const PAUSE_MS = 5000;
const NAMED = 3;

/** say(text): puts it into a live region. */
export function createAnnouncer({ say, setTimeout = globalThis.setTimeout, clearTimeout = globalThis.clearTimeout }) {
  let known = new Set();
  let fresh = [];
  let timer = 0;
  let verdict = null;
  let lastContact = '';

  function speak(run) {
    timer = 0;
    const rows = fresh.filter((row) => isProblem(run.status[row]));
    fresh = [];
    if (!rows.length) return;
    const names = rows.slice(0, NAMED).map((row) => `${splitPath(specOf(run, row))[1]} in ${groupOf(run, row)}`).join(', ');
    const { counts } = run.summary;
    say(`${plural(rows.length, 'new failure')}: ${names}${rows.length > NAMED ? ' and more' : ''}. ${doneOf(counts)} of ${counts.total} done.`);
    timer = setTimeout(() => speak(run), PAUSE_MS);
  }

  return {
    /** A run was loaded: what has failed before is not news. */
    begin(run) {
      clearTimeout(timer);
      timer = 0;
      fresh = [];
      known = new Set();
      for (let row = 0; row < run.size; row += 1) if (isProblem(run.status[row])) known.add(row);
      verdict = run.summary.verdict;
    },
    update(run, rows) {
      for (const row of rows) {
        if (!isProblem(run.status[row]) || known.has(row)) continue;
        known.add(row);
        fresh.push(row);
      }
      if (run.summary.verdict && run.summary.verdict !== verdict) {
        clearTimeout(timer);
        fresh = [];
        const { word, sentence } = describeRun(run.summary, {}, countCauses(run, groupErrors(run, () => true)));
        say(`The run has finished: ${word}. ${sentence}.`);
      } else if (fresh.length && !timer) {
        speak(run);
      }
      verdict = run.summary.verdict;
    },
    /** text: what there is to say of the controller; '': it is there. */
    contact(text) {
      if (text !== lastContact) say(text || 'The controller is back.');
      lastContact = text;
    },
  };
}
