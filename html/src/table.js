// The list of tasks. It draws the rows on the screen and no others, keeps the focus on the grid itself (the active
// row is named by aria-activedescendant, so focus survives scrolling), and sees to it that a row does not move
// under the reader: while somebody is at it, the order is held, and what enters above moves the page and not the row.

import { Component } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { isUnfiltered } from './filters.js';
import { formatClock, formatDuration, plural } from './format.js';
import { useNarrow, useRowWindow, viewOf } from './geometry.js';
import { headlineOf, headlineText } from './headline.js';
import { html } from './html.js';
import { Glyph, StatusIcon } from './icons.js';
import { countMoves } from './listing.js';
import { NATURAL } from './order.js';
import { shownStatus } from './retrying.js';
import { browserOf, groupOf, specOf, taskKey, viewportOf, workerOf } from './run.js';
import { RUNNING, SHOWN, isProblem } from './status.js';
import { splitPath } from './text.js';
import { follow } from './toolbar.js';
import { goesOn } from './verdict.js';

const ROW_HEIGHT = 32;
const NARROW_ROW_HEIGHT = 56;
// Scrolled by no more than this, a list is at its top: heights of heads are fractions of pixels.
const TOP_PX = 2;

// The narrow layout shows two lines: the cells stay the same, the style sheet places them.
const COLUMNS = [
  ['status', 'Status'], ['group', 'Group'], ['spec', 'Spec'], ['viewport', 'Viewport'], ['browser', 'Browser'],
  ['duration', 'Duration'], ['attempt', 'Try'], ['worker', 'Worker'], ['message', 'Message'],
];

export function TaskTable({ state }) {
  const run = state.run.value;
  const listing = state.listing.value;
  const { rows, places } = listing;
  const active = state.activeRow.value;
  const open = state.openRow.value;
  const rowHeight = useNarrow() ? NARROW_ROW_HEIGHT : ROW_HEIGHT;
  const { ref: list, range: [first, end], reveal } = useRowWindow(rows.length, rowHeight);
  const area = useRef(null);
  const hovered = useRef(-1);
  const [unseen, forgetUnseen] = useAnchoring({ state, list, rowHeight, hovered });
  useHold({ state, list, area, rowHeight, hovered });

  useEffect(() => {
    if (active >= 0 && places[active] >= 0) reveal(places[active]);
  }, [active]);
  if (state.revision.value < 0) return null;

  const drawn = [...rows.subarray(first, end)];
  const activePlace = active >= 0 ? places[active] : -1;
  if (activePlace >= 0 && (activePlace < first || activePlace >= end)) drawn.push(active);

  const rowAt = (event) => Number(event.target.closest('[data-row]')?.dataset.row ?? -1);
  return html`
    <div class="tasks" ref=${area}>
    <${Held} state=${state} unseen=${unseen} onSeen=${forgetUnseen} />
    <div class="table" role="grid" id="tasks" tabindex="0" aria-label="Tasks" aria-rowcount=${rows.length + 1} aria-colcount=${COLUMNS.length}
      aria-activedescendant=${activePlace >= 0 ? `row-${active}` : null} onKeyDown=${(event) => moveByKey(event, state, rowHeight)}>
      <div role="rowgroup" class="thead"><${Header} state=${state} /></div>
      <div role="rowgroup" class="rows" ref=${list} style=${{ height: `${rows.length * rowHeight}px` }}
        onClick=${(event) => { if (rowAt(event) >= 0 && getSelection().isCollapsed) follow(event, () => state.openTask(rowAt(event))); }}
        onPointerMove=${(event) => { if (event.pointerType === 'mouse') hovered.current = rowAt(event); }}>
        ${drawn.map((row) => html`
          <${Row} key=${row} run=${run} row=${row} place=${places[row]} top=${places[row] * rowHeight} now=${state.now}
            changes=${run.changes[row]} active=${row === active} open=${row === open} />`)}
      </div>
    </div>
    </div>
    ${rows.length === 0 && html`<${Nothing} state=${state} />`}`;
}

function Header({ state }) {
  const sort = state.sort.value;
  return html`
    <div role="row" aria-rowindex="1" class="row head">
      ${COLUMNS.map(([id, label]) => {
        const sorted = sort.column === id;
        const direction = sort.descending ? 'descending' : 'ascending';
        return html`
          <div key=${id} role="columnheader" class=${`cell cell-${id}`} aria-sort=${sorted ? direction : null}>
            <button type="button" onClick=${() => state.sortBy(nextSort(sort, id))}
              title=${sorted ? `Sorted ${direction}` : `Sort by ${label.toLowerCase()}`}>
              ${label}${sorted && html`<${Glyph} name=${sort.descending ? 'desc' : 'asc'} size="12" />`}
            </button>
          </div>`;
      })}
    </div>`;
}

