import { expect, test, type Page } from '@playwright/test';
import { productNames, products } from './support/shopper.ts';

async function prices(page: Page): Promise<number[]> {
  const texts = await products(page).locator('.price').allTextContents();
  return texts.map((text) => Number(text.replace('$', '')));
}

test('from cheap to expensive', async ({ page }) => {
  await page.goto('/clothing');
  await page.getByLabel('Sort by').selectOption('Price, low to high');
  await expect(productNames(page).first()).toHaveText('Turntable Socks');
  const found = await prices(page);
  expect(found).toEqual([...found].sort((a, b) => a - b));
});

test('from expensive to cheap', async ({ page }) => {
  await page.goto('/records');
  await page.getByLabel('Sort by').selectOption('Price, high to low');
  await expect(productNames(page).first()).toHaveText('Live at the Loring');
  const found = await prices(page);
  expect(found).toEqual([...found].sort((a, b) => b - a));
});

test('by name, kept in the address', async ({ page }) => {
  await page.goto('/kids');
  await page.getByLabel('Sort by').selectOption('Name');
  await expect(productNames(page).first()).toHaveText('Bumblebee Bodysuit');
  await expect(page).toHaveURL(/sort=name/);
  await page.reload();
  await expect(productNames(page).first()).toHaveText('Bumblebee Bodysuit');
  await expect(page.getByLabel('Sort by')).toHaveValue('name');
});
