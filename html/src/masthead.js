// The top of the page: what the run amounts to, how far it is, how long it still takes.

import { Excluded } from './excluded.js';
import { html } from './html.js';
import { formatClock, formatCount, formatEta, formatPercent, formatTime, plural } from './format.js';
import { Glyph, VerdictIcon } from './icons.js';
import { describeSource } from './source.js';
import { BY_PROGRESS, STATUSES, TESTS } from './status.js';
import { ThemeButton } from './theme.js';
import { describeRun, doneOf, goesOn } from './verdict.js';
import { Writes } from './writes_view.js';

export function Masthead({ state }) {
  const { run, revision } = state;
  // The summary is replaced in place with each delta; the revision tells.
  const summary = revision.value >= 0 && run.value?.summary;
  const { tone, word, sentence } = describeRun(summary, state.contact.value, state.told.value);
  return html`
    <header class="masthead" data-tone=${tone}>
      <div class="verdict">
        <${VerdictIcon} tone=${tone} size="40" />
        <div class="verdict-words">
          <h1 class=${`verdict-word tone-text-${tone}`}>${word}</h1>
          <p class="verdict-sentence">${sentence}</p>
        </div>
        <div class="masthead-tools">
          ${summary && html`<${Writes} state=${state} summary=${summary} />`}
          <${ThemeButton} />
          <button class="tool" type="button" aria-label="Keyboard shortcuts and help" title="Keyboard shortcuts (?)"
            onClick=${() => { state.helpOpen.value = true; }}><${Glyph} name="help" /></button>
        </div>
      </div>
      ${summary && html`<${Progress} counts=${summary.counts} /><${Facts} state=${state} summary=${summary} />`}
    </header>`;
}

function Progress({ counts }) {
  const done = doneOf(counts);
  const share = (count) => `${(100 * count) / Math.max(1, counts.total)}%`;
  return html`
    <div class="progress" role="progressbar" aria-label="Tasks done" aria-valuemin="0" aria-valuemax=${counts.total} aria-valuenow=${done}
      aria-valuetext=${`${done} of ${plural(counts.total, 'task')} done`}>
      ${BY_PROGRESS.filter((status) => counts[STATUSES[status].name]).map((status) => {
        const { name, word } = STATUSES[status];
        return html`<div key=${name} class=${`segment fill-${name}`} style=${{ width: share(counts[name]) }} title=${`${word}: ${formatCount(counts[name])}`}></div>`;
      })}
    </div>`;
}

function Facts({ state, summary }) {
  const { counts, tests, workers } = summary;
  const live = goesOn(summary);
  // Who has gone doesn't tell who is live, and how long it takes.
  const { gone } = state.contact.value;
  const begun = summary.started_at ? Date.parse(summary.started_at) : 0;
  const elapsed = live ? begun && state.now.value - begun - summary.idle_s * 1000 : (summary.wall_s ?? 0) * 1000;
  return html`
    <div class="facts-row">
    <dl class="facts">
      <${Fact} name="Done">${formatCount(doneOf(counts))}<span class="of"> of ${plural(counts.total, 'task')}</span><//>
      <${Fact} name=${live ? 'Elapsed' : 'Took'} title=${begun ? `Started ${formatTime(begun)}` : ''}>${formatClock(elapsed)}<//>
      ${live && !gone && summary.eta_s && html`<${Fact} name="Left">${formatEta(summary.eta_s)}<//>`}
      <${Fact} name="Tests"><${Tests} tests=${tests} live=${live} /><//>
      ${(!gone || workers.lost > 0) && html`<${Fact} name="Workers">
        ${!gone && plural(workers.live, 'live', 'live')}${workers.lost > 0 && html`<span class="tone-text-error">${!gone && ', '}${formatCount(workers.lost)} lost</span>`}
      <//>`}
      ${summary.compute_s > 0 && html`<${Fact} name="Compute" title="The sum of all task durations">${formatClock(summary.compute_s * 1000)}<//>`}
      ${!live && summary.efficiency !== null && html`
        <${Fact} name="Efficiency" title="The shortest time possible with these tasks and workers, divided by the time taken">
          ${formatPercent(summary.efficiency)}${summary.bound_s > 0 && html`<span class="of"> of the ideal ${formatClock(summary.bound_s * 1000)}</span>`}
        <//>`}
      <${Source} source=${summary.source} />
      <${Fact} name="Run"><bdi class="mono">${summary.run_id}</bdi><//>
    </dl>
    <${Excluded} excluded=${state.run.value.excluded} />
    </div>`;
}

const Fact = ({ name, title, children }) => html`<div class=${`fact fact-${name.toLowerCase()}`} title=${title}><dt>${name}</dt><dd>${children}</dd></div>`;

function Source({ source }) {
  const told = describeSource(source);
  if (!told) return null;
  const id = html`<bdi class="mono">${told.id}</bdi>`;
  return html`
    <${Fact} name="Source" title=${told.title}>
      ${told.branch && html`<bdi class="branch">${told.branch}</bdi> `}${told.href ? html`<a href=${told.href} rel="noopener noreferrer" target="_blank" aria-label=${`${told.id}, in the CI`}>${id}</a>` : id}
    <//>`;
}

function Tests({ tests, live }) {
  const parts = Object.keys(TESTS).filter((name) => tests[name] > 0);
  if (!parts.length) return html`<span class="of">${live ? 'none yet' : 'none reported'}</span>`;
  return parts.map((name, i) => html`${i > 0 && ', '}<span key=${name} class=${name === 'failed' ? 'tone-text-failed' : ''}>${formatCount(tests[name])} ${name}</span>`);
}
