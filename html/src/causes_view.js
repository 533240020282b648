// The first screen's answer to "why": what most of the failures have in common, above the list. It appears with the first
// failure, and never under a reader's eyes: while somebody reads below the masthead, what is shown stays and only its
// counts follow; that there is more is said, and can be asked for.

import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { Only, Place } from './errors_view.js';
import { formatCount, plural } from './format.js';
import { html } from './html.js';
import { Glyph, StatusIcon } from './icons.js';
import { taskKey } from './run.js';
import { spreadOf } from './spread.js';
import { ERROR, FAILED } from './status.js';
import { oneLine, stripAnsi } from './text.js';
import { follow } from './toolbar.js';

const MOST = 3;

export function Causes({ state }) {
  const run = state.run.value;
  const causes = state.causes.value;
  const top = causes.slice(0, MOST);
  const reading = useReading(state);
  const shown = useRef({ run: null, entries: [] });
  const [, redraw] = useState(0);
  const asked = useRef(false);

  if (!reading || shown.current.run !== run) shown.current = { run, entries: top };
  const entries = shown.current.entries.map((entry) => causes.find(({ cause }) => cause === entry.cause) ?? entry);
  shown.current.entries = entries;
  const isBehind = top.some(({ cause }, i) => entries[i]?.cause !== cause);
  useSteadyPage(state, reading, asked);

  if (state.view.value === 'errors') return html`<div class="causes-slot"></div>`;
  const letGo = () => {
    asked.current = true;
    shown.current = { run, entries: top };
    redraw((count) => count + 1);
  };
  return html`
    <div class="causes-slot">
      ${isBehind && html`<button type="button" class="pill pill-failed causes-behind" onClick=${letGo} title="What is shown is held while you read"><${Glyph} name="up" size="14" />${entries.length ? 'Other causes' : plural(causes.length, 'cause')}</button>`}
      ${entries.length > 0 && html`
        <section class="causes" aria-label="Causes of the failures">
          <ol>${entries.map((entry) => html`<${Cause} key=${entry.cause} state=${state} run=${run} entry=${entry} />`)}</ol>
          ${causes.length > entries.length && html`<a class="causes-all" href=${state.addressOf({ view: 'errors' })} onClick=${(event) => follow(event, () => state.setView('errors'))}>All ${formatCount(causes.length)} causes</a>`}
        </section>`}
    </div>`;
}

function Cause({ state, run, entry: { cause, example, rows, failures } }) {
  const message = stripAnsi(example.message).trim() || '(no message)';
  const values = [['expected', example.expected], ['received', example.received]].filter(([, value]) => value && !message.includes(stripAnsi(value)));
  const spread = spreadOf(run, rows);
  const showTasks = () => state.setFilter({ error: cause }, 'tasks');
  return html`
    <li class="cause">
      <p class="cause-head"><${StatusIcon} status=${rows.some((row) => run.status[row] === FAILED) ? FAILED : ERROR} /><b>${plural(rows.length, 'task')}</b>
        <${Only} spread=${spread} />
        ${failures > rows.length && html`<span class="of">${plural(failures, 'failure')}</span>`}
        ${rows.length > 1 && html`<button type="button" class="link" onClick=${showTasks}>${rows.length === 2 ? 'Show both' : 'Show all'}</button>`}</p>
      <a class="cause-open mono" href=${`?task=${encodeURIComponent(taskKey(run, rows[0]))}`} title=${`${message}\n\nOpens the first`}
        onClick=${(event) => follow(event, () => state.openTask(rows[0]))}><bdi>${message}</bdi></a>
      ${values.length > 0 && html`<dl class="error-values mono">${values.map(([name, value]) => html`<dt key=${name}>${name}</dt><dd class=${`value-${name}`}><bdi>${oneLine(value)}</bdi></dd>`)}</dl>`}
      <p class="cause-where of"><${Place} run=${run} rows=${rows} example=${example} spread=${spread} /></p>
    </li>`;
}

// Whether somebody reads below the masthead: the mouse or the focus is there, or a task is open.
function useReading(state) {
  const [reading, setReading] = useState(state.task.peek() !== '');
  useEffect(() => {
    const isBelow = (node) => node instanceof Element && node.closest('main, .causes-slot, .toolbar') !== null;
    let over = false;
    const update = () => setReading(over || isBelow(document.activeElement) || state.task.peek() !== '');
    const onOver = (event) => {
      over = event.pointerType === 'mouse' && isBelow(event.target);
      update();
    };
    const onLeave = () => {
      over = false;
      update();
    };
    addEventListener('pointerover', onOver);
    document.documentElement.addEventListener('pointerleave', onLeave);
    addEventListener('focusin', update);
    addEventListener('focusout', update);
    const unsubscribe = state.task.subscribe(update);
    return () => {
      removeEventListener('pointerover', onOver);
      document.documentElement.removeEventListener('pointerleave', onLeave);
      removeEventListener('focusin', update);
      removeEventListener('focusout', update);
      unsubscribe();
    };
  }, []);
  return reading;
}

// What stands above the list grows and shrinks, also because a drawer takes width away: for who reads, or has scrolled
// past it, the page is scrolled by as much. asked: he wants to see it himself. With another view or filter all moves.
function useSteadyPage(state, reading, asked) {
  const before = useRef({});
  const question = { view: state.view.value, filter: state.filter.value };
  useLayoutEffect(() => {
    const { top, view, filter } = before.current;
    const next = document.querySelector('main').getBoundingClientRect().top + scrollY;
    before.current = { ...question, top: next };
    const isSame = view === question.view && filter === question.filter && !asked.current;
    asked.current = false;
    if (isSame && next !== top && (reading || scrollY > top)) scrollBy({ top: next - top, behavior: 'instant' });
  });
}
