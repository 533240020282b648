// The page as a real controller serves it: a finished run of real Playwright specs, and a run that goes on while its
// controller dies. What is checked is read from the API first: the page must say the same.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../e2e/harness.mjs';
import { layPlaywrightSpecs } from '../../e2e/playwright_specs.mjs';
import { expect, onStage, axeFindings, test as base } from '../controller_test.mjs';

const test = base.extend({
  /** A finished run: one task passed, one failed, one without a browser. */
  report: [async ({}, use) => onStage(async (stage) => {
    const controller = stage.controller([layPlaywrightSpecs(stage)]);
    stage.worker();
    await controller.says(/^failed: .*\n/m);
    const origin = await stage.url(controller);
    await use({ url: `${origin}/results`, api: `${origin}/api/v1/runs/current` });
  }), { scope: 'worker' }],
});

test('the document: policy, relative addresses, assets that may be kept', async ({ request, report }) => {
  const response = await request.get(report.url, { headers: { accept: 'text/html' } });
  const policy = response.headers()['content-security-policy'];
  for (const directive of ["default-src 'none'", "script-src 'self'", "style-src 'self'", "require-trusted-types-for 'script'", "frame-ancestors 'none'"]) expect(policy).toContain(directive);
  const assets = [...(await response.text()).matchAll(/(?:src|href)="(assets\/[^"]+)"/g)].map(([, address]) => new URL(address, report.url).href);
  expect(assets.length).toBe(3);
  for (const asset of assets) {
    const got = await request.get(asset);
    expect(got.status(), asset).toBe(200);
    expect(got.headers()['cache-control'], asset).toContain('immutable');
    expect(got.headers()['x-content-type-options'], asset).toBe('nosniff');
  }
});

test('the page says what the API says', async ({ page, request, report }) => {
  const summary = await (await request.get(report.api)).json();
  await page.goto(report.url);
  const words = { passed: 'Passed', failed: 'Failed', error: 'Error', cancelled: 'Cancelled', skipped: 'Skipped' };
  await expect(page.getByRole('heading', { level: 1 })).toHaveText(words[summary.verdict] ?? 'Running');
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(summary.counts.total + 1));
  for (const status of ['failed', 'error', 'flaky', 'passed', 'skipped']) {
    const chip = page.locator(`.chip[data-status=${status}] b`);
    if (summary.counts[status]) await expect(chip).toHaveText(summary.counts[status].toLocaleString('en-US'));
  }
  await expect(page.locator('.fact-run')).toContainText(summary.run_id);
  await expect(page.locator('.connection')).toBeEmpty();
});

test('a task opens with its attempts, tests and log', async ({ page, request, report }) => {
  await page.goto(report.url);
  await page.locator('[data-row]').first().click();
  const key = await page.locator('.drawer-key bdi').textContent();
  const detail = await (await request.get(`${report.api}/tasks/${key}`)).json();
  const attempt = detail.attempts.at(-1);
  const drawer = page.getByRole('dialog');
  await expect(drawer.locator('h2')).toHaveText(detail.spec);
  if (detail.attempts.length > 1) await expect(drawer.getByRole('tab')).toHaveCount(detail.attempts.length);
  if (attempt.tests.length) await expect(drawer.locator('.test').first()).toBeVisible();
  if (attempt.log_bytes > 0) await expect(drawer.locator('.log-line').first()).toBeVisible();
  await expect(drawer).not.toContainText('could not be loaded');
});

test('filters survive a reload, and every view is accessible', async ({ page, report }) => {
  await page.goto(`${report.url}?status=passed`);
  await expect(page.locator('.chip[data-status=passed]')).toHaveAttribute('aria-pressed', 'true');
  await page.reload();
  await expect(page.locator('.chip[data-status=passed]')).toHaveAttribute('aria-pressed', 'true');
  for (const view of ['tasks', 'errors', 'matrix', 'timeline']) {
    await page.goto(`${report.url}?view=${view}`);
    await expect(page.locator(`main[data-view=${view}] > *`).first()).toBeVisible();
    expect(await axeFindings(page), view).toEqual([]);
  }
});

test('the output of a task that runs is followed', async ({ page, stage }) => {
  const controller = stage.controller([stage.map('echo one; until [ -e "$HOME/go" ]; do sleep 0.02; done; echo two; until [ -e "$HOME/end" ]; do sleep 0.02; done', ['a'])]);
  const url = await stage.url(controller);
  stage.worker();
  await page.goto(`${url}/results?task=task:g:0`);
  const lines = page.getByRole('dialog').locator('.log-line');
  await expect(lines).toHaveText(['one']);
  await stage.file('go', '');
  await expect(lines).toHaveText(['one', 'two']);
  expect(await axeFindings(page)).toEqual([]);
  await stage.file('end', '');
  await expect(page.getByRole('dialog')).toContainText('Outcome');
  await expect(lines).toHaveText(['one', 'two']);
});

test('a failed spec: its name, message, file and line', async ({ page, report }) => {
  await page.goto(report.url);
  await expect(page.locator('.verdict-sentence')).toHaveText('3 causes, 2 tests in 2 of 3 tasks');
  const row = page.locator('[data-row]').filter({ hasText: 'basket.spec.mjs' });
  await expect(row.locator('.cell-message')).toContainText('basket › counts what is in it');
  await expect(row.locator('.value-expected')).toHaveText('"3 items"');
  await row.click();
  const drawer = page.getByRole('dialog');
  await expect(drawer.locator('h2')).toHaveText('tests/basket.spec.mjs');
  const failed = drawer.locator('.test-failed');
  await expect(failed.locator('.test-title')).toHaveText('failed: basket › counts what is in it');
  await expect(failed.locator('.failure')).toContainText('Expected: "3 items"');
  await expect(failed.locator('.place bdi')).toHaveText('tests/basket.spec.mjs:11');
  await expect(drawer.locator('.log')).toContainText('1 failed');
});

test('a run is followed while its controller is killed and comes back', async ({ page, stage }) => {
  const map = stage.map('until [ -e "$HOME/go.$FUNKYTOWN_SPEC" ]; do sleep 0.05; done', ['first', 'second']);
  const port = String(await freePort());
  const start = () => stage.controller(['--http-port', port, map], { FUNKYTOWN_RUN_ID: 'live', FUNKYTOWN_LEASE_S: '1' });
  const go = (spec) => writeFileSync(join(stage.folder, `go.${spec}`), '');
  const passed = page.locator('.chip[data-status=passed] b');
  const controller = start();
  const url = await stage.url(controller);
  stage.worker();
  await page.goto(`${url}/results`);
  await expect(page.locator('[data-row="0"]')).toContainText('Running');
  await expect(page.locator('.fact-tests')).toContainText('none yet');
  go('first');
  await expect(passed).toHaveText('1');
  controller.kill('SIGKILL');
  await expect(page.locator('.connection')).toContainText('The controller has been gone since');
  go('second');
  start();
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Passed');
  await expect(passed).toHaveText('2');
  await expect(page.locator('.fact-tests')).toContainText('none reported');
  await expect(page.locator('.connection')).toBeEmpty();
});
