// One attempt at a task: how it ended, where and when it ran, and its tests, the failed ones first and in full.

import { useState } from 'preact/hooks';
import { Diff } from './diff_view.js';
import { FilePlace } from './files.js';
import { formatBytes, formatClock, formatDuration, formatTimeOfDay, plural } from './format.js';
import { html } from './html.js';
import { TestIcon } from './icons.js';
import { Ansi, CopyButton } from './pieces.js';
import { FAILED, FLAKY, TESTS, byUrgency, outcomeOf } from './status.js';
import { stripAnsi } from './text.js';

const STACK_LINES = 12;
const QUIET_TESTS = 8;

export function AttemptFacts({ attempt }) {
  const { name: tone, word } = outcomeOf(attempt.outcome);
  const facts = [
    ['Outcome', html`<b class=${`tone-text-${tone}`}>${word}</b>${attempt.reason && html` <bdi class="of">${stripAnsi(attempt.reason)}</bdi>`}`],
    ['Took', attempt.duration_ms > 0 && formatDuration(attempt.duration_ms)],
    ['Started', attempt.started_ms > 0 && formatTimeOfDay(attempt.started_ms)],
    ['Worker', attempt.worker && html`<bdi class="mono">${attempt.worker}</bdi>`],
    ['CPU', attempt.cpu_ms > 0 && formatClock(attempt.cpu_ms)],
    ['Peak memory', attempt.max_rss_bytes > 0 && formatBytes(attempt.max_rss_bytes)],
    ['Left behind', attempt.strays > 0 && html`<span class="tone-text-flaky">${plural(attempt.strays, 'process', 'processes')}, killed</span>`],
    ['Unreadable', attempt.unreadable_lines > 0 && html`<span class="tone-text-error">${plural(attempt.unreadable_lines, 'event line')}</span>${
      attempt.unreadable_sample && html`<span class="of">, the first: <bdi>${stripAnsi(attempt.unreadable_sample)}</bdi></span>`}`],
    ['Not kept', notKept(attempt)],
  ].filter(([, value]) => value);
  return html`<dl class="facts facts-small">${facts.map(([name, value]) => html`<div class="fact" key=${name}><dt>${name}</dt><dd>${value}</dd></div>`)}</dl>`;
}

/** What its events told of and the record has no room for. */
function notKept({ attachments_dropped: attachments, tests_dropped: tests }) {
  return [attachments > 0 && plural(attachments, 'attachment'), tests > 0 && plural(tests, 'test record')].filter(Boolean).join(', ');
}

/** Files that the attempt left behind: pictures are shown, all can be opened. */
export function Artifacts({ artifacts }) {
  if (!artifacts.length) return null;
  return html`
    <section class="artifacts" aria-label="Artifacts">
      <header class="section-head"><h3>Artifacts</h3></header>
      <ul>${artifacts.map(({ id, name, type, bytes }) => {
        const address = `api/v1/runs/current/artifacts/${encodeURIComponent(id)}`;
        return html`
          <li key=${id}><a href=${address} target="_blank" rel="noreferrer">
            ${type.startsWith('image/') && html`<img src=${address} alt="" loading="lazy" />`}
            <span><bdi>${name}</bdi> <span class="of">${formatBytes(bytes)}</span></span>
          </a></li>`;
      })}</ul>
    </section>`;
}

const isLoud = ({ status }) => TESTS[status] === FAILED || TESTS[status] === FLAKY;

