// What stays in sight while one scrolls: the views, the filter, and the counters that are filters too.

import { html } from './html.js';
import { hasStatus, isUnfiltered, toggleStatus } from './filters.js';
import { exampleOf } from './errors.js';
import { formatCount } from './format.js';
import { Glyph, StatusIcon, VerdictIcon } from './icons.js';
import { COLUMNS, NATURAL } from './order.js';
import { BY_URGENCY, FAILED, PASSED, SHOWN } from './status.js';
import { oneLine } from './text.js';
import { describeRun, doneOf } from './verdict.js';

const VIEWS = [['tasks', 'Tasks'], ['errors', 'Errors'], ['matrix', 'Matrix'], ['timeline', 'Timeline']];

export function Toolbar({ state }) {
  const run = state.run.value;
  const { counts } = (state.revision.value >= 0 && run.summary);
  return html`
    <div class="toolbar">
      <div class="toolbar-row">
        <${Views} state=${state} counts=${counts} causes=${state.causes.value.length} />
        <${MiniVerdict} summary=${run.summary} told=${state.told.value} />
      </div>
      <div class="toolbar-row toolbar-filters" role="search" aria-label="Tasks">
        <${Search} state=${state} />
        <div class="strip">
          <${Chips} state=${state} counts=${shownCounts(counts, state.told.value.retrying)} />
          <${Selects} state=${state} />
        </div>
      </div>
      <${ErrorFilter} state=${state} />
    </div>`;
}

function Views({ state, counts, causes }) {
  const numbers = { tasks: counts.total, errors: causes };
  return html`
    <nav class="views" aria-label="Views">
      ${VIEWS.map(([name, label]) => html`
        <a key=${name} href=${state.addressOf({ view: name }) || '?'} aria-current=${state.view.value === name ? 'page' : null}
          onClick=${(event) => follow(event, () => state.setView(name))}>
          ${label}${numbers[name] !== undefined && html` <span class=${`badge ${name === 'errors' && numbers.errors ? 'badge-failed' : ''}`}>${formatCount(numbers[name])}</span>`}
        </a>`)}
    </nav>`;
}

/** Acts in place for a plain click, and leaves the others (new tab, new window) to the browser. */
export function follow(event, action) {
  if (event.button || event.metaKey || event.ctrlKey || event.shiftKey || event.altKey) return;
  event.preventDefault();
  action();
}

// The verdict again, for when the top has scrolled away; its visibility is a matter of the style sheet.
function MiniVerdict({ summary, told }) {
  const { tone, word, sentence } = describeRun(summary, {}, told);
  return html`
    <p class="mini-verdict" aria-hidden="true">
      <${VerdictIcon} tone=${tone} size="16" /> <b class=${tone === 'failing' ? '' : `tone-text-${tone}`}>${word}</b>
      <span class=${`mini-sentence ${tone === 'failing' ? 'tone-text-failed' : ''}`}>${sentence}</span>
      <span class="of">${formatCount(doneOf(summary.counts))}/${formatCount(summary.counts.total)}</span>
    </p>`;
}

function Search({ state }) {
  const { text } = state.filter.value;
  return html`
    <label class="search">
      <${Glyph} name="search" />
      <input id="filter" type="search" placeholder="Filter by spec, group, message, worker, key" aria-label="Filter tasks" aria-keyshortcuts="/"
        autocomplete="off" spellcheck=${false} dir="auto" value=${text}
        onInput=${(event) => state.typeFilter(event.currentTarget.value)} />
      <kbd aria-hidden="true">/</kbd>
    </label>`;
}

const shownCounts = (counts, retrying) => ({ ...counts, queued: counts.queued - retrying.queued, running: counts.running - retrying.running, retrying: retrying.all });

// "0 failed" is news; that nothing was cancelled is not.
const ALWAYS = new Set([FAILED, PASSED]);

function Chips({ state, counts }) {
  const filter = state.filter.value;
  return html`
    <div class="chips" role="group" aria-label="Filter by status">
      ${BY_URGENCY.map((status) => {
        const { name, word } = SHOWN[status];
        const pressed = hasStatus(filter, status);
        if (!counts[name] && !pressed && !ALWAYS.has(status)) return null;
        return html`
          <button key=${name} type="button" class=${`chip tone-${name} ${counts[name] ? '' : 'chip-none'}`} aria-pressed=${pressed} data-status=${name}
            onClick=${() => state.setFilter(toggleStatus(filter, status))}>
            <${StatusIcon} status=${status} /><span>${word}</span><b>${formatCount(counts[name])}</b>
          </button>`;
      })}
    </div>`;
}

function Selects({ state }) {
  const filter = state.filter.value;
  const { tables } = state.run.value;
  const sort = state.sort.value;
  return html`
    <div class="selects">
      ${[['group', 'groups'], ['viewport', 'viewports'], ['browser', 'browsers']].map(([name, table]) => (tables[table].length > 1 || filter[name]) && html`
        <select key=${name} aria-label=${`Filter by ${name}`} data-set=${filter[name] !== ''}
          onChange=${(event) => state.setFilter({ [name]: event.currentTarget.value })}>
          <option value="" selected=${filter[name] === ''}>All ${table}</option>
          ${tables[table].map((value) => html`<option key=${value} value=${value} selected=${filter[name] === value}>${value}</option>`)}
        </select>`)}
      <select class="sort-select" aria-label="Sort by"
        onChange=${(event) => state.sortBy(event.currentTarget.value ? { column: event.currentTarget.value, descending: false } : NATURAL)}>
        <option value="" selected=${!sort.column}>Failures first</option>
        ${COLUMNS.map((column) => html`<option key=${column} value=${column} selected=${sort.column === column}>By ${column}</option>`)}
      </select>
      ${!isUnfiltered(filter) && html`<button type="button" class="link" onClick=${state.clearFilter}>Clear</button>`}
    </div>`;
}

function ErrorFilter({ state }) {
  const { error } = state.filter.value;
  if (!error) return null;
  return html`
    <div class="error-filter">
      <span>Same error:</span> <bdi class="mono">${oneLine(exampleOf(state.run.value, error)?.message ?? 'of an earlier state of the run')}</bdi>
      <button type="button" class="tool" aria-label="Remove the filter by error" onClick=${() => state.setFilter({ error: '' })}><${Glyph} name="close" /></button>
    </div>`;
}
