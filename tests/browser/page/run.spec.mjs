// What the page shows of a run, and how it keeps up with it.

import { HOSTILE, ReplayRun } from '../replay_run.mjs';
import { expect, rowsOnScreen, axeFindings, test } from '../page_test.mjs';

const FAILED = 3;
const PASSED = 2;
const SKIPPED = 7;

const chip = (page, status) => page.locator(`.chip[data-status=${status}] b`);

test('a finished run: verdict, counters, title, rows', async ({ page, open }) => {
  const { run } = await open({ tasks: 60, until: Infinity });
  const { counts } = run.summary();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Failed');
  await expect(page.locator('.verdict-sentence')).toHaveText(`5 causes, ${counts.failed} tests in ${counts.failed + counts.error} of 60 tasks`);
  await expect(page).toHaveTitle(new RegExp(`^✗ ${counts.failed} failed.* · 60/60 · funkytown$`));
  for (const status of ['failed', 'flaky', 'passed']) await expect(chip(page, status)).toHaveText(String(counts[status]));
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '61');
  await expect(page.locator('[data-row]').first()).toContainText('Failed');
  await expect(page.getByRole('progressbar')).toHaveAttribute('aria-valuetext', '60 of 60 tasks done');
  await expect(page.locator('.fact-efficiency')).toContainText('of the ideal');
});

test('a run that passed, and one in which everything ended in error', async ({ page, open }) => {
  await open({ tasks: 12, failing: 0, flaky: 0, erring: 0, until: Infinity });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Passed');
  await expect(page.locator('.verdict-sentence')).toHaveText('All 12 tasks passed');
  await expect(chip(page, 'failed')).toHaveText('0');
  await page.locator('.chip[data-status=failed]').click();
  await expect(page.locator('.nothing')).toContainText('Nothing has failed.');
  await page.getByRole('link', { name: /^Errors/ }).click();
  await expect(page.locator('.nothing')).toContainText('No');

  await open({ tasks: 12, failing: 0, flaky: 0, erring: 1, until: Infinity });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Error');
  await expect(page).toHaveTitle('! 12 errors · 12/12 · funkytown');
});

test('waits for a run that is being loaded, then shows it', async ({ page, open }) => {
  const replay = await open({ tasks: 10, refuse: 503 });
  await expect(page.locator('.nothing')).toContainText('Waiting for the run');
  replay.refuse(0);
  await expect(chip(page, 'passed')).toHaveText('0');
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '11');
});

test('deltas: counters, rows, title and the live region follow', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 20 });
  await expect(page).toHaveTitle('▸ running · 0/20 · funkytown');
  run.set(3, { status: PASSED, attempt: 1, worker: 'w1', started: run.nowMs, duration: 1234 });
  flush();
  await expect(chip(page, 'passed')).toHaveText('1');
  await expect(page.locator('[data-row="3"]')).toContainText('1.2s');
  run.set(7, { status: FAILED, attempt: 1, worker: 'w1', started: run.nowMs, duration: 99, message: 'boom' });
  flush();
  await expect(page.locator('[data-row]').first()).toContainText('boom');
  expect((await rowsOnScreen(page))[0]).toBe(7);
  await expect(page).toHaveTitle('✗ 1 failed · 2/20 · funkytown');
  await expect(page.locator('#news')).toHaveText(/^1 new failure: .+ 2 of 20 done\.$/);
  run.cancel();
  flush();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Cancelled');
  await expect(page.locator('#news')).toHaveText(/The run has finished: Cancelled/);
});

test('a skipped task is a state of its own: chip, filter, row, drawer; beside passes it leaves the run green', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 8, failing: 0, erring: 0, flaky: 0, until: 1 });
  await expect(chip(page, 'skipped')).toHaveCount(0);
  const row = run.workers[0].row;
  run.tasks[row].fate = SKIPPED;
  run.finish();
  flush();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Passed');
  await expect(page.locator('.masthead .verdict-sentence')).toHaveText('7 of 8 tasks passed; 1 skipped');
  await expect(page).toHaveTitle('✓ passed · 8/8 · funkytown');
  await expect(chip(page, 'skipped')).toHaveText('1');
  await page.locator('.chip[data-status=skipped]').click();
  await expect(page).toHaveURL(/\?status=skipped$/);
  expect(await rowsOnScreen(page)).toEqual([row]);
  await expect(page.locator(`[data-row="${row}"]`)).toContainText('Skipped');
  await expect(page.locator(`[data-row="${row}"]`)).toContainText(/all \d+ tests are skipped/);
  await page.locator(`[data-row="${row}"]`).click();
  await expect(page.locator('.drawer-status')).toHaveText('Skipped');
  await expect(page.locator('.drawer .fact').filter({ hasText: 'Outcome' })).toContainText(/Skipped all \d+ tests are skipped/);
  await page.goto(`${page.url().split('?')[0]}?view=timeline`);
  await expect(page.locator('.legend')).toContainText('Skipped');
});

