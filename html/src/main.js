// The page that a controller serves: it follows the run, for ever.

import { liveDetails } from './details.js';
import { startPage } from './start.js';
import { openStream } from './stream.js';

const api = 'api/v1/runs/current';
const state = startPage({ details: liveDetails({ api, fetch: (...args) => fetch(...args) }) });
const stream = openStream({
  api,
  onSnapshot: state.takeSnapshot,
  onDelta: state.takeDelta,
  onEnd: state.takeEnd,
  onPhase: state.takePhase,
});
addEventListener('online', stream.retryNow);
// Who comes back to the tab wants to know now.
document.addEventListener('visibilitychange', () => { if (!document.hidden) stream.retryNow(); });
