// The same spec in other viewports and browsers: the line of the matrix that the open task is in.

import { html } from './html.js';
import { StatusIcon } from './icons.js';
import { shownStatus } from './retrying.js';
import { browserOf, taskKey, viewportOf } from './run.js';
import { sameSpec } from './spread.js';
import { SHOWN } from './status.js';
import { follow } from './toolbar.js';

export function Elsewhere({ state, run, row }) {
  const rows = state.revision.value >= 0 && sameSpec(run, row);
  if (rows.length < 2) return null;
  return html`
    <nav class="elsewhere" aria-label="The same spec elsewhere">
      <ul>${rows.map((other) => {
        const status = shownStatus(run, other);
        const { name, word } = SHOWN[status];
        return html`
          <li key=${other}><a class=${`mcell status-${name}`} href=${`?task=${encodeURIComponent(taskKey(run, other))}`} aria-current=${other === row ? 'true' : null}
            title=${word} onClick=${(event) => follow(event, () => state.openTask(other))}>
            <${StatusIcon} status=${status} size="14" /><span class="offscreen">${word}: </span><bdi>${viewportOf(run, other)}</bdi> <bdi>${browserOf(run, other)}</bdi></a></li>`;
      })}</ul>
    </nav>`;
}
