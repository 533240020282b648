// Starts the page: state, stream, components, in this order.

import { render } from 'preact';
import { createAnnouncer } from './announcer.js';
import { App } from './app.js';
import { html } from './html.js';
import { createState } from './state.js';
import { openStream } from './stream.js';
import { initTheme } from './theme.js';

const news = document.getElementById('news');
const announcer = createAnnouncer({ say: (text) => { news.textContent = text; } });

initTheme();
const state = createState({ announcer });
const stream = openStream({
  api: 'api/v1/runs/current',
  onSnapshot: state.takeSnapshot,
  onDelta: state.takeDelta,
  onEnd: state.takeEnd,
  onPhase: state.takePhase,
});
addEventListener('online', stream.retryNow);
// Who comes back to the tab wants to know now.
document.addEventListener('visibilitychange', () => { if (!document.hidden) stream.retryNow(); });
render(html`<${App} state=${state} />`, document.getElementById('app'));
