// Themes, sizes, motion, and what assistive technology finds.

import { expect, axeFindings, test } from '../page_test.mjs';

const ground = (page) => page.evaluate(() => getComputedStyle(document.documentElement).backgroundColor);

test('follows the system, can be told otherwise, and remembers', async ({ page, open }) => {
  await page.emulateMedia({ colorScheme: 'dark' });
  await open({ tasks: 10 });
  const dark = await ground(page);
  await page.emulateMedia({ colorScheme: 'light' });
  const light = await ground(page);
  expect(light).not.toBe(dark);
  const button = page.getByRole('button', { name: /^Theme/ });
  await button.click();
  await button.click();
  await expect(button).toHaveAccessibleName('Theme: dark. Change');
  expect(await ground(page)).toBe(dark);
  await page.reload();
  await expect(button).toHaveAccessibleName('Theme: dark. Change');
  expect(await ground(page)).toBe(dark);
});

for (const colorScheme of ['light', 'dark']) {
  test.describe(`no finding of axe, ${colorScheme}`, () => {
    test.use({ colorScheme });

    test('running, a row under the mouse', async ({ page, open }) => {
      await open({ tasks: 60, workers: 6, until: 6000 });
      await page.locator('[data-row]').nth(3).hover();
      expect(await axeFindings(page)).toEqual([]);
    });

    test('finished, a task open', async ({ page, open }) => {
      await open({ tasks: 60, workers: 6, skipping: 0.3, until: Infinity });
      await page.keyboard.press('n');
      await expect(page.locator('.log-line').first()).toBeVisible();
      expect(await axeFindings(page)).toEqual([]);
    });

    for (const view of ['errors', 'matrix', 'timeline']) {
      test(view, async ({ page, open }) => {
        await open({ tasks: 60, workers: 6, skipping: 0.3, until: Infinity, search: `?view=${view}&q=cart` });
        await expect(page.locator(`main[data-view=${view}] > *`).first()).toBeVisible();
        expect(await axeFindings(page)).toEqual([]);
      });
    }

    test('a run of skipped tasks alone, one open', async ({ page, open }) => {
      await open({ tasks: 12, failing: 0, flaky: 0, erring: 0, skipping: 1, until: Infinity });
      await page.locator('[data-row]').first().click();
      await expect(page.locator('.log-line').first()).toBeVisible();
      expect(await axeFindings(page)).toEqual([]);
    });

    test('help', async ({ page, open }) => {
      await open({ tasks: 10 });
      await page.keyboard.press('?');
      await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
      expect(await axeFindings(page)).toEqual([]);
    });
  });
}

test.describe('on a phone', () => {
  test.use({ viewport: { width: 390, height: 844 } });

  test('rows have two lines, nothing sticks out, the drawer covers the page', async ({ page, open }) => {
    await open({ tasks: 120, skipping: 0.1, until: Infinity });
    const row = await page.locator('[data-row]').first().boundingBox();
    expect(row.height).toBe(56);
    expect(await page.evaluate(() => document.documentElement.scrollWidth)).toBeLessThanOrEqual(390);
    await expect(page.getByLabel('Sort by')).toBeVisible();
    await page.locator('[data-row]').first().click();
    const drawer = page.getByRole('dialog');
    await expect(drawer).toHaveAttribute('aria-modal', 'true');
    await expect(page.locator('#page')).toHaveAttribute('inert', '');
    expect((await drawer.boundingBox()).width).toBeGreaterThanOrEqual(375);
    await expect(page.locator('.log-line').first()).toBeVisible();
    expect(await page.evaluate(() => document.querySelector('.drawer').scrollWidth <= document.querySelector('.drawer').clientWidth)).toBe(true);
    await page.getByRole('button', { name: 'Close' }).click();
    await expect(drawer).toHaveCount(0);
    await expect(page.locator('#page')).not.toHaveAttribute('inert');
    for (const view of ['errors', 'matrix', 'timeline']) {
      await page.goto(`${page.url().split('?')[0]}?view=${view}`);
      await expect(page.locator(`main[data-view=${view}] > *`).first()).toBeVisible();
      expect(await page.evaluate(() => document.documentElement.scrollWidth), view).toBeLessThanOrEqual(390);
      expect(await axeFindings(page), view).toEqual([]);
    }
  });
});

for (const [what, width] of [['a small window', 800], ['1440 pixels at 200 %', 720]]) {
  test(`${what}: the drawer is over the page and takes nothing away from its columns`, async ({ page, open }) => {
    await page.setViewportSize({ width, height: 450 });
    await open({ tasks: 120, until: Infinity });
    const row = page.locator('[data-row]').first();
    const { width: before } = await row.boundingBox();
    await row.click();
    const drawer = page.getByRole('dialog');
    await expect(drawer).toHaveAttribute('aria-modal', 'true');
    await expect(page.locator('#page')).toHaveAttribute('inert', '');
    expect((await row.boundingBox()).width).toBe(before);
    expect((await drawer.boundingBox()).width).toBeGreaterThan(600);
    expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth)).toBe(true);
    await page.keyboard.press('Escape');
    await expect(page.getByRole('grid')).toBeFocused();
  });
}

test('printed are a summary and what failed, and no list of all', async ({ page, open }) => {
  const { run } = await open({ tasks: 2000, until: Infinity });
  const failed = run.tasks.filter(({ status }) => status === 3 || status === 5).length;
  await expect(page.locator('.printed')).toHaveCount(0);
  const pages = ((await page.pdf({ format: 'A4' })).toString('latin1').match(/\/Type \/Page\b/g) ?? []).length;
  expect(pages).toBeGreaterThan(1);
  expect(pages).toBeLessThan(12);
  await page.emulateMedia({ media: 'print', colorScheme: 'dark' });
  await expect(page.locator('.printed-tasks li')).toHaveCount(failed);
  await expect(page.locator('.printed .errors > li').first()).toContainText('net::ERR_CONNECTION_REFUSED');
  await expect(page.locator('.masthead')).toBeVisible();
  for (const hidden of ['.toolbar', 'main', '.causes']) await expect(page.locator(hidden)).toBeHidden();
  await page.emulateMedia({ media: 'screen' });
  await expect(page.locator('.printed')).toHaveCount(0);
});

test('nothing moves for those who asked for that', async ({ page, open }) => {
  await page.emulateMedia({ reducedMotion: 'reduce' });
  await open({ tasks: 40, until: 3000 });
  await expect(page.locator('.status-running').first()).toBeVisible();
  expect(await page.evaluate(() => document.getAnimations().length)).toBe(0);
});
