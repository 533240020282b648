// The first screen of a run that fails: its causes above the list, and the list at rest.

import { ERROR, FAILED, PASSED } from '../../../html/src/status.js';
import { expect, rowsOnScreen, test } from '../page_test.mjs';

const FINISHED = { tasks: 300, workers: 8, until: Infinity };

const cards = (page) => page.locator('.cause');

/** A task fails by its first test, as one of many with the same number of digits in its message. */
function fail(run, row, message = 'boom') {
  run.set(row, { status: FAILED, attempt: 1, worker: 'w', started: run.nowMs, duration: 10, message, failed: 1, attempts: [{ outcome: FAILED, message, worker: 'w', started: run.nowMs, duration: 10 }] });
}

test('the three causes of most tasks, in words; a click opens the first, lists its tasks, or leads to all', async ({ page, open }) => {
  await open(FINISHED);
  await expect(cards(page)).toHaveCount(3);
  const first = cards(page).first();
  await expect(first).toContainText('7 tasks');
  await expect(first).toContainText('net::ERR_CONNECTION_REFUSED');
  await expect(first.locator('.value-expected')).toHaveText('"3 items"');
  await expect(first.locator('.value-received')).toHaveText('"2 items"');
  await expect(first).toContainText(/\.spec\.ts:21\s+and 5 other specs/);
  await expect(cards(page).nth(2)).toContainText('only in chrome');
  await first.locator('a').click();
  await expect(page.getByRole('dialog').locator('.failure-message').first()).toContainText('net::ERR_CONNECTION_REFUSED');
  await page.keyboard.press('Escape');
  await first.getByRole('button', { name: 'Show all' }).click();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '8');
  await page.getByRole('link', { name: 'All 6 causes' }).click();
  await expect(page.locator('.errors > li')).toHaveCount(1);
  await expect(cards(page)).toHaveCount(0);
});

test('nothing of it as long as nothing has failed; then it comes by itself', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 40, failing: 0, flaky: 0, erring: 0, until: 2000 });
  await expect(page.locator('.causes-slot')).toBeEmpty();
  fail(run, 30);
  flush();
  await expect(cards(page)).toHaveCount(1);
  await expect(page.locator('.verdict-sentence')).toHaveText('1 cause, 1 test in 1 task so far');
});

test('under the eyes of who reads the list, nothing comes between: it waits to be asked for', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 100, failing: 0, flaky: 0, erring: 0, until: 2000 });
  const row = page.locator('.status-running').first();
  await row.hover();
  const number = await row.getAttribute('data-row');
  const before = await row.boundingBox();
  fail(run, 90);
  flush();
  await expect(page.locator('.causes-behind')).toHaveText('1 cause');
  await expect(page.locator(`[data-row="${number}"]`)).toBeInViewport();
  expect(await page.locator(`[data-row="${number}"]`).boundingBox()).toEqual(before);
  await page.evaluate(() => scrollTo(0, 0));
  await page.locator('.causes-behind').click();
  await expect(cards(page)).toHaveCount(1);
  await expect(cards(page).first()).toBeInViewport();
  await page.locator('[data-row]').nth(2).hover();
  fail(run, 91);
  flush();
  await expect(cards(page).first()).toContainText('2 tasks');
  for (const other of [92, 93, 94]) fail(run, other, 'another');
  flush();
  await expect(page.locator('.causes-behind')).toHaveText('Other causes');
  await expect(cards(page)).toHaveCount(1);
  await page.locator('h1').hover();
  await expect(cards(page)).toHaveCount(2);
  await expect(cards(page).first()).toContainText('3 tasks');
});

test('scrolled past it, the list stays where it is when a cause comes', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 2000, failing: 0, flaky: 0, erring: 0, until: 100 });
  await page.evaluate(() => scrollTo(0, 6000));
  await expect.poll(async () => (await rowsOnScreen(page))[0]).toBeGreaterThan(100);
  const middle = page.locator(`[data-row="${(await rowsOnScreen(page))[20]}"]`);
  const before = await middle.boundingBox();
  fail(run, 900);
  flush();
  await expect(cards(page)).toHaveCount(1);
  expect((await middle.boundingBox()).y).toBeCloseTo(before.y, 0);
});

test('a drawer that takes away width moves no row under the mouse', async ({ page, open }) => {
  await open(FINISHED);
  const row = page.locator('[data-row]').nth(6);
  const { y } = await row.boundingBox();
  await row.click();
  await expect(page.getByRole('dialog')).toBeVisible();
  expect((await row.boundingBox()).y).toBeCloseTo(y, 0);
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  expect((await row.boundingBox()).y).toBeCloseTo(y, 0);
});

test('a cause whose tasks pass after all goes', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 20, failing: 0, flaky: 0, erring: 0, until: 100 });
  fail(run, 12);
  flush();
  await expect(cards(page)).toHaveCount(1);
  run.set(12, { status: PASSED, message: '', failed: 0, attempts: [] });
  flush();
  await expect(cards(page)).toHaveCount(0);
});

test('the message column: which test, what it expected and what came; a message of its own where there are no values', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 20, failing: 0, flaky: 0, erring: 0, until: 100 });
  fail(run, 12);
  run.set(13, { status: ERROR, attempt: 1, worker: 'w', started: run.nowMs, duration: 20, message: 'exit 127' });
  flush();
  const cell = page.locator('[data-row="12"] .cell-message');
  await expect(cell.locator('.headline-title')).toHaveText(/ › edits the /);
  await expect(cell.locator('.headline-values')).toHaveText('expected "3 items" → , received "2 items"');
  await expect(cell).toHaveAttribute('title', / › edits the .+: expected "3 items", received "2 items"$/);
  await expect(page.locator('[data-row="13"] .cell-message')).toHaveText('exit 127');
});
