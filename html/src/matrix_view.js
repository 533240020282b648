// Specs down, viewports and browsers across: shows at a glance whether a spec fails everywhere or in one browser only.

import { useMemo } from 'preact/hooks';
import { formatCount, formatDuration } from './format.js';
import { useRowWindow } from './geometry.js';
import { html } from './html.js';
import { StatusIcon } from './icons.js';
import { EXCLUDED, buildMatrix, neighbour, problemsByColumn, visibleLines } from './matrix.js';
import { taskKey } from './run.js';
import { STATUSES } from './status.js';
import { splitPath } from './text.js';
import { follow } from './toolbar.js';

const LINE_HEIGHT = 34;
const STEPS = { ArrowRight: [1, 0], ArrowLeft: [-1, 0], ArrowDown: [0, 1], ArrowUp: [0, -1] };

export function MatrixView({ state }) {
  const run = state.run.value;
  const matches = state.matches.value;
  const matrix = useMemo(() => buildMatrix(run), [run]);
  const revision = state.revision.value;
  const lines = useMemo(() => visibleLines(matrix, matches), [matrix, matches, revision]);
  const problems = useMemo(() => problemsByColumn(matrix, run), [matrix, revision]);
  const { ref, range: [first, end], reveal } = useRowWindow(lines.length, LINE_HEIGHT);
  const active = state.activeRow.value;
  const { viewports, browsers, groups, specs } = run.tables;

  const byKey = (event) => {
    if (event.metaKey || event.ctrlKey || event.altKey || event.target !== event.currentTarget) return;
    if (STEPS[event.key]) {
      event.preventDefault();
      const next = neighbour(lines, active, STEPS[event.key]);
      if (next < 0) return;
      state.activeRow.value = next;
      reveal(lines.findIndex((line) => line.cells?.includes(next)));
    } else if (event.key === 'Enter' && active >= 0) {
      event.preventDefault();
      state.openTask(active);
    }
  };

  if (!lines.length) return html`<div class="nothing"><p>No task matches these filters.</p><button type="button" class="button" onClick=${state.clearFilter}>Clear filters</button></div>`;
  const template = { gridTemplateColumns: `minmax(9rem, 34rem) repeat(${matrix.columns.length}, minmax(1.5rem, 9rem))` };
  const drawn = active >= 0 && lines.slice(first, end).some((line) => line.cells?.includes(active));
  return html`
    <div class="matrix" role="grid" id="tasks" tabindex="0" aria-label="Specs by viewport and browser" aria-rowcount=${lines.length + 1}
      aria-colcount=${matrix.columns.length + 1} aria-activedescendant=${drawn ? `cell-${active}` : null} onKeyDown=${byKey}>
      <div role="rowgroup" class="thead">
        <div role="row" aria-rowindex="1" class="mline mhead" style=${template}>
          <div role="columnheader">Spec</div>
          ${matrix.columns.map(({ viewport, browser }, column) => html`
            <div key=${column} role="columnheader" class="mcolumn"><bdi>${viewports[viewport]}</bdi> <bdi>${browsers[browser]}</bdi>
              ${problems[column] > 0 && html`<span class="badge badge-failed" title=${`${problems[column]} failed here`}>${formatCount(problems[column])}</span>`}</div>`)}
        </div>
      </div>
      <div role="rowgroup" class="rows" ref=${ref} style=${{ height: `${lines.length * LINE_HEIGHT}px` }}>
        ${lines.slice(first, end).map((line, i) => {
          const place = first + i;
          const style = { ...template, transform: `translateY(${place * LINE_HEIGHT}px)` };
          if (line.heading !== undefined) {
            return html`<div key=${`group-${line.heading}-${place}`} role="row" aria-rowindex=${place + 2} class="mline mgroup" style=${style}><div role="rowheader"><bdi>${groups[line.heading]}</bdi></div></div>`;
          }
          const [folder, file] = splitPath(specs[line.spec]);
          return html`
            <div key=${`${line.group}/${line.spec}`} role="row" aria-rowindex=${place + 2} class="mline" style=${style}>
              <div role="rowheader" class="cell-spec" title=${specs[line.spec]}><span class="path"><bdi class="folder">${folder}</bdi><bdi class="file">${file}</bdi></span></div>
              ${[...line.cells].map((row, column) => html`<${Cell} key=${column} state=${state} run=${run} row=${row} name=${columnName(run, matrix.columns[column])} matches=${matches} />`)}
            </div>`;
        })}
      </div>
    </div>`;
}

const columnName = ({ tables }, { viewport, browser }) => `${tables.viewports[viewport]} ${tables.browsers[browser]}`;

function Cell({ state, run, row, name, matches }) {
  if (row <= EXCLUDED) {
    const { reason } = run.excluded[EXCLUDED - row];
    return html`<div role="gridcell" class="mcell-none" title=${`${name}: excluded, ${reason}`}><span class="offscreen">excluded, ${reason}</span><span aria-hidden="true">–</span></div>`;
  }
  if (row < 0) return html`<div role="gridcell" class="mcell-none"></div>`;
  const status = run.status[row];
  const { name: tone, word } = STATUSES[status];
  const duration = run.duration_ms[row] > 0 ? formatDuration(run.duration_ms[row]) : '';
  return html`
    <div role="gridcell" id=${`cell-${row}`} class=${`mcell status-${tone} ${matches(row) ? '' : 'mcell-other'} ${row === state.activeRow.value ? 'mcell-active' : ''}`}>
      <a href=${`?task=${encodeURIComponent(taskKey(run, row))}`} tabindex="-1" title=${`${name}: ${word.toLowerCase()}${duration && `, ${duration}`}`}
        onClick=${(event) => follow(event, () => state.openTask(row))}><${StatusIcon} status=${status} /><span class="offscreen">${word}</span><span class="mduration">${duration}</span></a>
    </div>`;
}
