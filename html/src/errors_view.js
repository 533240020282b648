// The errors of the run, each once, with how often and where: the fastest way from "312 failed" to "one thing is broken".

import { groupErrors } from './errors.js';
import { formatCount, plural } from './format.js';
import { html } from './html.js';
import { StatusIcon } from './icons.js';
import { browserOf, specOf, taskKey, viewportOf } from './run.js';
import { ERROR, FAILED } from './status.js';
import { splitPath } from './text.js';
import { follow } from './toolbar.js';
import { goesOn } from './verdict.js';

const NAMED = 6;

export function ErrorsView({ state }) {
  const run = state.run.value;
  const errors = state.revision.value >= 0 && groupErrors(run, state.matches.value);
  if (!errors.length) {
    return html`<div class="nothing"><p>${run.summary.counts.failed + run.summary.counts.error ? 'No failure matches these filters.' : `Nothing has failed${goesOn(run.summary) ? ' so far' : ''}.`}</p></div>`;
  }
  const show = (pattern) => {
    state.setFilter({ error: pattern });
    state.view.value = 'tasks';
  };
  return html`
    <ol class="errors">
      ${errors.map(({ pattern, example, rows, specs, browsers }) => html`
        <li key=${pattern}>
          <p class="error-count"><b>${formatCount(rows.length)}</b><span class="of">${rows.length === 1 ? 'task' : 'tasks'}</span></p>
          <div class="error-body">
            <p class="error-example mono"><${StatusIcon} status=${rows.some((row) => run.status[row] === FAILED) ? FAILED : ERROR} /><bdi>${example}</bdi></p>
            <p class="of">${plural(specs, 'spec')} in ${plural(browsers, 'browser')}</p>
            <ul class="error-tasks">
              ${rows.slice(0, NAMED).map((row) => html`
                <li key=${row}><a href=${`?task=${encodeURIComponent(taskKey(run, row))}`} onClick=${(event) => follow(event, () => state.openTask(row))}>
                  <bdi>${splitPath(specOf(run, row))[1]}</bdi> <span class="of">${viewportOf(run, row)} ${browserOf(run, row)}</span></a></li>`)}
            </ul>
            ${rows.length > 1 && html`<button type="button" class="link" onClick=${() => show(pattern)}>Show ${rows.length === 2 ? 'both' : `all ${formatCount(rows.length)}`} in the list</button>`}
          </div>
        </li>`)}
    </ol>`;
}
