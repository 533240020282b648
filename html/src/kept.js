// A run that was written into the page itself (controller/export/export_html.c): the snapshot, and blocks of tasks in
// the order of the plan, each compressed and only undone when one of its tasks is opened.
//
//   <script id="run">…</script>                    gzip, base64: the snapshot of the API
//   <script class="tasks" data-first="120">…       the same: [[row, task, log], …]; task as GET …/tasks/{key} tells it,
//                                                  log null or { attempt, text, before }

import { STATUSES } from './status.js';

/** elements: what a page has of these, { snapshot, blocks }, each { text, first }. */
export function openKept({ snapshot, blocks }) {
  let opened = null;

  function entriesOf(row) {
    const block = blocks.findLast(({ first }) => first <= row);
    if (!block) return Promise.resolve([]);
    if (opened?.block !== block) opened = { block, entries: unpack(block.text) };
    return opened.entries;
  }

  const entryOf = async (row) => (await entriesOf(row)).find(([of]) => of === row);

  return {
    snapshot: () => unpack(snapshot.text),

    async task(run, row) {
      const [, task] = (await entryOf(row)) ?? [];
      return task ?? { attempts: attemptsOf(run, row) };
    },

    async log(run, row, attempt) {
      const [, , log] = (await entryOf(row)) ?? [];
      if (log?.attempt !== attempt) return { text: '', before: 0, note: 'A report holds the output of the last attempts alone, of tasks that failed.' };
      return { text: log.text, before: log.before };
    },

    logAddress: () => '',
  };
}

/** What a page holds of a run, or null: it is one that asks a controller. */
export function readKept(document) {
  const snapshot = document.getElementById('run');
  if (!snapshot) return null;
  const blocks = [...document.querySelectorAll('script.tasks')].map((block) => ({ first: Number(block.dataset.first), text: block.textContent }));
  return openKept({ snapshot: { text: snapshot.textContent }, blocks });
}

async function unpack(base64) {
  const bytes = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  return new Response(new Blob([bytes]).stream().pipeThrough(new DecompressionStream('gzip'))).json();
}

// A task that passed at once and told of no test: its row is all that there is to say.
function attemptsOf(run, row) {
  if (!run.attempt[row]) return [];
  const outcome = STATUSES[run.status[row]].name;
  return [{ attempt: run.attempt[row], outcome, started_ms: run.started_ms[row], duration_ms: run.duration_ms[row], worker: run.tables.workers[run.worker[row]] ?? '' }];
}
