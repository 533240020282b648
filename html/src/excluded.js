// The combinations that the plan left out, by reason: what is not in the numbers must be findable. There may be tens of
// thousands, so nothing is drawn before somebody looks, and then in portions.

import { useMemo, useState } from 'preact/hooks';
import { formatCount, plural } from './format.js';
import { html } from './html.js';

const PORTION = 100;

export function Excluded({ excluded }) {
  const [open, setOpen] = useState(false);
  if (!excluded.length) return null;
  return html`
    <details class="excluded" onToggle=${(event) => setOpen(event.currentTarget.open)}>
      <summary title="Combinations that the plan leaves out, with reasons"><span class="fact-name">Excluded</span><span class="fact-value">${plural(excluded.length, 'combination')}</span></summary>
      ${open && html`<${ByReason} excluded=${excluded} />`}
    </details>`;
}

function ByReason({ excluded }) {
  const reasons = useMemo(() => {
    const entries = new Map();
    for (const entry of excluded) {
      if (!entries.has(entry.reason)) entries.set(entry.reason, []);
      entries.get(entry.reason).push(entry);
    }
    return [...entries];
  }, [excluded]);
  return html`<dl tabindex="0" aria-label="Excluded combinations">${reasons.map(([reason, entries]) => html`<${Reason} key=${reason} reason=${reason} entries=${entries} />`)}</dl>`;
}

function Reason({ reason, entries }) {
  const [shown, setShown] = useState(PORTION);
  return html`
    <div>
      <dt><bdi>${reason}</bdi> <span class="of">${formatCount(entries.length)}</span></dt>
      <dd>
        <ul>${entries.slice(0, shown).map(({ group, spec, viewport, browser }, i) => html`<li key=${i}><bdi>${group}</bdi> <bdi class="mono">${spec}</bdi> <bdi>${viewport}</bdi> <bdi>${browser}</bdi></li>`)}</ul>
        ${shown < entries.length && html`<button type="button" class="link" onClick=${() => setShown(shown + 10 * PORTION)}>Show more of ${formatCount(entries.length)}</button>`}
      </dd>
    </div>`;
}