// Ascending, descending, and back to failures first. For a duration or a number of tries, high is what one looks for.
function nextSort(sort, column) {
  const descendingFirst = column === 'duration' || column === 'attempt';
  if (sort.column !== column) return { column, descending: descendingFirst };
  return sort.descending === descendingFirst ? { column, descending: !descendingFirst } : NATURAL;
}

class Row extends Component {
  shouldComponentUpdate(next) {
    return Object.keys(next).some((key) => next[key] !== this.props[key]);
  }

  render({ run, row, place, top, now, active, open }) {
    const status = run.status[row];
    const shown = shownStatus(run, row);
    const { name, word } = SHOWN[shown];
    const [folder, file] = splitPath(specOf(run, row));
    const headline = headlineOf(run, row);
    const key = taskKey(run, row);
    return html`
      <div role="row" id=${`row-${row}`} data-row=${row} aria-rowindex=${place + 2} aria-selected=${active}
        class=${`row status-${name} ${active ? 'row-active' : ''} ${open ? 'row-open' : ''}`} style=${{ transform: `translateY(${top}px)` }}>
        <div role="gridcell" class="cell cell-status"><${StatusIcon} status=${shown} /><span class=${`tone-text-${name}`}>${word}</span></div>
        <div role="gridcell" class="cell cell-group"><bdi>${groupOf(run, row)}</bdi></div>
        <div role="gridcell" class="cell cell-spec">
          <a href=${`?task=${encodeURIComponent(key)}`} tabindex="-1" title=${folder + file}><bdi class="folder">${folder}</bdi><bdi class="file">${file}</bdi></a>
        </div>
        <div role="gridcell" class="cell cell-viewport"><bdi>${viewportOf(run, row)}</bdi></div>
        <div role="gridcell" class="cell cell-browser"><bdi>${browserOf(run, row)}</bdi></div>
        <div role="gridcell" class="cell cell-duration">
          ${status === RUNNING ? html`<${Elapsed} since=${run.started_ms[row]} now=${now} />` : run.duration_ms[row] > 0 && formatDuration(run.duration_ms[row])}
        </div>
        <div role="gridcell" class="cell cell-attempt">${run.attempt[row] > 0 && html`<span class=${run.attempt[row] > 1 ? 'again' : ''}>${run.attempt[row]}</span>`}</div>
        <div role="gridcell" class="cell cell-worker"><bdi>${workerOf(run, row)}</bdi></div>
        <div role="gridcell" class="cell cell-message" title=${headlineText(headline)}><${Headline} ...${headline} /></div>
      </div>`;
  }
}

function Headline({ title, expected, received, message, more }) {
  return html`
    ${title && html`<bdi class="headline-title">${title}</bdi>`}
    ${expected
      ? html`<span class="headline-values"><span class="offscreen">expected </span><bdi class="value-expected">${expected}</bdi><span class="of" aria-hidden="true"> → </span><span class="offscreen">, received </span><bdi class="value-received">${received}</bdi></span>`
      : html`<bdi>${message}</bdi>`}
    ${more > 0 && html`<span class="of"> +${more}<span class="offscreen"> more</span></span>`}`;
}

export const Elapsed = ({ since, now }) => html`<span class="ticking">${formatClock(now.value - since)}</span>`;

function moveByKey(event, state, rowHeight) {
  if (event.metaKey || event.ctrlKey || event.altKey || event.target !== event.currentTarget) return;
  const page = Math.max(1, Math.floor(innerHeight / rowHeight) - 6);
  const steps = { ArrowDown: 1, ArrowUp: -1, PageDown: page, PageUp: -page, Home: -Infinity, End: Infinity };
  if (event.key in steps) {
    event.preventDefault();
    moveActive(state, steps[event.key]);
  } else if ((event.key === 'Enter' || event.key === ' ') && state.activeRow.value >= 0) {
    event.preventDefault();
    state.openTask(state.activeRow.value);
  }
}

/** Moves the active row; while a task is open, the next one opens in its place. */
export function moveActive(state, step) {
  const { rows, places } = state.listing.value;
  if (!rows.length) return;
  const place = state.activeRow.value >= 0 ? places[state.activeRow.value] : -1;
  const next = rows[Math.min(rows.length - 1, Math.max(0, place < 0 && step < 0 ? 0 : place + step))];
  state.activeRow.value = next;
  if (state.task.value) state.openTask(next);
}