test('a task that is tried again is a state of its own: below the problems, counted, and a filter', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 20, workers: 1, failing: 1, flaky: 0, erring: 0, until: 10 });
  await expect(chip(page, 'retrying')).toHaveCount(0);
  run.again.push = () => {}; // it has to wait
  run.step(run.tasks[0].lasts);
  flush();
  await expect(chip(page, 'retrying')).toHaveText('1');
  await expect(chip(page, 'queued')).toHaveText('18');
  await expect(page.locator('.verdict-sentence')).toHaveText('Nothing has ended yet; 1 retrying');
  const row = page.locator('[data-row="0"]');
  await expect(row).toContainText('Retrying');
  await expect(row.locator('.cell-message')).not.toBeEmpty();
  run.set(9, { status: FAILED, attempt: 1, worker: 'w', started: run.nowMs, duration: 5, message: 'boom' });
  flush();
  await expect.poll(async () => (await rowsOnScreen(page)).slice(0, 3)).toEqual([9, 0, 1]);
  await page.locator('.chip[data-status=retrying]').click();
  await expect(page).toHaveURL(/\?status=retrying$/);
  expect(await rowsOnScreen(page)).toEqual([0]);
  await row.click();
  await expect(page.locator('.drawer-status')).toHaveText('Retrying');
});

test('a run of skipped tasks alone is not green', async ({ page, open }) => {
  await open({ tasks: 3, failing: 0, erring: 0, flaky: 0, skipping: 1, until: Infinity });
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Skipped');
  await expect(page.locator('.masthead .verdict-sentence')).toHaveText('All 3 tasks were skipped: nothing was tested');
  await expect(page).toHaveTitle('» skipped · 3/3 · funkytown');
  const icon = await page.locator('link[rel=icon]').getAttribute('href');
  expect(decodeURIComponent(icon)).toContain('fill="#2b7a85"');
});

test('the row under the mouse does not move; what is held back is said and can be let go', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 200, workers: 6, failing: 0, erring: 0, flaky: 0, until: 2000 });
  const running = page.locator('.status-running').first();
  await running.hover();
  const held = Number(await running.getAttribute('data-row'));
  const before = await page.locator(`[data-row="${held}"]`).boundingBox();
  run.set(held, { status: PASSED, duration: 1 });
  run.set(150, { status: FAILED, attempt: 1, worker: 'w', started: run.nowMs, duration: 10, message: 'boom' });
  flush();
  await expect(page.locator(`[data-row="${held}"]`)).toContainText('Passed');
  expect(await page.locator(`[data-row="${held}"]`).boundingBox()).toEqual(before);
  expect((await rowsOnScreen(page))[0]).toBe(150);
  const place = await page.locator(`[data-row="${held}"]`).getAttribute('aria-rowindex');
  await page.getByRole('button', { name: /^Reorder/ }).click();
  await expect(page.locator('.pill')).toHaveCount(0);
  await expect(page.locator(`[data-row="${held}"]`)).not.toHaveAttribute('aria-rowindex', place);
});

test('scrolled into the list, the reader stays where he is', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 2000, until: 100 });
  await page.evaluate(() => scrollTo(0, 12_000));
  await expect.poll(async () => (await rowsOnScreen(page))[0]).toBeGreaterThan(300);
  const middle = (await rowsOnScreen(page))[20];
  const before = await page.locator(`[data-row="${middle}"]`).boundingBox();
  for (const row of [900, 901, 902]) run.set(row, { status: FAILED, attempt: 1, worker: 'w', started: run.nowMs, duration: row, message: 'boom' });
  flush();
  await expect(page.locator('.pill-failed')).toHaveText('3 new failures');
  expect(await page.locator(`[data-row="${middle}"]`).boundingBox()).toEqual(before);
  await page.locator('.pill-failed').click();
  await expect(page.locator('.pill')).toHaveCount(0);
  await expect.poll(async () => (await rowsOnScreen(page)).slice(0, 3)).toEqual([900, 901, 902]);
});

test('reset: the page takes the run as it is now', async ({ page, open }) => {
  const replay = await open({ tasks: 20 });
  const other = new ReplayRun({ tasks: 35, seed: 2 });
  other.finish();
  replay.replace(other);
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '36');
  await expect(page.locator('.fact-run')).toContainText('run-replay-2');
});

