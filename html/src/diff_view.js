// Expected and received, line by line.

import { diffTexts, foldLines } from './diff.js';
import { html } from './html.js';
import { plural } from './format.js';
import { stripAnsi } from './text.js';

const SIGNS = { both: ' ', expected: '−', received: '+' };

export function Diff({ expected, received }) {
  const lines = foldLines(diffTexts(stripAnsi(expected), stripAnsi(received)));
  return html`
    <div class="diff" role="group" aria-label="Expected and received">
      <p class="diff-head"><span class="value-expected">− expected</span> <span class="value-received">+ received</span></p>
      <div class="diff-lines" tabindex="0">${lines.map(({ skipped, side, pieces }, i) => (skipped
        ? html`<div key=${i} class="diff-line of">${'  '}… ${plural(skipped, 'equal line')}</div>`
        : html`<div key=${i} class=${`diff-line diff-${side}`}><span aria-hidden="true">${SIGNS[side]} </span>${side !== 'both' && html`<span class="offscreen">${side}: </span>`}<bdi>${
          pieces.map(({ text, changed }) => (changed ? html`<mark>${text}</mark>` : text))}</bdi></div>`))}</div>
    </div>`;
}
