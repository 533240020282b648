// What the keys do.

import { useEffect, useRef } from 'preact/hooks';
import { FileLinks } from './files.js';
import { html } from './html.js';
import { Glyph } from './icons.js';

const KEYS = [
  ['/', 'Filter'],
  ['j  k', 'Next, previous task'],
  ['Enter', 'Open the task'],
  ['n  p', 'Next, previous failure'],
  ['Esc', 'Close; leave the filter'],
  ['1  2  3  4', 'Tasks, errors, matrix, timeline'],
  ['?', 'This help'],
];

export function Help({ state }) {
  const dialog = useRef(null);
  const open = state.helpOpen.value;
  useEffect(() => {
    if (open) dialog.current.showModal();
    else dialog.current.close();
  }, [open]);
  const close = () => { state.helpOpen.value = false; };
  return html`
    <dialog class="help" ref=${dialog} aria-labelledby="help-title" onClose=${close} onClick=${(event) => { if (event.target === dialog.current) close(); }}>
      <header class="section-head"><h2 id="help-title">Keyboard</h2><button type="button" class="tool" aria-label="Close" onClick=${close}><${Glyph} name="close" /></button></header>
      <dl class="keys">${KEYS.map(([keys, what]) => html`<div key=${keys}><dt>${keys.split('  ').map((key) => html`<kbd key=${key}>${key}</kbd> `)}</dt><dd>${what}</dd></div>`)}</dl>
      <p class="of">The filter looks at spec, group, viewport, browser, worker, message and key; every word has to occur. What you see is in the address: copy it to share it.</p>
      <${FileLinks} source=${state.run.value?.summary.source} />
      ${__LICENSES__ && html`<p class="of"><a href=${__LICENSES__}>Licences of the parts of this page</a></p>`}
    </dialog>`;
}
