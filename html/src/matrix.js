// The run as a matrix: a line for each spec of each group, a column for each viewport with each browser. The shape is
// the plan's and is worked out once; states are read from the run when cells are drawn. Pure.

import { isProblem } from './status.js';

/** What a cell holds besides a row of the run. Below EMPTY: EXCLUDED - index into run.excluded. */
export const EMPTY = -1;
export const EXCLUDED = -2;

/** @returns { columns: [{ viewport, browser }], lines: [{ group, spec, cells: [row | EMPTY | EXCLUDED - index] }] }, all numbers of tables. */
export function buildMatrix(run) {
  const { viewports, browsers, specs } = run.tables;
  const [groupNumbers, specNumbers, viewportNumbers, browserNumbers] = ['groups', 'specs', 'viewports', 'browsers']
    .map((name) => new Map(run.tables[name].map((text, number) => [text, number])));
  const pairs = new Set();
  const pair = (viewport, browser) => viewport * browsers.length + browser;
  for (let row = 0; row < run.size; row += 1) pairs.add(pair(run.viewport[row], run.browser[row]));
  // NaN where a name occurs in no task.
  const excluded = run.excluded.map((entry) => ({
    line: groupNumbers.get(entry.group) * specs.length + specNumbers.get(entry.spec),
    pair: pair(viewportNumbers.get(entry.viewport), browserNumbers.get(entry.browser)),
  }));
  for (const entry of excluded) if (entry.pair >= 0) pairs.add(entry.pair);

  const order = [...pairs].sort((a, b) => a - b);
  const columnOf = new Map(order.map((value, column) => [value, column]));
  const lines = [];
  const lineOf = new Map();
  for (let row = 0; row < run.size; row += 1) {
    const name = run.group[row] * specs.length + run.spec[row];
    let line = lineOf.get(name);
    if (!line) {
      line = { group: run.group[row], spec: run.spec[row], cells: new Int32Array(order.length).fill(EMPTY) };
      lineOf.set(name, line);
      lines.push(line);
    }
    line.cells[columnOf.get(pair(run.viewport[row], run.browser[row]))] = row;
  }
  excluded.forEach((entry, index) => {
    const cells = lineOf.get(entry.line)?.cells;
    const column = columnOf.get(entry.pair);
    if (cells && column !== undefined && cells[column] === EMPTY) cells[column] = EXCLUDED - index;
  });
  const columns = order.map((value) => ({ viewport: Math.floor(value / browsers.length), browser: value % browsers.length }));
  return { columns, lines };
}

/** The lines with a task that matches, each group under a heading: [{ heading: group } | line]. */
export function visibleLines({ lines }, matches) {
  const visible = [];
  let group = -1;
  for (const line of lines) {
    if (!line.cells.some((row) => row >= 0 && matches(row))) continue;
    if (line.group !== group) visible.push({ heading: group = line.group });
    visible.push(line);
  }
  return visible;
}

/** How many problems each column has. */
export function problemsByColumn({ columns, lines }, run) {
  const problems = columns.map(() => 0);
  for (const { cells } of lines) {
    for (let column = 0; column < cells.length; column += 1) {
      if (cells[column] >= 0 && isProblem(run.status[cells[column]])) problems[column] += 1;
    }
  }
  return problems;
}

/** The cell reached from `row` by one step, or `row` itself at the edge: what the arrow keys do. */
export function neighbour(visible, row, [across, down]) {
  let at = row < 0 ? -1 : visible.findIndex((line) => line.cells?.includes(row));
  if (at < 0) return visible.flatMap((line) => [...(line.cells ?? [])]).find((cell) => cell >= 0) ?? -1;
  let column = visible[at].cells.indexOf(row);
  for (;;) {
    at += down;
    column += across;
    const line = visible[at];
    if (!line || column < 0 || (line.cells && column >= line.cells.length)) return row;
    if (line.cells?.[column] >= 0) return line.cells[column];
  }
}