test('a controller that restarted: the same run under another epoch, and nobody is moved', async ({ page, open }) => {
  const replay = await open({ tasks: 2000, until: 100 });
  await page.evaluate(() => scrollTo(0, 12_000));
  await expect.poll(async () => (await rowsOnScreen(page))[0]).toBeGreaterThan(300);
  const rows = await rowsOnScreen(page);
  replay.run.epoch = 'another life';
  replay.drop();
  await expect.poll(() => replay.streams()).toBe(1);
  replay.run.set(1999, { status: PASSED, duration: 5 });
  replay.flush();
  await expect(chip(page, 'passed')).toHaveText(String(replay.run.summary().counts.passed));
  expect(await rowsOnScreen(page)).toEqual(rows);
});

test('a lost connection is said calmly, kept trying, and healed', async ({ page, open }) => {
  const replay = await open({ tasks: 20 });
  replay.refuse(502);
  replay.drop();
  await expect(page.locator('.connection')).toContainText(/^The controller has been gone since .+ What you see is as of then/);
  await expect(page.locator('#news')).toHaveText(/^The controller has been gone since/);
  await expect(page.locator('[data-row="0"]')).toBeVisible();
  replay.run.set(0, { status: PASSED, attempt: 1, duration: 5, started: replay.run.nowMs });
  replay.refuse(0);
  await expect(page.locator('.connection')).toBeEmpty();
  await expect(page.locator('#news')).toHaveText('The controller is back.');
  await expect(chip(page, 'passed')).toHaveText('1');
});

const heading = (page) => page.getByRole('heading', { level: 1 });
const favicon = (page) => page.locator('link[rel=icon]').getAttribute('href');

test('a run whose controller vanished is not said to go on, and no time ticks', async ({ page, open }) => {
  await page.clock.install();
  const replay = await open({ tasks: 40, failing: 0, flaky: 0, erring: 0, until: 4000 });
  const elapsed = page.locator('.fact-elapsed dd');
  const ticking = page.locator('.ticking').first();
  const running = await favicon(page);
  const before = await elapsed.textContent();
  await page.clock.runFor(2000);
  await expect(elapsed).not.toHaveText(before);
  replay.vanish();
  await expect(async () => {
    await page.clock.runFor(500);
    await expect(heading(page)).toHaveText('No contact', { timeout: 500 });
  }).toPass();
  await expect(page.locator('.verdict-sentence')).toHaveText(/^\d+ of 40 tasks done, no failures until then$/);
  await expect(page).toHaveTitle(/^\? no contact · \d+\/40 · funkytown$/);
  expect(await favicon(page)).not.toBe(running);
  const frozen = [await elapsed.textContent(), await ticking.textContent()];
  await page.clock.runFor(10_000);
  expect([await elapsed.textContent(), await ticking.textContent()]).toEqual(frozen);

  replay.run.step(300);
  replay.appear();
  await expect(async () => {
    await page.clock.runFor(5000);
    await expect(heading(page)).toHaveText('Running', { timeout: 500 });
  }).toPass();
  await expect(page.locator('.connection')).toBeEmpty();
  await expect(page).toHaveTitle(/^▸ running/);
  expect(await favicon(page)).toBe(running);
});

test('the last words of a controller: the verdict, and that it has ended', async ({ page, open }) => {
  const replay = await open({ tasks: 20, failing: 0, flaky: 0, erring: 0, until: 2000 });
  await expect(heading(page)).toHaveText('Running');
  replay.run.finish();
  replay.end('finished');
  await expect(heading(page)).toHaveText('Passed');
  await expect(page.locator('.connection')).toHaveText('The controller has ended. The verdict stays: Passed.');
  await expect(page.locator('#news')).toHaveText('The controller has ended. The verdict stays: Passed.');
  await expect(page).toHaveTitle('✓ passed · 20/20 · funkytown');
  await expect(page.locator('.fact-workers')).toHaveCount(0);
  await page.locator('[data-row]').first().click();
  await expect(page.getByRole('dialog')).toContainText('could not be loaded: the controller is gone');
});

test('a controller that was stopped leaves a run that can go on', async ({ page, open }) => {
  await page.clock.install();
  const replay = await open({ tasks: 40, workers: 2, failing: 0, flaky: 0, erring: 0, until: 4000 });
  replay.end('interrupted');
  await expect(heading(page)).toHaveText('Interrupted');
  await expect(page.locator('.connection')).toHaveText(/^The controller was stopped at .+ before the run was finished\. When it is started again, it goes on/);
  await expect(page).toHaveTitle(/^‖ interrupted · \d+\/40 · funkytown$/);
  expect(await axeFindings(page)).toEqual([]);
  replay.run.epoch = 'another life';
  replay.run.finish();
  replay.appear();
  await expect(async () => {
    await page.clock.runFor(5000);
    await expect(heading(page)).toHaveText('Passed', { timeout: 500 });
  }).toPass();
  await expect(page.locator('.connection')).toBeEmpty();
});

