// Keeps the page's run in step with the controller's, for ever.
//
//   load ──► listen ──► delta, delta, …, end: the controller has ended ──► load again, for the next one
//    ▲ │        │  └─ reset, or a delta that does not fit ──► load
//    │ └ 503, 404: waiting; unreachable: lost ──► load again
//    └── refused by HTTP ┘ └─ lost ──► listen again, from where it was
//
// The reconnecting of EventSource itself is not used: it stops for good at any HTTP error, such as a proxy's 502
// while the controller restarts, and it does not notice a connection that died in silence (a sleeping laptop).

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
// A controller that said that it ends is there for two more seconds, and the next one may come on another day.
const RETRIES_LEFT_OUT_AFTER_END = 3;
const LAST_RETRY_AFTER_END_MS = 60_000;
// Longer than any pause between two events of a run that goes on; reopening costs the server nothing.
const SILENCE_MS = 45_000;
// A network that swallows what is sent says nothing at all.
const OPENING_MS = 10_000;

/**
 * api: the run's address, "api/v1/runs/current". env: { fetch, EventSource, setTimeout, clearTimeout, Date }.
 * onSnapshot(snapshot) and onDelta(delta) -> may throw if it does not fit; onEnd(end): the controller's last words;
 * onPhase(phase, since): loading, waiting, live, lost, ended, and until when something was heard, 0 while it is.
 * @returns { retryNow() }: for when there is reason to believe that the network is back.
 */
export function openStream({ api, onSnapshot, onDelta, onEnd, onPhase, env = globalThis }) {
  let epoch = '';
  let seq = 0;
  let source = null;
  let timer = 0;
  let failures = 0;
  let retry = null;
  let ended = false;
  let heardMs = env.Date.now();

  function after(ms, action) {
    env.clearTimeout(timer);
    timer = env.setTimeout(action, ms);
  }

  function disconnect() {
    env.clearTimeout(timer);
    source?.close();
    source = null;
  }

  function fail(phase, action) {
    disconnect();
    onPhase(ended && phase === 'lost' ? 'ended' : phase, heardMs);
    retry = () => { retry = null; action(); };
    const ms = Math.min(ended ? LAST_RETRY_AFTER_END_MS : LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
    failures += 1;
    // Spread out, so that a hundred open pages do not come back to a restarted controller at once.
    after(ms * (0.75 + Math.random() / 2), () => retry?.());
  }

  async function load() {
    disconnect();
    try {
      const response = await env.fetch(`${api}/snapshot`, { cache: 'no-store', headers: { accept: 'application/json' } });
      if (response.status === 503 || response.status === 404) {
        failures = Math.min(failures, 2);
        fail('waiting', load);
        return;
      }
      if (!response.ok) throw new Error(`snapshot: HTTP ${response.status}`);
      const snapshot = await response.json();
      onSnapshot(snapshot);
      ({ epoch, seq } = snapshot);
    } catch (cause) {
      console.warn('funkytown:', cause);
      fail('lost', load);
      return;
    }
    listen();
  }

  function listen() {
    disconnect();
    const current = new env.EventSource(`${api}/events?since=${encodeURIComponent(epoch)}:${seq}`);
    source = current;
    let open = false;
    const alive = () => {
      open = true;
      ended = false;
      failures = 0;
      heardMs = env.Date.now();
      onPhase('live', 0);
      after(SILENCE_MS, listen);
    };
    after(OPENING_MS, () => fail('lost', listen));
    current.onopen = alive;
    current.addEventListener('delta', (event) => {
      if (source !== current) return;
      alive();
      if (!event.lastEventId.startsWith(`${epoch}:`)) {
        load();
        return;
      }
      try {
        const delta = JSON.parse(event.data);
        onDelta(delta);
        seq = Math.max(seq, delta.seq);
      } catch (cause) {
        console.warn('funkytown:', cause);
        fail('lost', load);
      }
    });
    current.addEventListener('reset', () => {
      if (source === current) load();
    });
    current.addEventListener('end', (event) => {
      if (source !== current) return;
      heardMs = env.Date.now();
      ended = true;
      failures = RETRIES_LEFT_OUT_AFTER_END;
      fail('ended', load);
      onEnd(JSON.parse(event.data));
    });
    current.onerror = () => {
      if (source !== current) return;
      if (open) heardMs = env.Date.now();
      fail('lost', current.readyState === env.EventSource.CLOSED ? load : listen);
    };
  }

  onPhase('loading', 0);
  load();
  return { retryNow: () => retry?.() };
}