// Holds the order while the mouse is over the list, the focus is in it, a task is open, or the page is scrolled
// to somewhere in the list.
function useHold({ state, list, area, rowHeight, hovered }) {
  useLayoutEffect(() => {
    const isVisible = (row) => {
      const { top, height } = viewOf(list.current);
      const start = state.listing.peek().places[row] * rowHeight;
      return start + rowHeight > top && start < top + height;
    };
    let over = false;
    const update = () => {
      const reading = over || area.current.contains(document.activeElement) || state.task.peek() !== '' || viewOf(list.current).top > TOP_PX;
      state.hold(reading ? isVisible : null);
    };
    const enter = (event) => { over = event.pointerType === 'mouse'; update(); };
    const leave = () => { over = false; hovered.current = -1; update(); };
    const { current } = area;
    current.addEventListener('pointerenter', enter);
    current.addEventListener('pointerleave', leave);
    addEventListener('scroll', update, { passive: true });
    addEventListener('focusin', update);
    const unsubscribe = state.task.subscribe(update);
    return () => {
      current.removeEventListener('pointerenter', enter);
      current.removeEventListener('pointerleave', leave);
      removeEventListener('scroll', update);
      removeEventListener('focusin', update);
      unsubscribe();
      state.hold(null);
    };
  }, [rowHeight]);
}

// Keeps the reader's row where it is on the screen when the list changed above it, and remembers the failures that
// came in above what can be seen. @returns the set of those rows, and a function that forgets them.
function useAnchoring({ state, list, rowHeight, hovered }) {
  const listing = state.listing.value;
  const question = { filter: state.filter.value, sort: state.sort.value, run: listing.run.summary.run_id };
  const before = useRef({ listing, question });
  const [unseen, setUnseen] = useState(new Set());

  useLayoutEffect(() => {
    const { listing: previous, question: asked } = before.current;
    before.current = { listing, question };
    if (previous === listing) return;
    const { top } = viewOf(list.current);
    if (Object.keys(question).some((part) => question[part] !== asked[part])) {
      // Another question: the answer starts at its top.
      setUnseen(new Set());
      if (top > 0) scrollBy({ top: -top, behavior: 'instant' });
      return;
    }
    if (previous.rows === listing.rows || !state.isHeld()) return;
    const anchor = anchorOf(previous, listing, top);
    if (anchor < 0) return;
    const distance = (listing.places[anchor] - previous.places[anchor]) * rowHeight;
    if (distance) scrollBy({ top: distance, behavior: 'instant' });
    const firstSeen = Math.ceil(viewOf(list.current).top / rowHeight);
    const above = listing.entered.filter((row) => isProblem(listing.run.status[row]) && listing.places[row] < firstSeen);
    if (above.length) setUnseen(new Set([...unseen, ...above]));
  }, [listing]);

  useEffect(() => {
    if (!unseen.size) return undefined;
    const forget = () => { if (viewOf(list.current).top <= TOP_PX) setUnseen(new Set()); };
    addEventListener('scroll', forget, { passive: true });
    return () => removeEventListener('scroll', forget);
  }, [unseen]);

  function anchorOf(previous, next, top) {
    const candidates = [hovered.current, state.activeRow.peek(), ...previous.rows.subarray(Math.max(0, Math.ceil(top / rowHeight)), Math.ceil((top + innerHeight) / rowHeight))];
    return candidates.find((row) => {
      const start = row >= 0 ? previous.places[row] * rowHeight : -1;
      return start >= 0 && next.places[row] >= 0 && start >= top && start < top + innerHeight;
    }) ?? -1;
  }

  return [unseen, () => setUnseen(new Set())];
}

// Says what the held order holds back, and lets it go.
function Held({ state, unseen, onSeen }) {
  const moves = state.isHeld() ? countMoves(state.listing.value) : 0;
  if (!moves && !unseen.size) return null;
  const toTop = () => {
    state.release();
    onSeen();
    document.getElementById('tasks').scrollIntoView({ block: 'start' });
  };
  return html`
    <div class="held">
      ${unseen.size > 0 && html`<button type="button" class="pill pill-failed" onClick=${toTop}><${Glyph} name="up" size="14" />${plural(unseen.size, 'new failure')}</button>`}
      ${moves > 0 && html`<button type="button" class="pill" onClick=${state.release} title="The order is held while you read">Reorder<span class="of">${plural(moves, 'row')}</span></button>`}
    </div>`;
}

function Nothing({ state }) {
  const { filter, run } = state;
  if (run.value.size === 0) return html`<p class="nothing">This run has no tasks.</p>`;
  const onlyProblems = filter.value.statuses !== 0 && isUnfiltered({ ...filter.value, statuses: 0 })
    && SHOWN.every((_, status) => !(filter.value.statuses & (1 << status)) || isProblem(status));
  return html`
    <div class="nothing">
      <p>${onlyProblems ? `Nothing has failed${goesOn(run.value.summary) ? ' so far' : ''}.` : 'No task matches these filters.'}</p>
      <button type="button" class="button" onClick=${state.clearFilter}>Clear filters</button>
    </div>`;
}
