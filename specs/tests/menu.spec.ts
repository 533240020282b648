import { expect, test } from '@playwright/test';
import { isNarrow } from './support/shopper.ts';

test('the menu is folded on narrow screens and open on wide ones', async ({ page }) => {
  await page.goto('/');
  const link = page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name: 'Clothing' });
  const button = page.getByRole('button', { name: 'Menu' });
  if (isNarrow(page)) {
    await expect(link).toBeHidden();
    await button.click();
    await expect(button).toHaveAttribute('aria-expanded', 'true');
  } else {
    await expect(button).toBeHidden();
  }
  await expect(link).toBeVisible();
});

test('Escape folds the menu and keeps the focus', async ({ page }) => {
  test.skip(!isNarrow(page), 'wide screens have no menu button');
  await page.goto('/');
  const button = page.getByRole('button', { name: 'Menu' });
  await button.click();
  await page.keyboard.press('Escape');
  await expect(button).toHaveAttribute('aria-expanded', 'false');
  await expect(button).toBeFocused();
});

test('a click elsewhere folds the menu', async ({ page }) => {
  test.skip(!isNarrow(page), 'wide screens have no menu button');
  await page.goto('/');
  await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('heading', { name: 'Good grooves, great seams.' }).click();
  await expect(page.getByRole('button', { name: 'Menu' })).toHaveAttribute('aria-expanded', 'false');
});

test('nothing is wider than the screen', async ({ page }) => {
  for (const address of ['/', '/records', '/stores', '/checkout']) {
    await page.goto(address);
    const overhang = await page.evaluate(() => document.documentElement.scrollWidth - document.documentElement.clientWidth);
    expect(overhang, address).toBeLessThanOrEqual(0);
  }
});