export function Tests({ state, tests }) {
  const [all, setAll] = useState(false);
  if (!tests.length) return html`<p class="note">No test reported from this attempt.</p>`;
  const loud = tests.filter(isLoud).sort((a, b) => byUrgency(a.status, b.status));
  const quiet = tests.filter((test) => !isLoud(test));
  const shown = all || quiet.length <= QUIET_TESTS + 2 ? quiet : quiet.slice(0, QUIET_TESTS);
  const count = (status) => tests.filter((test) => test.status === status).length;
  const summary = Object.keys(TESTS).sort(byUrgency).filter(count).map((status) => `${count(status)} ${status}`).join(', ');
  return html`
    <section class="tests" aria-label="Tests">
      <header class="section-head"><h3>Tests <span class="of">${summary}</span></h3></header>
      <ul>
        ${[...loud, ...shown].map((test, i) => html`<${Test} key=${i} state=${state} test=${test} />`)}
      </ul>
      ${shown.length < quiet.length && html`<button type="button" class="link" onClick=${() => setAll(true)}>Show ${plural(quiet.length - shown.length, 'more test')}</button>`}
    </section>`;
}

function Test({ state, test }) {
  return html`
    <li class=${`test test-${test.status}`}>
      <div class="test-head">
        <${TestIcon} status=${test.status} />
        <span class="test-title"><span class="offscreen">${test.status}: </span>${test.title.map((part, i) => html`${i > 0 && html`<span class="of"> › </span>`}<bdi>${stripAnsi(part)}</bdi>`)}</span>
        <span class="of">${test.retry > 0 && `retry ${test.retry}, `}${formatDuration(test.duration_ms ?? 0)}</span>
      </div>
      ${reasonsOf(test).map((reason, i) => html`<p class="test-reason" key=${i}><bdi>${stripAnsi(reason)}</bdi></p>`)}
      ${test.error && html`<${Failure} state=${state} test=${test} />`}
      ${test.steps?.length > 0 && html`<${Steps} steps=${test.steps} />`}
    </li>`;
}

/** Why it was skipped, and what else it says of itself. */
const reasonsOf = ({ annotations = [] }) => annotations.filter(({ description }) => description).map(({ type, description }) => `${type}: ${description}`);

function Steps({ steps }) {
  return html`
    <details class="steps">
      <summary>${plural(steps.length, 'step')}</summary>
      <ol>${steps.map(({ title, depth = 0, duration_ms: ms, failed }, i) => html`
        <li key=${i} class=${failed ? 'tone-text-failed' : ''}>${'\u2003'.repeat(depth)}<bdi>${stripAnsi(title)}</bdi> <span class="of">${formatDuration(ms ?? 0)}${failed && ', failed'}</span></li>`)}
      </ol>
    </details>`;
}

function Failure({ state, test: { error, file, line, column } }) {
  const { expected, received } = error;
  return html`
    <div class="failure">
      ${file && html`<${FilePlace} state=${state} file=${file} line=${line} column=${column} />`}
      ${error.message && html`<div class="failure-message"><pre dir="auto" tabindex="0" role="group" aria-label="Message"><${Ansi} text=${error.message} /></pre><${CopyButton} text=${stripAnsi(error.message)} label="Copy the message" /></div>`}
      ${expected && received && expected !== received && html`<${Diff} expected=${expected} received=${received} />`}
      ${error.snippet && html`<pre class="snippet" tabindex="0" role="group" aria-label="Code"><${Ansi} text=${error.snippet} /></pre>`}
      ${error.stack && html`<${Stack} text=${error.stack} message=${error.message ?? ''} />`}
    </div>`;
}

function Stack({ text, message }) {
  const [all, setAll] = useState(false);
  const lines = framesOf(text, message);
  if (!lines.length) return null;
  const shown = all ? lines : lines.slice(0, STACK_LINES);
  return html`
    <pre class="stack"><${Ansi} text=${shown.join('\n')} /></pre>
    ${shown.length < lines.length && html`<button type="button" class="link" onClick=${() => setAll(true)}>Show ${plural(lines.length - shown.length, 'more line')}</button>`}`;
}

// A stack usually begins with the message, or with its first line; that stands above already.
function framesOf(stack, message) {
  const lines = stack.split('\n').filter((line) => line.trim());
  const first = lines.findIndex((line) => /^\s+at\s/.test(stripAnsi(line)));
  return first > 0 && stripAnsi(message).includes(stripAnsi(lines[0]).trim()) ? lines.slice(first) : lines;
}
