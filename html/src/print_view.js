// What is printed: the masthead and then what failed, by causes and by tasks. A list of all tasks is hundreds of pages
// that nobody reads, and the page's own has only the rows that are on the screen.

import { useEffect, useState } from 'preact/hooks';
import { ErrorList } from './errors_view.js';
import { formatCount, plural } from './format.js';
import { headlineOf, headlineText } from './headline.js';
import { html } from './html.js';
import { browserOf, specOf, viewportOf } from './run.js';
import { SHOWN } from './status.js';

const MOST_CAUSES = 40;
const MOST_TASKS = 300;

export function Printed({ state }) {
  const printing = usePrinting();
  if (!printing) return null;
  const run = state.run.value;
  const causes = state.causes.value;
  const rows = [...new Set(causes.flatMap(({ rows: own }) => own))].sort((a, b) => a - b);
  if (!rows.length) return null;
  return html`
    <section class="printed" aria-label="Failures">
      <h2>${plural(causes.length, 'cause')}</h2>
      <${ErrorList} state=${state} run=${run} errors=${causes.slice(0, MOST_CAUSES)} />
      ${causes.length > MOST_CAUSES && html`<p>${formatCount(causes.length - MOST_CAUSES)} more are not printed.</p>`}
      <h2>${plural(rows.length, 'task')}</h2>
      <ul class="printed-tasks">${rows.slice(0, MOST_TASKS).map((row) => html`
        <li key=${row}><b>${SHOWN[run.status[row]].word}</b> <bdi>${specOf(run, row)}</bdi> <span class="of">${viewportOf(run, row)} ${browserOf(run, row)}</span> <bdi>${headlineText(headlineOf(run, row))}</bdi></li>`)}
      </ul>
      ${rows.length > MOST_TASKS && html`<p>${formatCount(rows.length - MOST_TASKS)} more are not printed.</p>`}
    </section>`;
}

function usePrinting() {
  const [printing, setPrinting] = useState(false);
  useEffect(() => {
    const media = matchMedia('print');
    const update = () => setPrinting(media.matches);
    const before = () => setPrinting(true);
    update();
    media.addEventListener('change', update);
    addEventListener('beforeprint', before);
    addEventListener('afterprint', update);
    return () => {
      media.removeEventListener('change', update);
      removeEventListener('beforeprint', before);
      removeEventListener('afterprint', update);
    };
  }, []);
  return printing;
}
