// One task in full, beside the list (over it, where there is no room): its attempts as tabs, each with tests, errors
// and log. It takes the focus when it opens and gives it back when it closes.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Artifacts, AttemptFacts, Tests } from './attempt.js';
import { Elsewhere } from './elsewhere.js';
import { useCovered } from './geometry.js';
import { html } from './html.js';
import { Glyph, StatusIcon } from './icons.js';
import { nextProblem } from './listing.js';
import { LiveLog } from './live_log.js';
import { Log } from './log.js';
import { CopyButton } from './pieces.js';
import { shownStatus } from './retrying.js';
import { browserOf, groupOf, messageOf, specOf, taskKey, viewportOf, workerOf } from './run.js';
import { FLAKY, RUNNING, SHOWN, isProblem, outcomeOf } from './status.js';
import { Elapsed } from './table.js';
import { splitPath, stripAnsi } from './text.js';

export function Drawer({ state }) {
  const run = state.run.value;
  const row = state.openRow.value;
  const key = state.task.value;
  const modal = useCovered();
  const panel = useRef(null);

  // Over the page, the drawer is all there is; when it goes, the page can be focused before it is.
  useLayoutEffect(() => {
    const page = document.getElementById('page');
    page.inert = modal;
    document.documentElement.classList.toggle('behind', modal);
    return () => {
      page.inert = false;
      document.documentElement.classList.remove('behind');
    };
  }, [modal]);
  useLayoutEffect(() => {
    const before = document.activeElement;
    return () => (before?.isConnected && before !== document.body ? before : document.getElementById('tasks'))?.focus({ preventScroll: true });
  }, []);
  useEffect(() => {
    panel.current.scrollTop = 0;
    panel.current.focus({ preventScroll: true });
  }, [key]);

  return html`
    <div class="drawer" role="dialog" aria-modal=${modal} aria-labelledby="drawer-title" tabindex="-1" ref=${panel}>
      <div class="drawer-head">
        <${Steps} state=${state} />
        <button type="button" class="tool" aria-label="Close" title="Close (Esc)" onClick=${state.closeTask}><${Glyph} name="close" /></button>
      </div>
      ${row < 0
        ? html`<h2 id="drawer-title">No such task</h2><p class="note">This run has no <bdi class="mono">${key}</bdi>.</p>`
        : html`<${Title} state=${state} run=${run} row=${row} /><${Elsewhere} state=${state} run=${run} row=${row} /><${Detail} key=${key} state=${state} run=${run} row=${row} />`}
    </div>`;
}

function Steps({ state }) {
  const listing = state.revision.value >= 0 && state.listing.value;
  const row = state.openRow.value;
  const place = row >= 0 ? listing.places[row] : -1;
  const step = (label, keys, glyph, target) => html`
    <button type="button" class="tool" disabled=${target < 0} aria-label=${label} title=${`${label} (${keys})`} onClick=${() => state.openTask(target)}><${Glyph} name=${glyph} /></button>`;
  return html`
    <div class="steps">
      ${step('Previous failure', 'p', 'up', nextProblem(listing, place < 0 ? 0 : place, -1))}
      ${step('Next failure', 'n', 'down', nextProblem(listing, place, 1))}
      ${place >= 0 && html`<span class="of">${place + 1} of ${listing.rows.length}</span>`}
    </div>`;
}

function Title({ state, run, row }) {
  const status = state.revision.value >= 0 && run.status[row];
  const shown = shownStatus(run, row);
  const { name, word } = SHOWN[shown];
  const [folder, file] = splitPath(specOf(run, row));
  const key = taskKey(run, row);
  const tests = run.tests[row];
  return html`
    <div class="drawer-title">
      <p class="drawer-status"><${StatusIcon} status=${shown} size="18" /><b class=${`tone-text-${name}`}>${word}</b>
        ${status === RUNNING && html`<span class="of">for <${Elapsed} since=${run.started_ms[row]} now=${state.now} /> on <bdi class="mono">${workerOf(run, row)}</bdi></span>`}
        ${tests > 0 && isProblem(status) && run.tests_failed[row] > 0 && html`<span class="of">${run.tests_failed[row]} of ${tests} tests</span>`}
      </p>
      <h2 id="drawer-title"><bdi class="folder">${folder}</bdi><bdi class="file">${file}</bdi></h2>
      <p class="drawer-where"><bdi>${groupOf(run, row)}</bdi><bdi>${viewportOf(run, row)}</bdi><bdi>${browserOf(run, row)}</bdi>
        <span class="drawer-key"><bdi class="mono">${key}</bdi><${CopyButton} text=${key} label="Copy the key" /></span></p>
    </div>`;
}

