import { expect, test } from '@playwright/test';
import { openSection } from './support/shopper.ts';

test('the home page shows new arrivals', async ({ page }) => {
  await page.goto('/');
  await expect(page).toHaveTitle(/Needle & Thread/);
  await expect(page.getByRole('list', { name: 'New arrivals' }).getByRole('listitem')).toHaveCount(10);
});

test('every section opens from the menu', async ({ page }) => {
  await page.goto('/');
  for (const [link, heading] of [['Records', 'Records'], ['Kids', 'Kids'], ['Clothing', 'Clothing'], ['Stores', 'Find a store'], ['Contact', 'Contact us']]) {
    await openSection(page, link);
    await expect(page.getByRole('heading', { name: heading, level: 1 })).toBeVisible();
  }
});

test('the current section is marked', async ({ page }) => {
  await page.goto('/records');
  await expect(page.locator('#menu a[aria-current=page]')).toHaveText('Records');
});

test('the logo leads home', async ({ page }) => {
  await page.goto('/about');
  await page.getByRole('link', { name: 'Needle & Thread' }).click();
  await expect(page.getByRole('heading', { name: 'Good grooves, great seams.' })).toBeVisible();
});

test('a lost visitor finds back', async ({ page }) => {
  const response = await page.goto('/basement');
  expect(response?.status()).toBe(404);
  await page.getByRole('link', { name: 'Back to the start' }).click();
  await expect(page).toHaveURL(/\/$/);
});
