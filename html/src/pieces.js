// Small components that several parts of the drawer use.

import { useState } from 'preact/hooks';
import { parseAnsi } from './ansi.js';
import { copyText } from './clipboard.js';
import { html } from './html.js';
import { Glyph } from './icons.js';

const COPIED_MS = 1500;

export function CopyButton({ text, label }) {
  const [copied, setCopied] = useState(false);
  const copy = async () => {
    await copyText(text);
    setCopied(true);
    setTimeout(() => setCopied(false), COPIED_MS);
  };
  return html`
    <button type="button" class="copy" aria-label=${copied ? 'Copied' : label} title=${label} onClick=${copy}>
      ${copied ? html`<span aria-hidden="true">copied</span>` : html`<${Glyph} name="copy" size="14" />`}
    </button>`;
}

/** Terminal output as text nodes. `direct` lets it bring colours of its own: only where the ground is always dark. */
export function Ansi({ text, direct = false }) {
  return parseAnsi(text).map((line, number) => html`${number > 0 && '\n'}<${AnsiLine} pieces=${line} direct=${direct} />`);
}

export function AnsiLine({ pieces, direct }) {
  return pieces.map(({ text, style }) => {
    const colors = direct && (style.color || style.background) ? { color: style.color, background: style.background } : null;
    return style.className || colors ? html`<span class=${style.className} style=${colors}>${text}</span>` : text;
  });
}
