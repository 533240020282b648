// Keeps the page's run in step with the controller's, for ever.
//
//   load ──► listen ──► delta, delta, …
//    ▲ │        │  └─ reset, or a delta that does not fit ──► load
//    │ └ 503, 404: waiting; unreachable: lost ──► load again
//    └── refused by HTTP ┘ └─ lost ──► listen again, from where it was
//
// The reconnecting of EventSource itself is not used: it stops for good at any HTTP error, such as a proxy's 502
// while the controller restarts, and it does not notice a connection that died in silence (a sleeping laptop).

const FIRST_RETRY_MS = 500;
const LAST_RETRY_MS = 15_000;
// Longer than any pause between two events of a run that goes on; reopening costs the server nothing.
const SILENCE_MS = 45_000;

/**
 * api: the run's address, "api/v1/runs/current". env: { fetch, EventSource, setTimeout, clearTimeout }.
 * onSnapshot(snapshot) and onDelta(delta) -> may throw if it does not fit; onPhase: loading, waiting, live, lost.
 * @returns { retryNow() }: for when there is reason to believe that the network is back.
 */
export function openStream({ api, onSnapshot, onDelta, onPhase, env = globalThis }) {
  let epoch = '';
  let seq = 0;
  let source = null;
  let timer = 0;
  let failures = 0;
  let retry = null;

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
    onPhase(phase);
    retry = () => { retry = null; action(); };
    const ms = Math.min(LAST_RETRY_MS, FIRST_RETRY_MS * 2 ** failures);
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
    const alive = () => {
      failures = 0;
      onPhase('live');
      after(SILENCE_MS, listen);
    };
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
    current.onerror = () => {
      if (source !== current) return;
      fail('lost', current.readyState === env.EventSource.CLOSED ? load : listen);
    };
  }

  onPhase('loading');
  load();
  return { retryNow: () => retry?.() };
}
