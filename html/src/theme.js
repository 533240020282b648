// Light, dark, or as the system says; remembered on this machine.

import { signal } from '@preact/signals';
import { html } from './html.js';
import { Glyph } from './icons.js';

const STORED = 'funkytown.theme';
const THEMES = [
  ['system', 'screen', 'as the system says'],
  ['light', 'sun', 'light'],
  ['dark', 'moon', 'dark'],
];

const theme = signal('system');

/** Takes up the remembered theme; call before the first rendering. */
export function initTheme() {
  apply(read());
}

function read() {
  try {
    const stored = localStorage.getItem(STORED);
    return THEMES.some(([name]) => name === stored) ? stored : 'system';
  } catch {
    return 'system'; // storage may be forbidden; the page works without
  }
}

function apply(name) {
  theme.value = name;
  document.documentElement.dataset.theme = name;
}

function choose(name) {
  apply(name);
  try {
    localStorage.setItem(STORED, name);
  } catch {
    // then it holds until the page is left
  }
}

export function ThemeButton() {
  const at = THEMES.findIndex(([name]) => name === theme.value);
  const [, glyph, words] = THEMES[at];
  const [next] = THEMES[(at + 1) % THEMES.length];
  return html`<button class="tool" type="button" aria-label=${`Theme: ${words}. Change`} title=${`Theme: ${words}`} onClick=${() => choose(next)}><${Glyph} name=${glyph} /></button>`;
}

/** For what is drawn on a canvas: changes whenever colours do. */
export const themeName = theme;
