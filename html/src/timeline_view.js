// The timeline, drawn on one small canvas for each worker on the screen. Drag over a stretch of time to look closer;
// click on a bar to open its task. The numbers beside each worker are text, so that nothing is only in the picture.

import { useEffect, useLayoutEffect, useMemo, useRef, useState } from 'preact/hooks';
import { formatClock, formatCount, formatDuration, formatPercent } from './format.js';
import { useRowWindow } from './geometry.js';
import { html } from './html.js';
import { browserOf, specOf, viewportOf } from './run.js';
import { BY_PROGRESS, FAILED, QUEUED, STATUSES, isProblem } from './status.js';
import { splitPath } from './text.js';
import { themeName } from './theme.js';
import { buildTimeline, endOf, firstReaching, nextBar, rowsByStart, spanOf, ticks } from './timeline.js';
import { goesOn } from './verdict.js';

const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };
const LANE = 14;
const EARLIER_ALPHA = 0.4;
const PADDING = 5;
const LEAST_ZOOM_MS = 20;
const LABEL_WIDTH = 70;
const TICK_WIDTH = 90;

export function TimelineView({ state }) {
  const run = state.run.value;
  const revision = state.revision.value;
  const matches = state.matches.value;
  const now = goesOn(run.summary) ? state.now.value : 0;
  const sorted = useRef({ run: null, rows: [] });
  const timeline = useMemo(() => {
    const rows = rowsByStart(run, sorted.current.run === run ? sorted.current.rows : []);
    sorted.current = { run, rows };
    const built = buildTimeline(run, rows, now);
    return { ...built, ...spanOf(built, run.summary) };
  }, [run, revision, now]);

  const { workers, lanes } = timeline;
  const rowHeight = lanes * LANE + 2 * PADDING;
  const { ref, range: [first, end], reveal } = useRowWindow(workers.length, rowHeight);
  const [zoom, setZoom] = useState(null);
  const [hover, setHover] = useState(null);
  const [drag, setDrag] = useState(null);
  const legend = useRef(null);
  const width = useWidth(ref);
  useEffect(() => setZoom(null), [run]);

  const from = zoom?.from ?? timeline.from;
  const to = Math.max(from + 1, zoom?.to ?? timeline.to);
  const scale = { from, to, width, x: (time) => ((time - from) / (to - from)) * width };

  useLayoutEffect(() => {
    if (!workers.length || !width) return;
    const colors = colorsOf(legend.current);
    for (const canvas of ref.current.querySelectorAll('canvas')) {
      draw(canvas, { run, worker: workers[canvas.dataset.worker], now, scale, colors, matches, longestMs: timeline.longestMs, height: rowHeight, hovered: hover?.row ?? state.activeRow.value });
    }
  });

  if (!workers.length) return html`<div class="nothing"><p>Nothing has started yet.</p></div>`;

  const timeAt = (event) => from + ((event.clientX - ref.current.querySelector('canvas').getBoundingClientRect().left) / width) * (to - from);
  const barAt = (event) => {
    const canvas = event.target.closest('canvas');
    return canvas ? findBar(run, workers[canvas.dataset.worker], timeAt(event), Math.floor((event.offsetY - PADDING) / LANE), now, (to - from) / width, timeline.longestMs) : -1;
  };
  const pointer = {
    onPointerDown: (event) => {
      if (event.button || event.pointerType !== 'mouse' || !event.target.closest('canvas')) return;
      event.currentTarget.setPointerCapture(event.pointerId);
      setDrag({ start: timeAt(event), end: timeAt(event), x: event.clientX, row: barAt(event) });
    },
    onPointerMove: (event) => {
      if (drag) setDrag({ ...drag, end: timeAt(event) });
      const row = barAt(event);
      setHover(row >= 0 ? { row, x: event.clientX, y: event.clientY } : null);
    },
    onPointerUp: (event) => {
      if (!drag) return;
      setDrag(null);
      if (Math.abs(event.clientX - drag.x) < 5) {
        if (drag.row >= 0) state.openTask(drag.row);
        return;
      }
      const [a, b] = [Math.min(drag.start, drag.end), Math.max(drag.start, drag.end)];
      setZoom({ from: Math.max(a, timeline.from), to: Math.max(a + LEAST_ZOOM_MS, Math.min(b, timeline.to)) });
    },
    onPointerLeave: () => setHover(null),
    onClick: (event) => { if (event.pointerType !== 'mouse' && barAt(event) >= 0) state.openTask(barAt(event)); },
  };
  // The list of tasks has them all for a screen reader; here the keys lead from bar to bar.
  const byKey = (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target !== event.currentTarget) return;
    if (STEPS[event.key]) {
      event.preventDefault();
      const next = nextBar(run, workers, state.activeRow.value, STEPS[event.key]);
      state.activeRow.value = next;
      reveal(workers.findIndex(({ rows }) => rows.includes(next)));
    } else if (event.key === 'Enter' && state.activeRow.value >= 0) {
      event.preventDefault();
      state.openTask(state.activeRow.value);
    }
  };
  const active = state.activeRow.value;
  const told = active >= 0 && run.started_ms[active] > 0 ? `${splitPath(specOf(run, active))[1]} ${viewportOf(run, active)} ${browserOf(run, active)}, ${STATUSES[run.status[active]].word.toLowerCase()}` : '';
  const zoomBy = (factor) => {
    const [middle, half] = [(from + to) / 2, Math.max(LEAST_ZOOM_MS, (to - from) * factor) / 2];
    const next = { from: Math.max(timeline.from, middle - half), to: Math.min(timeline.to, middle + half) };
    setZoom(next.from === timeline.from && next.to === timeline.to ? null : next);
  };
  const span = timeline.to - timeline.from;

  return html`
    <div class="timeline-tools">
      <div class="legend" ref=${legend}>${BY_PROGRESS.filter((status) => status !== QUEUED).map((status) => html`<span key=${status}><i class=${`swatch fill-${STATUSES[status].name}`} data-status=${status}></i>${STATUSES[status].word}</span>`)}
        ${run.earlier.length > 0 && html`<span><i class="swatch fill-failed" style=${{ opacity: EARLIER_ALPHA }}></i>Tried before</span>`}</div>
      <span class="of" aria-live="polite">${told && html`<bdi>${told}</bdi>, `}${zoom ? `${formatDuration(to - from)} of ${formatClock(span)}` : 'Drag to zoom'}</span>
      <button type="button" class="button" aria-label="Zoom in" onClick=${() => zoomBy(0.5)}>+</button>
      <button type="button" class="button" aria-label="Zoom out" disabled=${!zoom} onClick=${() => zoomBy(2)}>−</button>
      <button type="button" class="button" disabled=${!zoom} onClick=${() => setZoom(null)}>Fit</button>
    </div>
    <div class="timeline" role="table" id="tasks" tabindex="0" aria-label="Workers over time, the last attempt of each task" aria-rowcount=${workers.length + 1} onKeyDown=${byKey}>
      <div role="rowgroup" class="thead">
        <div role="row" aria-rowindex="1" class="tline thead-line">
          <div role="columnheader">Worker</div><div role="columnheader" class="number">Tasks</div><div role="columnheader" class="number">Busy</div>
          <div role="columnheader" class="axis"><span class="offscreen">Over time</span>
            ${ticks(from, to, timeline.from, Math.max(2, width / TICK_WIDTH)).map((at) => html`<span key=${at} class="tick" aria-hidden="true" style=${{ left: `${scale.x(timeline.from + at)}px` }}>${at < 1000 && at > 0 ? formatDuration(at) : formatClock(at)}</span>`)}
          </div>
        </div>
      </div>
      <div role="rowgroup" class="rows" ref=${ref} style=${{ height: `${workers.length * rowHeight}px` }} ...${pointer}>
        ${workers.slice(first, end).map((worker, i) => html`
          <div key=${worker.name} role="row" aria-rowindex=${first + i + 2} class="tline" style=${{ transform: `translateY(${(first + i) * rowHeight}px)`, height: `${rowHeight}px` }}>
            <div role="rowheader" class="mono" title=${worker.name}><bdi>${worker.name}</bdi></div>
            <div role="cell" class="number">${formatCount(worker.rows.length)}${worker.problems > 0 && html`<span class="tone-text-failed" title=${`${worker.problems} failed`}> ${formatCount(worker.problems)}✗</span>`}</div>
            <div role="cell" class="number">${formatPercent(Math.min(1, worker.busyMs / Math.max(1, span) / lanesOf(worker)))}</div>
            <div role="cell" class="strip"><canvas data-worker=${first + i} aria-hidden="true"></canvas></div>
          </div>`)}
        ${drag && Math.abs(scale.x(drag.end) - scale.x(drag.start)) > 4 && html`<div class="stretch" style=${stretchStyle(ref.current, scale, drag)}></div>`}
      </div>
    </div>
    ${hover && html`<${Tip} run=${run} hover=${hover} now=${now} />`}`;
}

