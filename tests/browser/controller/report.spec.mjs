// The page as a real controller serves it, at REPORT_URL (its /results), with a run that has finished. What is
// checked is read from the API first: the page must say the same.

import { expect, seriousViolations, test } from '../page_test.mjs';

const reportUrl = process.env.REPORT_URL;
const api = new URL('api/v1/runs/current', reportUrl).href;

test('the document: policy, relative addresses, assets that may be kept', async ({ request }) => {
  const response = await request.get(reportUrl, { headers: { accept: 'text/html' } });
  const policy = response.headers()['content-security-policy'];
  for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"]) expect(policy).toContain(directive);
  const assets = [...(await response.text()).matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, address]) => new URL(address, reportUrl).href);
  expect(assets.length).toBe(3);
  for (const asset of assets) {
    const got = await request.get(asset);
    expect(got.status(), asset).toBe(200);
    expect(got.headers()['cache-control'], asset).toContain('immutable');
    expect(got.headers()['x-content-type-options'], asset).toBe('nosniff');
  }
});

test('the page says what the API says', async ({ page, request }) => {
  const summary = await (await request.get(api)).json();
  await page.goto(reportUrl);
  const words = { passed: 'Passed', failed: 'Failed', error: 'Error', cancelled: 'Cancelled' };
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words[summary.verdict] ?? 'Running');
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(summary.counts.total + 1));
  for (const status of ['failed', 'error', 'flaky', 'passed']) {
    const chip = page.locator(`.chip[data-status=${status}] b`);
    if (summary.counts[status]) await expect(chip).toHaveText(summary.counts[status].toLocaleString('en-US'));
  }
  await expect(page.locator('.fact-run')).toContainText(summary.run_id);
  await expect(page.locator('.connection')).toBeEmpty();
});

test('a task opens with its attempts, tests and log', async ({ page, request }) => {
  await page.goto(reportUrl);
  await page.locator('[data-row]').first().click();
  const key = await page.locator('.drawer-key bdi').textContent();
  const detail = await (await request.get(`${api}/tasks/${key}`)).json();
  const attempt = detail.attempts.at(-1);
  const drawer = page.getByRole('dialog');
  await expect(drawer.locator('h2')).toHaveText(detail.spec);
  if (detail.attempts.length > 1) await expect(drawer.getByRole('tab')).toHaveCount(detail.attempts.length);
  if (attempt.tests.length) await expect(drawer.locator('.test').first()).toBeVisible();
  if (attempt.log_bytes > 0) await expect(drawer.locator('.log-line').first()).toBeVisible();
  await expect(drawer).not.toContainText('could not be loaded');
});

test('filters survive a reload, and every view is accessible', async ({ page }) => {
  await page.goto(`${reportUrl}?status=passed`);
  await expect(page.locator('.chip[data-status=passed]')).toHaveAttribute('aria-pressed', 'true');
  await page.reload();
  await expect(page.locator('.chip[data-status=passed]')).toHaveAttribute('aria-pressed', 'true');
  for (const view of ['tasks', 'errors', 'matrix', 'timeline']) {
    await page.goto(`${reportUrl}?view=${view}`);
    await expect(page.locator(`main[data-view=${view}] > *`).first()).toBeVisible();
    expect(await seriousViolations(page), view).toEqual([]);
  }
});
