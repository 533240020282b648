// The causes of what failed, each once, with how often and where: the fastest way from "312 failed" to "one thing is broken".

import { groupErrors } from './errors.js';
import { formatCount, plural } from './format.js';
import { html } from './html.js';
import { StatusIcon } from './icons.js';
import { browserOf, specOf, taskKey, viewportOf } from './run.js';
import { describeSpread, spreadOf } from './spread.js';
import { ERROR, FAILED } from './status.js';
import { oneLine, splitPath, stripAnsi } from './text.js';
import { follow } from './toolbar.js';
import { goesOn } from './verdict.js';

const NAMED = 6;

/** Where an error is: the place of the first one, and how many other specs have it. */
export function Place({ run, rows, example, spread }) {
  const [folder, file] = splitPath(example.file || specOf(run, rows[0]));
  return html`
    <span class="place-of"><span class="path mono" title=${folder + file}><bdi class="folder">${folder}</bdi><bdi class="file">${file}${example.file && example.line ? `:${example.line}` : ''}</bdi></span>
      ${spread.specs > 1 && html`<span> and ${plural(spread.specs - 1, 'other spec')}</span>`}</span>`;
}

/** What the places of an error have in common, if that tells them from others. */
export function Only({ spread }) {
  const text = describeSpread(spread);
  return text && html`<bdi class="only">${text}</bdi>`;
}

export function ErrorsView({ state }) {
  const run = state.run.value;
  const errors = state.revision.value >= 0 && groupErrors(run, state.matches.value);
  if (!errors.length) {
    return html`<div class="nothing"><p>${run.summary.counts.failed + run.summary.counts.error ? 'No failure matches these filters.' : `Nothing has failed${goesOn(run.summary) ? ' so far' : ''}.`}</p></div>`;
  }
  return html`<${ErrorList} state=${state} run=${run} errors=${errors} />`;
}

export function ErrorList({ state, run, errors }) {
  const show = (cause) => state.setFilter({ error: cause }, 'tasks');
  return html`
    <ol class="errors">
      ${errors.map(({ cause, example, rows, failures }) => {
        const spread = spreadOf(run, rows);
        return html`
        <li key=${cause}>
          <p class="error-count"><b>${formatCount(rows.length)}</b><span class="of">${rows.length === 1 ? 'task' : 'tasks'}</span></p>
          <div class="error-body">
            <p class="error-example mono"><${StatusIcon} status=${rows.some((row) => run.status[row] === FAILED) ? FAILED : ERROR} /><bdi>${stripAnsi(example.message) || '(no message)'}</bdi></p>
            ${(example.expected || example.received) && html`
              <dl class="error-values mono"><dt>expected</dt><dd><bdi>${oneLine(example.expected)}</bdi></dd><dt>received</dt><dd><bdi>${oneLine(example.received)}</bdi></dd></dl>`}
            <p class="error-where of">${failures > rows.length ? `${plural(failures, 'failure')}, ` : ''}<${Place} run=${run} rows=${rows} example=${example} spread=${spread} /> <${Only} spread=${spread} /></p>
            <ul class="error-tasks">
              ${rows.slice(0, NAMED).map((row) => html`
                <li key=${row}><a href=${`?task=${encodeURIComponent(taskKey(run, row))}`} onClick=${(event) => follow(event, () => state.openTask(row))}>
                  <bdi>${splitPath(specOf(run, row))[1]}</bdi> <span class="of">${viewportOf(run, row)} ${browserOf(run, row)}</span></a></li>`)}
            </ul>
            ${rows.length > 1 && html`<button type="button" class="link" onClick=${() => show(cause)}>Show ${rows.length === 2 ? 'both' : `all ${formatCount(rows.length)}`} in the list</button>`}
          </div>
        </li>`;
      })}
    </ol>`;
}
