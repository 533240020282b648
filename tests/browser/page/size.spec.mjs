// A hundred thousand tasks. Bounds are relative to what the same browser needs at the same moment, for parsing the
// snapshot or for a small run: machines differ, and the same machine differs from minute to minute.

import { expect, rowsOnScreen, test } from '../page_test.mjs';

// From the text of the snapshot to the first row in the document, in units of parsing that text.
const FIRST_ROWS_IN_PARSES = 12;
// Script time of a delta, in units of that of a delta to a run of SMALL tasks.
const DELTA_IN_SMALL_DELTAS = 6;
const SMALL = 200;
const DELTAS = 20;
const MOST_ROWS_IN_DOCUMENT = 80;
const MOST_NODES_IN_DOCUMENT = 3000;

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

for (const tasks of [20_000, 100_000]) {
  test(`${tasks} tasks: first rows soon, few nodes, cheap deltas`, async ({ page, open }, info) => {
    test.setTimeout(400_000);
    await measureLoading(page);
    const small = await measureDeltas(page, await open({ tasks: SMALL, workers: 50, until: 100 }));
    const replay = await open({ tasks, workers: 50, until: tasks * 10 });
    const { run } = replay;
    const tries = [];
    for (let i = 0; i < 3; i += 1) {
      await page.reload();
      await expect(page.locator('[data-row]').first()).toBeVisible();
      tries.push(await page.evaluate(() => globalThis.loading));
    }
    const best = tries.reduce((a, b) => (b.firstRows / b.parse < a.firstRows / a.parse ? b : a));
    info.annotations.push({ type: 'first rows', description: `${best.firstRows.toFixed(0)} ms, ${(best.firstRows / best.parse).toFixed(1)} times parsing` });
    expect(best.firstRows / best.parse).toBeLessThan(FIRST_ROWS_IN_PARSES);

    const nodes = () => page.evaluate(() => [document.querySelectorAll('[data-row]').length, document.querySelectorAll('*').length]);
    expect((await nodes())[0]).toBeLessThan(MOST_ROWS_IN_DOCUMENT);
    expect((await nodes())[1]).toBeLessThan(MOST_NODES_IN_DOCUMENT);

    const each = await measureDeltas(page, replay);
    info.annotations.push({ type: 'delta', description: `${each.toFixed(1)} ms of script, ${(each / small).toFixed(1)} times one to ${SMALL} tasks` });
    expect(each / small).toBeLessThan(DELTA_IN_SMALL_DELTAS);

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
