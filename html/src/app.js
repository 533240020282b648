// The page as a whole: what stands where, and what its keys do.

import { useEffect, useLayoutEffect } from 'preact/hooks';
import { VIEWS } from './address.js';
import { Causes } from './causes_view.js';
import { describeContact } from './contact.js';
import { Drawer } from './drawer.js';
import { ErrorsView } from './errors_view.js';
import { Help } from './help.js';
import { html } from './html.js';
import { actionOf } from './keyboard.js';
import { nextProblem } from './listing.js';
import { Masthead } from './masthead.js';
import { MatrixView } from './matrix_view.js';
import { Printed } from './print_view.js';
import { TaskTable, moveActive } from './table.js';
import { TimelineView } from './timeline_view.js';
import { Toolbar } from './toolbar.js';
import { describeRun, goesOn } from './verdict.js';

const COMPONENTS = { tasks: TaskTable, errors: ErrorsView, matrix: MatrixView, timeline: TimelineView };

export function App({ state }) {
  const loaded = state.run.value !== null;
  useKeys(state);
  useTitle(state);
  useStickyHeights(loaded);
  return html`
    <div id="page" class=${[state.task.value && loaded && 'beside-drawer', state.contact.value.gone && 'stale'].filter(Boolean).join(' ')}>
      <${Connection} state=${state} />
      <${Masthead} state=${state} />
      ${loaded ? html`
        <${Causes} state=${state} />
        <${Toolbar} state=${state} />
        <main data-view=${state.view.value}><${COMPONENTS[state.view.value]} state=${state} /></main>
        <${Printed} state=${state} />`
      : html`<main><${Waiting} phase=${state.contact.value.phase} /></main>`}
    </div>
    ${loaded && state.task.value && html`<${Drawer} state=${state} />`}
    <${Help} state=${state} />`;
}

function Connection({ state }) {
  const summary = state.revision.value >= 0 && state.run.value?.summary;
  const text = describeContact(summary, state.contact.value);
  return html`<div class="connection" role=${text ? 'region' : null} aria-label=${text ? 'Controller' : null}>${text && html`<p class=${goesOn(summary) ? '' : 'calm'}>${text}</p>`}</div>`;
}

const WAITING = {
  loading: 'Loading the run',
  waiting: 'Waiting for the run. The controller is there and still reading the plan.',
  lost: 'The controller does not answer. Trying again.',
  live: 'Loading the run',
  ended: 'The controller has ended.',
  kept: 'Loading the run',
};

const Waiting = ({ phase }) => html`<p class="nothing" role="status" aria-busy="true">${WAITING[phase]}</p>`;

function useKeys(state) {
  useEffect(() => {
    const step = (direction) => {
      const listing = state.listing.value;
      const at = state.task.value ? state.openRow.value : state.activeRow.value;
      const row = nextProblem(listing, at >= 0 ? listing.places[at] : -1, direction);
      if (row >= 0) state.openTask(row);
    };
    const actions = {
      filter: () => document.getElementById('filter').select(),
      help: () => { state.helpOpen.value = true; },
      next: () => moveActive(state, 1),
      previous: () => moveActive(state, -1),
      nextFailure: () => step(1),
      previousFailure: () => step(-1),
      open: () => { if (state.activeRow.value >= 0 && !state.task.value) state.openTask(state.activeRow.value); },
      view: (event) => state.setView(VIEWS[event.key - 1]),
      escape: (event) => {
        if (event.target.id === 'filter') document.getElementById('tasks')?.focus();
        else if (state.task.value) state.closeTask();
      },
    };
    const onKey = (event) => {
      const action = actionOf(event);
      // An open dialog has its own keys.
      if (!action || event.defaultPrevented || state.helpOpen.value || event.target.closest?.('dialog') || (!state.run.value && action !== 'help')) return;
      if (action !== 'escape' && action !== 'open') event.preventDefault();
      actions[action](event);
    };
    addEventListener('keydown', onKey);
    return () => removeEventListener('keydown', onKey);
  }, []);
}

// The tab says how the run is going, in words and in a coloured dot.
function useTitle(state) {
  const summary = state.revision.value >= 0 ? state.run.value?.summary : null;
  const { title, tone } = describeRun(summary, state.contact.value);
  useEffect(() => { document.title = title; }, [title]);
  useEffect(() => {
    document.querySelector('link[rel=icon]').href = `data:image/svg+xml,${encodeURIComponent(favicon(tone))}`;
  }, [tone]);
}

const FAVICONS = {
  waiting: ['#6e7781', 'M6 16h20'],
  running: ['#2f7de1', 'M12 9.500l11 6.500l-11 6.500z'],
  failing: ['#d1313d', 'M12 9.500l11 6.500l-11 6.500z'],
  passed: ['#1f883d', 'M9 16.500l5 5l9.5-10.5'],
  failed: ['#d1313d', 'M10 10l12 12m0-12l-12 12'],
  error: ['#8b4fd6', 'M16 8v10m0 5v.5'],
  cancelled: ['#6e7781', 'M10 22l12-12'],
  skipped: ['#2b7a85', 'M9 10.500l5.500 5.500l-5.500 5.500m8-11l5.500 5.500l-5.500 5.500'],
  interrupted: ['#6e7781', 'M12.5 10.5v11m7-11v11'],
  lost: ['#9a6700', 'M12 13a4 4 0 1 1 5.5 3.7c-1.2.6-1.5 1.3-1.5 2.3M16 23v.5'],
};

function favicon(tone) {
  const [color, path] = FAVICONS[tone];
  return `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="9" fill="${color}"/>`
    + `<path d="${path}" fill="none" stroke="#fff" stroke-width="3.6" stroke-linecap="round" stroke-linejoin="round"/></svg>`;
}

// Column heads stick below the toolbar, whose height depends on the width of the page.
function useStickyHeights(loaded) {
  useLayoutEffect(() => {
    const toolbar = document.querySelector('.toolbar');
    const masthead = document.querySelector('.masthead');
    if (!toolbar) return undefined;
    const root = document.documentElement;
    const sizes = new ResizeObserver(() => root.style.setProperty('--toolbar', `${toolbar.offsetHeight}px`));
    sizes.observe(toolbar);
    const sight = new IntersectionObserver(([entry]) => root.classList.toggle('scrolled', !entry.isIntersecting));
    sight.observe(masthead);
    return () => { sizes.disconnect(); sight.disconnect(); };
  }, [loaded]);
}