const lanesOf = (worker) => worker.ends.length;

function stretchStyle(list, scale, { start, end }) {
  const left = list.querySelector('canvas').getBoundingClientRect().left - list.getBoundingClientRect().left;
  const [a, b] = [scale.x(Math.min(start, end)), scale.x(Math.max(start, end))];
  return { left: `${left + a}px`, width: `${b - a}px` };
}

function Tip({ run, hover: { row, x, y }, now }) {
  const { word, name } = STATUSES[run.status[row]];
  const style = { left: `${Math.min(x + 12, innerWidth - 300)}px`, top: `${Math.min(y + 16, innerHeight - 90)}px` };
  return html`
    <div class="tip" aria-hidden="true" style=${style}>
      <b><bdi>${splitPath(specOf(run, row))[1]}</bdi></b>
      <span>${viewportOf(run, row)} ${browserOf(run, row)}</span>
      <span><b class=${`tone-text-${name}`}>${word}</b> ${formatDuration(endOf(run, row, now) - run.started_ms[row])}</span>
    </div>`;
}

function useWidth(list) {
  const [width, setWidth] = useState(0);
  useLayoutEffect(() => {
    const measure = () => setWidth(list.current?.querySelector('.strip')?.clientWidth ?? 0);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(document.body);
    return () => observer.disconnect();
  });
  return width;
}

