// The icons, drawn here: one shape for each state, so that colour is never the only difference.

import { html } from './html.js';
import { CANCELLED, ERROR, FAILED, FLAKY, PASSED, QUEUED, RETRYING, RUNNING, SHOWN, SKIPPED, TESTS } from './status.js';

const cut = (d) => html`<path d=${d} class="icon-cut" />`;
const line = (d) => html`<path d=${d} class="icon-line" />`;
const disc = (d) => html`<circle cx="8" cy="8" r="7" fill="currentColor" />${cut(d)}`;
const ring = (more, d) => html`<circle cx="8" cy="8" r="6" class=${`icon-line ${more}`} />${d}`;

const SHAPES = {
  [PASSED]: () => disc('M4.8 8.3l2.2 2.2 4.2-4.6'),
  [FAILED]: () => disc('M5.5 5.5l5 5m0-5l-5 5'),
  [ERROR]: () => html`<path d="M8 1.8l6.6 12H1.4z" fill="currentColor" stroke="currentColor" stroke-width="1.6" stroke-linejoin="round" />${cut('M8 6v4m0 2.2v.3')}`,
  [FLAKY]: () => disc('M4 9c1.2-2.6 2.7-2.6 4-1s2.8 1.6 4-1'),
  [RUNNING]: () => ring('icon-faint', line('M8 2a6 6 0 0 1 6 6')),
  [QUEUED]: () => ring('icon-dashed'),
  [CANCELLED]: () => ring('', line('M4 12l8-8')),
  [SKIPPED]: () => ring('', line('M5.2 5.8l2.2 2.2-2.2 2.2M8.6 5.8l2.2 2.2-2.2 2.2')),
  [RETRYING]: () => line('M13.2 9.2A5.4 5.4 0 1 1 11.8 4.2M12.4 1.6v3.2H9.2'),
  interrupted: () => ring('', line('M6.4 5.6v4.8m3.2-4.8v4.8')),
};

/** The icon of a task's state. Decorative: the word stands beside it or in a label. */
export function StatusIcon({ status, size = 16 }) {
  return html`<svg class=${`icon tone-${SHOWN[status].name}`} width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true">${SHAPES[status]()}</svg>`;
}

const TONES = { passed: PASSED, failed: FAILED, failing: RUNNING, error: ERROR, cancelled: CANCELLED, skipped: SKIPPED, running: RUNNING, waiting: QUEUED, lost: QUEUED, interrupted: 'interrupted' };

/**
 * The icon of the run's verdict. A run that still goes turns, in the colour of what it has come to; it is the only thing
 * that moves by itself: a page that stays open for hours must cost nothing.
 */
export function VerdictIcon({ tone, size }) {
  return html`<svg class=${`icon verdict-icon tone-${tone}`} width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true">${SHAPES[TONES[tone]]()}</svg>`;
}

export const TestIcon = ({ status }) => html`<${StatusIcon} status=${TESTS[status] ?? QUEUED} />`;

const GLYPHS = {
  search: 'M11 11l3.5 3.5M12.5 7.25a5.25 5.25 0 1 1-10.5 0a5.25 5.25 0 0 1 10.5 0',
  close: 'M3.5 3.5l9 9m0-9l-9 9',
  up: 'M8 13V3M3.5 7.5L8 3l4.5 4.5',
  down: 'M8 3v10M3.5 8.5L8 13l4.5-4.5',
  copy: 'M5.5 5.5h8v8h-8zM10.5 5.5v-3h-8v8h3',
  moon: 'M13 9.8A5.8 5.8 0 0 1 6.2 3a5.8 5.8 0 1 0 6.8 6.8z',
  sun: 'M8 5a3 3 0 1 0 0 6 3 3 0 0 0 0-6zM8 .9v1.6M8 13.5v1.6M.9 8h1.6M13.5 8h1.6M3 3l1.1 1.1M11.9 11.9L13 13M3 13l1.1-1.1M11.9 4.1L13 3',
  screen: 'M1.8 3h12.4v8H1.8zM5.5 13.8h5M8 11v2.8',
  help: 'M5.8 6.1a2.2 2.2 0 1 1 3.3 1.9c-.7.4-1.1.8-1.1 1.6v.2M8 12.2v.2',
  asc: 'M4 10l4-4 4 4',
  desc: 'M4 6l4 4 4-4',
};

export const Glyph = ({ name, size = 16 }) =>
  html`<svg class="icon glyph" width=${size} height=${size} viewBox="0 0 16 16" aria-hidden="true"><path d=${GLYPHS[name]} class="icon-line" /></svg>`;