test('the source of a run, as text and as a link', async ({ page, open }) => {
  const replay = await open({ tasks: 10 });
  const source = page.locator('.fact-source dd');
  await expect(source).toHaveText('main 4f2a9c01be');
  const link = source.getByRole('link');
  await expect(link).toHaveAttribute('href', 'https://ci.example/runs/7');
  await expect(link).toHaveAttribute('rel', 'noopener noreferrer');
  replay.run.source = { id: 'release 12', branch: null, url: 'javascript:alert(1)' };
  replay.run.set(0, { status: PASSED, attempt: 1, duration: 5, started: replay.run.nowMs });
  replay.flush();
  await expect(source).toHaveText('release 12');
  await expect(link).toHaveCount(0);
  replay.run.source = null;
  replay.run.set(1, { status: PASSED, attempt: 1, duration: 5, started: replay.run.nowMs });
  replay.flush();
  await expect(source).toHaveCount(0);
});

test('under a path of a proxy everything is found', async ({ page, open }) => {
  await open({ tasks: 20, until: Infinity, base: '/ci/job/42' });
  await page.locator('[data-row]').first().click();
  await expect(page.locator('.log-line').first()).toBeVisible();
});

test('whatever specs print is text', async ({ page, open }) => {
  const { run } = await open({ tasks: 30, hostile: true, until: Infinity });
  await page.keyboard.press('n');
  const drawer = page.getByRole('dialog');
  await expect(drawer.locator('h2')).toHaveText(HOSTILE.spec);
  await expect(drawer.locator('.failure-message pre')).toContainText('Error: <img src=x onerror="document.title=\'owned\'">');
  await expect(drawer.locator('.failure-message .ansi-fg-1').first()).toHaveText('Error');
  await expect(drawer.locator('.fact', { hasText: 'Unreadable' })).toContainText('1,200 event lines, the first: Error: <img src=x onerror="document.title=\'owned\'">');
  await expect(drawer.locator('.fact', { hasText: 'Not kept' })).toContainText('1 attachment, 3 test records');
  await expect(drawer.locator('.log-line').first()).toHaveText('FAIL <script>alert(1)</script>link');
  await expect(drawer.locator('.log-line').nth(1)).toHaveText('100%');
  await expect(drawer.locator('.log-line').nth(2).locator('span').first()).toHaveCSS('color', 'rgb(255, 135, 0)');
  await expect(page.locator('[data-row]').first().locator('.cell-message')).toContainText('<img src=x');
  await page.goto(`${page.url().split('?')[0]}?view=errors`);
  await expect(page.locator('.errors')).toContainText('<img src=x');
  await page.goto(`${page.url().split('?')[0]}?view=matrix`);
  await expect(page.locator('.matrix')).toContainText(HOSTILE.group);
  await page.goto(`${page.url().split('?')[0]}?view=timeline`);
  await expect(page.locator('.timeline')).toContainText(HOSTILE.worker);
  expect(await page.evaluate(() => document.querySelectorAll('#app img, #app script, #app b b, #app [onerror]').length)).toBe(0);
  await expect(page).not.toHaveTitle(/owned/);
  expect(run.finishedMs).toBeGreaterThan(0);
});

test('a very long name and an odd one leave the layout alone', async ({ page, open }) => {
  const run = new ReplayRun({ tasks: 10 });
  run.specs[0] = `tests/${'very-long-name-'.repeat(40)}.spec.ts`;
  run.specs[1] = 'tests/اختبار/שלום.spec.ts';
  run.finish();
  const replay = await open({ tasks: 1 });
  replay.replace(Object.assign(run, { epoch: 'long' }));
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '11');
  await page.locator('[data-row="0"]').click();
  await expect(page.getByRole('dialog').locator('h2')).toContainText('very-long-name');
  expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
});

test('excluded combinations are listed with their reasons', async ({ page, open }) => {
  const { run } = await open({ tasks: 2000 });
  await page.locator('.excluded summary').click();
  await expect(page.locator('.excluded dt')).toContainText(`no touch emulation in this browser ${run.excluded.length}`);
  await expect(page.locator('.excluded li')).toHaveCount(100);
  await page.locator('.excluded').getByRole('button', { name: /Show more/ }).click();
  await expect(page.locator('.excluded li')).toHaveCount(run.excluded.length);
});
