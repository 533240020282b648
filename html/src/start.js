// Starts the page on a run, wherever that comes from: state and components, in this order.

import { render } from 'preact';
import { createAnnouncer } from './announcer.js';
import { App } from './app.js';
import { html } from './html.js';
import { createState } from './state.js';
import { initTheme } from './theme.js';

/** details: details.js tells. @returns the state, to be given the run. */
export function startPage({ details }) {
  const news = document.getElementById('news');
  const announcer = createAnnouncer({ say: (text) => { news.textContent = text; } });
  initTheme();
  const state = createState({ announcer, details });
  render(html`<${App} state=${state} />`, document.getElementById('app'));
  return state;
}
