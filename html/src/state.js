// What the page shows at this moment, as signals, and the few things that change it. Components read the
// signals and call these functions; nothing else holds state that two components share.
//
//   stream ──► takeSnapshot, takeDelta ──► run, revision ──► listing ──► table, matrix, timeline, header
//   reader ──► setFilter, typeFilter, setView, sortBy, openTask, … ──► filter, sort, view, task ──► address bar

import { batch, computed, effect, signal } from '@preact/signals';
import { readAddress, writeAddress } from './address.js';
import { countCauses, groupErrors } from './errors.js';
import { NO_FILTER, compileFilter } from './filters.js';
import { IN_TOUCH, describeContact } from './contact.js';
import { createListing, updateListing } from './listing.js';
import { countRetrying } from './retrying.js';
import { applyDelta, loadRun, taskKey, taskRow } from './run.js';
import { goesOn } from './verdict.js';

// Deltas that arrive together (after a reconnect) are shown together.
const FRAME_MS = 16;
// The address follows typing at a pace that no browser throttles.
const ADDRESS_MS = 120;
// Who is away for less comes back unnoticed.
const GONE_MS = 1500;

export function createState({ announcer, details }) {
  const start = readAddress(location.search);
  const run = signal(null);
  const revision = signal(0);
  const contact = signal({ ...IN_TOUCH, phase: 'loading' });
  const filter = signal(start.filter);
  const sort = signal(start.sort);
  const view = signal(start.view);
  const task = signal(start.task);
  const attempt = signal(start.attempt);
  const listing = signal(null);
  const activeRow = signal(-1);
  const helpOpen = signal(false);
  const now = signal(Date.now());

  const matches = computed(() => (run.value ? compileFilter(run.value, filter.value) : () => false));
  const openRow = computed(() => (run.value && task.value ? taskRow(run.value, task.value) : -1));

  // What a run has come to, whatever the filter says.
  const causes = computed(() => (revision.value >= 0 && run.value ? groupErrors(run.value, () => true) : []));
  const told = computed(() => (revision.value >= 0 && run.value ? { ...countCauses(run.value, causes.value), retrying: countRetrying(run.value) } : null));

  // ---- from the controller

  let changed = new Set();
  let flushTimer = 0;
  // null, or the table's answer to "is this row on the screen" while a reader's eyes are on it.
  let held = null;
  let clockOffset = 0;

  function takeSnapshot(snapshot) {
    const loaded = loadRun(snapshot);
    const another = run.peek()?.summary.run_id !== loaded.summary.run_id;
    clearTimeout(flushTimer);
    changed = new Set();
    announcer.begin(loaded);
    batch(() => {
      run.value = loaded;
      if (another) activeRow.value = openRow.value;
      followClock(loaded.summary);
      relist();
      revision.value += 1;
    });
  }

  function takeDelta(delta) {
    for (const row of applyDelta(run.peek(), delta)) changed.add(row);
    flushTimer ||= setTimeout(flush, FRAME_MS);
  }

  /** The controller's last words: how the run stands. */
  function takeEnd({ summary }) {
    if (!run.peek()) return;
    run.peek().summary = summary;
    clearTimeout(flushTimer);
    flush();
    tellContact();
  }

  function flush() {
    flushTimer = 0;
    const rows = changed;
    changed = new Set();
    batch(() => {
      followClock(run.peek().summary);
      listing.value = updateListing(listing.peek(), rows, held);
      revision.value += 1;
    });
    announcer.update(run.peek(), rows);
  }

  // Times are the controller's; the reader's clock may be off by minutes.
  function followClock(summary) {
    const { started_at, wall_s, idle_s } = summary;
    if (!goesOn(summary) || wall_s === null || !started_at) return;
    const offset = Date.parse(started_at) + (wall_s + idle_s) * 1000 - Date.now();
    if (Math.abs(offset - clockOffset) > 1500) clockOffset = offset;
    now.value = Date.now() + clockOffset;
  }

  // What isn't known any more doesn't go on: times stand still at the last contact.
  setInterval(() => {
    if (run.peek() && goesOn(run.peek().summary) && contact.peek().phase === 'live') now.value = Date.now() + clockOffset;
  }, 1000);

  // ---- whether there is a controller

  let goneTimer = 0;

  function takePhase(phase, since) {
    const was = contact.peek();
    if (phase === was.phase) return;
    clearTimeout(goneTimer);
    const away = phase !== 'live' && run.peek() !== null;
    contact.value = { phase, since, gone: away && (was.gone || phase === 'ended') };
    if (away && !contact.peek().gone) goneTimer = setTimeout(noteGone, GONE_MS);
    if (away && goesOn(run.peek().summary)) now.value = Math.min(now.peek(), since + clockOffset);
    if (phase !== 'ended') tellContact();
  }

  function noteGone() {
    contact.value = { ...contact.peek(), gone: true };
    tellContact();
  }

  const tellContact = () => announcer.contact(describeContact(run.peek()?.summary, contact.peek()));

  // ---- the list and its order

  function relist() {
    if (run.peek()) listing.value = createListing(run.peek(), matches.peek(), sort.peek());
  }

  function hold(isVisible) {
    held = isVisible && { isVisible };
    if (!held && listing.peek()?.pending.size) release();
  }

  function release() {
    listing.value = updateListing(listing.peek(), [], null);
  }

  /** Another filter, and another view to see it in. */
  function setFilter(change, nextView = view.peek()) {
    step(() => {
      filter.value = { ...filter.peek(), ...change };
      view.value = nextView;
      relist();
    });
  }

  /** As setFilter for the text alone, while somebody writes it: that is one step of history, however many letters. */
  function typeFilter(text) {
    const change = () => {
      filter.value = { ...filter.peek(), text };
      relist();
    };
    if (typing) batch(change);
    else step(change);
    typing = true;
  }

  function sortBy(next) {
    step(() => {
      sort.value = next;
      relist();
    });
  }

  function setView(next) {
    if (next !== view.peek()) step(() => { view.value = next; });
  }

  // ---- history: Back leads to what was seen before

  let typing = false;

  function step(change) {
    writeNow();
    pushAddress(null);
    batch(change);
    typing = false;
    writeNow();
  }

  addEventListener('popstate', () => {
    typing = false;
    const address = readAddress(location.search);
    batch(() => {
      for (const [name, part] of Object.entries({ filter, sort, view, task, attempt })) {
        if (JSON.stringify(part.peek()) !== JSON.stringify(address[name])) part.value = address[name];
      }
      relist();
    });
  });

  // ---- the open task

  function openTask(row, attemptNumber = 0) {
    const key = taskKey(run.peek(), row);
    // One step of history for an open drawer, so that Back closes it; stepping through tasks adds none.
    if (!task.peek()) {
      writeNow();
      pushAddress({ opened: true });
    }
    batch(() => {
      task.value = key;
      attempt.value = attemptNumber;
      activeRow.value = row;
    });
    writeNow();
  }

  function closeTask() {
    batch(() => {
      task.value = '';
      attempt.value = 0;
    });
    writeNow();
    if (history.state?.opened) history.back();
  }

  // ---- the address bar

  let addressTimer = 0;

  function writeNow() {
    clearTimeout(addressTimer);
    const search = addressOf({});
    if (search !== location.search) replaceAddress(location.pathname + search + location.hash);
  }

  function pushAddress(what) {
    try {
      history.pushState(what, '', location.href);
    } catch {
      // as below
    }
  }

  // A file, or a page in a sandbox, may not be allowed to: then what one sees can't be copied from the address.
  function replaceAddress(address) {
    try {
      history.replaceState(history.state, '', address);
    } catch {
      // nothing depends on it
    }
  }

  /** The address of the page as it is, with some things different: for links. */
  function addressOf(change) {
    return writeAddress({
      filter: filter.value, sort: sort.value, view: view.value, task: task.value, attempt: attempt.value, ...change,
    });
  }

  effect(() => {
    addressOf({});
    clearTimeout(addressTimer);
    addressTimer = setTimeout(writeNow, ADDRESS_MS);
  });

  return {
    details, run, revision, contact, filter, sort, view, task, attempt, listing, activeRow, openRow, matches, causes, told, helpOpen, now,
    takeSnapshot, takeDelta, takeEnd, takePhase, hold, release, isHeld: () => held !== null, setFilter, typeFilter, setView, sortBy, openTask, closeTask, addressOf,
    clearFilter: () => setFilter(NO_FILTER),
  };
}
