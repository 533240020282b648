import { expect, test } from '@playwright/test';
import { productNames, products, searchFor } from './support/shopper.ts';

test('an artist is found without the accents', async ({ page }) => {
  await page.goto('/');
  await searchFor(page, 'lucia del rio');
  await expect(productNames(page)).toHaveText(['Café con Luna', 'La Calle Doce']);
});

test('all words must match', async ({ page }) => {
  await page.goto('/search?q=hoodie');
  await expect(products(page)).toHaveCount(3);
  await searchFor(page, 'hoodie mustard');
  await expect(productNames(page)).toHaveText(['Studio Hoodie', 'Rainbow Stripe Hoodie']);
});

test('proposals can be chosen by keyboard', async ({ page }) => {
  await page.goto('/');
  const box = page.getByRole('combobox', { name: 'Search the shop' });
  await box.pressSequentially('glitter');
  await expect(page.getByRole('option')).toHaveCount(1);
  await box.press('ArrowDown');
  await expect(page.getByRole('option')).toHaveAttribute('aria-selected', 'true');
  await box.press('Enter');
  await expect(page.getByRole('heading', { name: 'Glitter Ceiling' })).toBeVisible();
});

test('Escape closes the proposals', async ({ page }) => {
  await page.goto('/');
  const box = page.getByRole('combobox', { name: 'Search the shop' });
  await box.pressSequentially('tee');
  await expect(page.getByRole('listbox', { name: 'Proposals' })).toBeVisible();
  await box.press('Escape');
  await expect(page.getByRole('listbox', { name: 'Proposals' })).toBeHidden();
});
