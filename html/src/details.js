// What the page knows of a task only when somebody opens it: its attempts and their output. Asked of the controller here;
// a report that was kept has it in itself (kept.js). Both are { task, log, logAddress }:
//
//   task(run, row, signal)                  -> the task as GET …/tasks/{key} tells it
//   log(run, row, attempt, tailBytes, signal) -> { text, before, note }; before counts the bytes that were left out in front;
//                                              note: why there is none
//   logAddress(run, row, attempt)           -> where it can be had as it is; '': nowhere

import { taskKey } from './run.js';

export function liveDetails({ api, fetch }) {
  const addressOf = (run, row) => `${api}/tasks/${encodeURIComponent(taskKey(run, row)).replace(/%3A/g, ':')}`;
  const logAddress = (run, row, attempt) => `${addressOf(run, row)}/attempts/${attempt}/log`;

  async function task(run, row, signal) {
    const response = await fetch(addressOf(run, row), { signal, cache: 'no-store' });
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    return response.json();
  }

  async function log(run, row, attempt, tailBytes, signal) {
    const response = await fetch(logAddress(run, row, attempt), { signal, headers: tailBytes ? { range: `bytes=-${tailBytes}` } : {} });
    if (response.status === 416) return { text: '', before: 0 };
    if (!response.ok) throw new Error(`HTTP ${response.status}`);
    const text = await response.text();
    const before = Number(/^bytes (\d+)-/.exec(response.headers.get('content-range') ?? '')?.[1] ?? 0);
    if (!before) return { text, before: 0 };
    // The first line was cut somewhere, perhaps inside a character.
    const newline = text.indexOf('\n') + 1;
    return { text: text.slice(newline), before: before + newline };
  }

  return { task, log, logAddress };
}
