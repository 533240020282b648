// The `test` of all browser tests: whatever a test does, the page must end it without a script error and without
// having violated its security policy.

import { readFile } from 'node:fs/promises';
import { createRequire } from 'node:module';
import { test as base, expect } from '@playwright/test';
import { ReplayRun } from './replay_run.mjs';
import { startReplay } from './replay_server.mjs';

export { expect };

export const test = base.extend({
  troubles: async ({}, use) => { await use([]); },

  page: async ({ page, troubles }, use) => {
    page.on('pageerror', (error) => troubles.push(`script error: ${error.message}`));
    page.on('console', (message) => {
      // A refused request is logged by the browser as an error; that is what some tests are about.
      if (message.type() === 'error' && !message.text().startsWith('Failed to load resource')) troubles.push(`console: ${message.text()}`);
    });
    await page.exposeFunction('reportViolation', (text) => troubles.push(text));
    await page.addInitScript(() => {
      document.addEventListener('securitypolicyviolation', (event) => globalThis.reportViolation(`policy: ${event.effectiveDirective} ${event.blockedURI} ${event.sample}`));
    });
    await use(page);
    expect(troubles).toEqual([]);
  },

  /** open({ tasks, …, until: ms | Infinity, search, base }) -> the replay, with the page on it. */
  open: async ({ page }, use) => {
    const started = [];
    await use(async ({ until = 0, search = '', base: path = '', refuse = 0, ...options } = {}) => {
      const run = new ReplayRun(options);
      if (until === Infinity) run.finish();
      else if (until) run.step(until);
      const replay = await startReplay({ run, base: path });
      started.push(replay);
      if (refuse) replay.refuse(refuse);
      await page.goto(replay.url + search);
      if (!refuse) await expect(page.locator('.toolbar')).toBeVisible();
      return replay;
    });
    for (const replay of started) await replay.close();
  },
});

/** What axe finds, as lines. */
export async function axeFindings(page) {
  const source = await readFile(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');
  await page.evaluate(source);
  // What still fades in is paler than it will be.
  await page.evaluate(() => Promise.all(document.getAnimations().filter(({ effect }) => effect.getTiming().iterations !== Infinity).map(({ finished }) => finished)));
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ['violations'] }));
  return violations.flatMap(({ id, nodes }) => nodes.map((node) => `${id}: ${node.target.join(' ')}: ${node.any[0]?.message ?? node.all[0]?.message ?? node.failureSummary}`));
}

/** The rows on the screen from top to bottom, as the numbers of their tasks. */
export async function rowsOnScreen(page) {
  return page.evaluate(() => [...document.querySelectorAll('[data-row]')]
    .map((row) => [row.getBoundingClientRect().top, Number(row.dataset.row)]).sort((a, b) => a[0] - b[0]).map(([, row]) => row));
}