// The colours are the style sheet's; a canvas has to ask for them.
function colorsOf(legend) {
  themeName.value;
  const colors = STATUSES.map(() => '#888');
  for (const swatch of legend.querySelectorAll('[data-status]')) colors[swatch.dataset.status] = getComputedStyle(swatch).backgroundColor;
  return { status: colors, text: getComputedStyle(legend).getPropertyValue('--on-fill') || '#fff' };
}

function draw(canvas, { run, worker, now, scale, colors, matches, longestMs, height, hovered }) {
  const ratio = devicePixelRatio || 1;
  const { from, to, width, x } = scale;
  if (canvas.width !== Math.round(width * ratio) || canvas.height !== Math.round(height * ratio)) {
    canvas.width = Math.round(width * ratio);
    canvas.height = Math.round(height * ratio);
    canvas.style.width = `${width}px`;
    canvas.style.height = `${height}px`;
  }
  const context = canvas.getContext('2d');
  context.setTransform(ratio, 0, 0, ratio, 0, 0);
  context.clearRect(0, 0, width, height);
  context.font = '10px sans-serif';
  context.textBaseline = 'middle';

  // Problems are drawn last: where bars are thinner than a pixel, they must be the ones that show.
  const problems = [];
  const bar = (i) => {
    const row = worker.rows[i];
    const left = x(run.started_ms[row]);
    const right = x(endOf(run, row, now));
    if (right < 0) return;
    const wide = Math.max(1, right - left - (right - left > 3 ? 1 : 0));
    const top = PADDING + worker.laneOf[i] * LANE + 1;
    context.globalAlpha = matches(row) ? 1 : 0.18;
    context.fillStyle = colors.status[run.status[row]];
    context.fillRect(left, top, wide, LANE - 2);
    if (row === hovered) {
      context.strokeStyle = colors.status[run.status[row]];
      context.globalAlpha = 1;
      context.strokeRect(left - 1, top - 1, wide + 2, LANE);
    }
    if (wide > LABEL_WIDTH) label(context, splitPath(specOf(run, row))[1], Math.max(0, left) + 4, top + LANE / 2 - 1, Math.min(width, left + wide) - Math.max(0, left) - 8, colors.text);
  };
  context.fillStyle = colors.status[FAILED];
  for (const attempt of worker.earlier) {
    context.globalAlpha = matches(attempt.row) ? EARLIER_ALPHA : 0.1;
    context.fillRect(x(attempt.from), PADDING + attempt.lane * LANE + 1, Math.max(1, x(attempt.to) - x(attempt.from) - 1), LANE - 2);
  }
  for (let i = firstReaching(run, worker.rows, from, longestMs); i < worker.rows.length && run.started_ms[worker.rows[i]] <= to; i += 1) {
    if (isProblem(run.status[worker.rows[i]])) problems.push(i);
    else bar(i);
  }
  problems.forEach(bar);
  context.globalAlpha = 1;
}

function label(context, text, x, y, width, color) {
  if (width < LABEL_WIDTH / 2) return;
  context.save();
  context.beginPath();
  context.rect(x, y - LANE / 2, width, LANE);
  context.clip();
  context.fillStyle = color;
  context.fillText(text, x, y);
  context.restore();
}

// The bar at a time and lane; a bar thinner than a pixel can still be hit.
function findBar(run, worker, time, lane, now, msPerPixel, longestMs) {
  let best = -1;
  for (let i = firstReaching(run, worker.rows, time, longestMs + 2 * msPerPixel); i < worker.rows.length; i += 1) {
    const row = worker.rows[i];
    if (run.started_ms[row] > time + msPerPixel) break;
    if (worker.laneOf[i] !== lane || endOf(run, row, now) + msPerPixel < time) continue;
    if (best < 0 || isProblem(run.status[row])) best = row;
  }
  const before = () => worker.earlier.find((attempt) => attempt.lane === lane && attempt.from <= time + msPerPixel && attempt.to + msPerPixel >= time)?.row ?? -1;
  return best < 0 ? before() : best;
}