function Detail({ state, run, row }) {
  const changes = state.revision.value >= 0 && run.changes[row];
  const [detail, setDetail] = useState(null);
  const [failure, setFailure] = useState('');
  const [tries, setTries] = useState(0);

  useEffect(() => {
    const abort = new AbortController();
    state.details.task(run, row, abort.signal).then(
      (loaded) => { setDetail(loaded); setFailure(''); },
      (cause) => { if (!abort.signal.aborted) setFailure(cause.message); },
    );
    return () => abort.abort();
  }, [run, row, changes, tries]);

  if (failure) {
    return html`<div class="note"><p class="tone-text-failed">The task could not be loaded: ${state.contact.value.gone ? 'the controller is gone' : failure}</p><button type="button" class="button" onClick=${() => setTries(tries + 1)}>Try again</button></div>`;
  }
  if (!detail) return html`<p class="note" aria-busy="true">Loading…</p>`;
  const attempts = attemptsOf(detail, run, row);
  if (!attempts.length) return html`<p class="note">${messageOf(run, row) ? stripAnsi(messageOf(run, row)) : 'No attempt yet.'}</p>`;
  // Attempts are told apart by their place in the list, counted from 1; the last one is the one of
  // interest, of a flaky task the last that failed.
  const shown = attempts[state.attempt.value - 1] ? state.attempt.value : firstShown(attempts, run.status[row]);
  const attempt = attempts[shown - 1];
  const tabs = attempts.length > 1;
  return html`
    ${tabs && html`<${AttemptTabs} attempts=${attempts} shown=${shown} state=${state} />`}
    <div id="attempt-panel" role=${tabs ? 'tabpanel' : null} aria-labelledby=${tabs ? `attempt-${shown}` : null}>
      ${attempt.outcome === 'running'
        ? html`<p class="note">Running for <${Elapsed} since=${run.started_ms[row]} now=${state.now} />. Tests appear when the attempt has ended.</p><${LiveLog} details=${state.details} run=${run} row=${row} attempt=${attempt.attempt} isRunning />`
        : html`<${Attempt} key=${shown} attempt=${attempt} state=${state} run=${run} row=${row} />`}
    </div>`;
}

function firstShown(attempts, status) {
  const failed = attempts.findLastIndex(({ outcome }) => outcome !== 'passed');
  return status === FLAKY && failed >= 0 ? failed + 1 : attempts.length;
}

function Attempt({ attempt, state, run, row }) {
  return html`
    <${AttemptFacts} attempt=${attempt} />
    <${Artifacts} artifacts=${attempt.artifacts ?? []} />
    <${Tests} state=${state} tests=${attempt.tests ?? []} />
    ${isCutOff(attempt) && html`<${LiveLog} details=${state.details} run=${run} row=${row} attempt=${attempt.attempt} />`}
    ${attempt.log_bytes > 0 && html`<${Log} details=${state.details} run=${run} row=${row} attempt=${attempt} />`}`;
}

/** Nobody told how it ended: of its output there is what was told before. */
const isCutOff = ({ outcome }) => outcome === 'lost' || outcome === 'released';

// The API lists attempts that have ended; the one that runs is known from its row.
function attemptsOf(detail, run, row) {
  const number = run.attempt[row];
  if (run.status[row] !== RUNNING || detail.attempts.some(({ attempt }) => attempt === number)) return detail.attempts;
  return [...detail.attempts, { attempt: number, outcome: 'running' }];
}

function AttemptTabs({ attempts, shown, state }) {
  const select = (place) => { state.attempt.value = place; };
  const byKey = (event) => {
    const step = { ArrowRight: 1, ArrowLeft: -1 }[event.key];
    if (!step) return;
    event.preventDefault();
    const next = ((shown - 1 + step + attempts.length) % attempts.length) + 1;
    select(next);
    document.getElementById(`attempt-${next}`).focus();
  };
  return html`
    <div class="attempts" role="tablist" aria-label="Attempts" onKeyDown=${byKey}>
      ${attempts.map(({ attempt, outcome }, i) => html`
        <button key=${i} type="button" role="tab" id=${`attempt-${i + 1}`} aria-selected=${i + 1 === shown} aria-controls="attempt-panel"
          tabindex=${i + 1 === shown ? 0 : -1} onClick=${() => select(i + 1)}>Attempt ${attempt}<span class="of">${outcomeOf(outcome).word.toLowerCase()}</span></button>`)}
    </div>`;
}
