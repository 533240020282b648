// What the page weighs, and a hundred thousand tasks. Bounds are relative to what the same browser needs at the same moment, for parsing the
// snapshot or for a small run: machines differ, and the same machine differs from minute to minute.

import { gzipSync } from 'node:zlib';
import { expect, rowsOnScreen, test } from '../page_test.mjs';

// From the text of the snapshot to the first row in the document: what that takes with SMALL tasks, and so many times the
// parsing of that text.
const FIRST_ROWS_IN_PARSES = 6;
// Script time of a delta, in units of that of a delta to a run of SMALL tasks.
const DELTA_IN_SMALL_DELTAS = 4;
const SMALL = 200;
const DELTAS = 20;
const MOST_ROWS_IN_DOCUMENT = 80;
const MOST_NODES_IN_DOCUMENT = 3000;

// Of what is loaded for the first paint, compressed.
const MOST_BYTES = 52 * 1024;

// Recording a trace costs the page more than its own work.
test.use({ trace: 'off' });

async function measureLoading(page) {
  await page.addInitScript(() => {
    const times = {};
    globalThis.loading = times;
    Response.prototype.json = async function json() {
      const text = await this.text();
      const start = performance.now();
      const value = JSON.parse(text);
      times.gotText ??= start;
      times.parse ??= performance.now() - start;
      return value;
    };
    new MutationObserver((_, observer) => {
      if (!document.querySelector('[data-row]')) return;
      times.firstRows = performance.now() - times.gotText;
      observer.disconnect();
    }).observe(document, { subtree: true, childList: true });
  });
}

// The quickest of some loads, in ms: from the text of the snapshot to the first rows, and the parsing in it.
async function measureFirstRows(page) {
  const tries = [];
  for (let i = 0; i < 4; i += 1) {
    await page.reload();
    await expect(page.locator('[data-row]').first()).toBeVisible();
    tries.push(await page.evaluate(() => globalThis.loading));
  }
  return tries.reduce((a, b) => (b.firstRows < a.firstRows ? b : a));
}

// Script time for each delta, in ms.
async function measureDeltas(page, { run, flush }) {
  const session = await page.context().newCDPSession(page);
  await session.send('Performance.enable');
  const script = async () => (await session.send('Performance.getMetrics')).metrics.find(({ name }) => name === 'ScriptDuration').value * 1000;
  const before = await script();
  for (let i = 0; i < DELTAS; i += 1) {
    run.step(300);
    flush();
    await expect(page.locator('.chip[data-status=passed] b')).toHaveText(run.summary().counts.passed.toLocaleString('en-US'));
  }
  return ((await script()) - before) / DELTAS;
}

test('the page itself is small', async ({ page, open }) => {
  const bodies = [];
  page.on('response', (response) => { if (!response.url().includes('/api/')) bodies.push(response.body()); });
  await open({ tasks: 10 });
  const bytes = (await Promise.all(bodies)).map((body) => gzipSync(body, { level: 9 }).length);
  expect(bytes.length).toBeGreaterThanOrEqual(3);
  expect(bytes.reduce((sum, each) => sum + each, 0)).toBeLessThan(MOST_BYTES);
});

for (const tasks of [20_000, 100_000]) {
  test(`${tasks} tasks: first rows soon, few nodes, cheap deltas`, async ({ page, open }, info) => {
    test.setTimeout(400_000);
    await measureLoading(page);
    const smallRun = await open({ tasks: SMALL, workers: 50, until: 100 });
    const smallDelta = await measureDeltas(page, smallRun);
    const smallLoad = await measureFirstRows(page);
    const replay = await open({ tasks, workers: 50, until: tasks * 10 });
    const { run } = replay;
    // Who shares the machine for a moment makes it slower, and nobody makes it quicker.
    await expect(async () => {
      const load = await measureFirstRows(page);
      const parses = (load.firstRows - smallLoad.firstRows) / load.parse;
      info.annotations.push({ type: 'first rows', description: `${load.firstRows.toFixed(0)} ms; ${SMALL} tasks ${smallLoad.firstRows.toFixed(0)} ms; the difference is ${parses.toFixed(1)} times parsing` });
      expect(parses).toBeLessThan(FIRST_ROWS_IN_PARSES);
    }).toPass({ timeout: 120_000 });

    const nodes = () => page.evaluate(() => [document.querySelectorAll('[data-row]').length, document.querySelectorAll('*').length]);
    expect((await nodes())[0]).toBeLessThan(MOST_ROWS_IN_DOCUMENT);
    expect((await nodes())[1]).toBeLessThan(MOST_NODES_IN_DOCUMENT);

    const each = await measureDeltas(page, replay);
    info.annotations.push({ type: 'delta', description: `${each.toFixed(1)} ms of script, ${(each / smallDelta).toFixed(1)} times one to ${SMALL} tasks` });
    expect(each / smallDelta).toBeLessThan(DELTA_IN_SMALL_DELTAS);

    await page.locator('.table').focus();
    await page.keyboard.press('End');
    await expect(page.locator('.row-active')).toHaveAttribute('aria-rowindex', String(tasks + 1));
    await expect(page.locator('.row-active')).toBeInViewport();
    expect((await nodes())[0]).toBeLessThan(MOST_ROWS_IN_DOCUMENT);
    expect((await rowsOnScreen(page)).length).toBeGreaterThan(15);

    await page.getByLabel('Filter tasks').fill('task:search:1');
    await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(1 + run.tasks.filter((_, row) => run.key(row).includes('task:search:1')).length));
  });
}
