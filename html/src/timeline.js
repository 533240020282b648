// The run over time: which worker did what when. Bars are tasks (their last attempt), in lanes where a worker runs
// several at a time; behind them earlier attempts, as far as the page knows of them. Pure; drawing is timeline_view's.

import { RUNNING, isProblem } from './status.js';

const MOST_LANES = 4;

/** Rows with a start, by start. Given the list of a moment ago, this costs little more than reading it. */
export function rowsByStart(run, before = []) {
  const listed = new Uint8Array(run.size);
  for (const row of before) listed[row] = 1;
  const rows = before.slice();
  for (let row = 0; row < run.size; row += 1) if (!listed[row] && run.started_ms[row] > 0) rows.push(row);
  return rows.sort((a, b) => run.started_ms[a] - run.started_ms[b] || a - b);
}

export const endOf = (run, row, now) => (run.status[row] === RUNNING ? Math.max(now, run.started_ms[row]) : run.started_ms[row] + run.duration_ms[row]);

/**
 * @returns { from, to, lanes, longestMs, workers: [{ name, rows, laneOf, earlier, busyMs, problems }] }: from, to in ms; rows of a worker by
 * start, laneOf[i] the lane of rows[i]; earlier: { row, from, to, lane } of attempts before the last; lanes: the most that any worker needs.
 * Workers are sorted by name.
 */
export function buildTimeline(run, rows, now) {
  const workers = new Map();
  let [from, to, lanes, longestMs] = [Infinity, 0, 1, 0];
  const place = (number, start, end) => {
    let worker = workers.get(number);
    if (!worker) workers.set(number, worker = { name: run.tables.workers[number] ?? '', rows: [], laneOf: [], earlier: [], ends: [], busyMs: 0, problems: 0, lane: 0 });
    const free = worker.ends.findIndex((laneEnd) => laneEnd <= start);
    worker.lane = free >= 0 ? free : Math.min(worker.ends.length, MOST_LANES - 1);
    worker.ends[worker.lane] = Math.max(end, worker.ends[worker.lane] ?? 0);
    worker.busyMs += end - start;
    from = Math.min(from, start);
    to = Math.max(to, end);
    lanes = Math.max(lanes, worker.lane + 1);
    return worker;
  };
  const earlier = [...run.earlier].sort((a, b) => a.from - b.from);
  let next = 0;
  const placeEarlier = (until) => {
    for (; next < earlier.length && earlier[next].from < until; next += 1) {
      const attempt = earlier[next];
      const worker = place(attempt.worker, attempt.from, attempt.to);
      worker.earlier.push({ row: attempt.row, from: attempt.from, to: attempt.to, lane: worker.lane });
    }
  };
  for (const row of rows) {
    const [start, end] = [run.started_ms[row], endOf(run, row, now)];
    placeEarlier(start);
    const worker = place(run.worker[row], start, end);
    worker.rows.push(row);
    worker.laneOf.push(worker.lane);
    if (isProblem(run.status[row])) worker.problems += 1;
    longestMs = Math.max(longestMs, end - start);
  }
  placeEarlier(Infinity);
  const collator = new Intl.Collator(undefined, { numeric: true });
  return { from, to, lanes, longestMs, workers: [...workers.values()].sort((a, b) => collator.compare(a.name, b.name)) };
}

/** From the start of the run to its end, if that is more than its bars: attempts before the last are none of them. */
export function spanOf({ from, to }, { started_at: started, finished_at: finished }) {
  return { from: Math.min(from, Date.parse(started ?? '') || from), to: Math.max(to, Date.parse(finished ?? '') || to) };
}

/** The bar reached from that of `row` by one step, across: along its worker, down: to what another one did at that time. */
export function nextBar(run, workers, row, [across, down]) {
  const at = workers.findIndex(({ rows }) => rows.includes(row));
  if (at < 0) return workers[0]?.rows[0] ?? -1;
  const { rows } = workers[at];
  if (across) return rows[rows.indexOf(row) + across] ?? row;
  const others = workers[at + down]?.rows ?? [];
  return others.findLast((other) => run.started_ms[other] <= run.started_ms[row]) ?? others[0] ?? row;
}

/** The place in a worker's rows before which no bar reaches `time`. */
export function firstReaching(run, rows, time, longestMs) {
  let [low, high] = [0, rows.length];
  while (low < high) {
    const middle = (low + high) >> 1;
    if (run.started_ms[rows[middle]] < time - longestMs) low = middle + 1;
    else high = middle;
  }
  return low;
}

const STEPS_S = [0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1, 2, 5, 10, 15, 30, 60, 120, 300, 600, 900, 1800, 3600, 7200, 14400, 43200, 86400];

/** Round times between from and to for at most `most` labels, in ms since `origin`. */
export function ticks(from, to, origin, most) {
  const stepMs = 1000 * (STEPS_S.find((step) => (to - from) / (step * 1000) <= most) ?? STEPS_S.at(-1));
  const times = [];
  for (let at = Math.ceil((from - origin) / stepMs) * stepMs; at <= to - origin; at += stepMs) times.push(at);
  return times;
}
