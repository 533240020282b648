import { expect, test } from '@playwright/test';
import { addToCart, orderSummary } from './support/shopper.ts';

test('a promotion code takes ten per cent off', async ({ page }) => {
  await addToCart(page, 'encore-wrap-dress', { size: 'S' });
  await page.goto('/cart');
  await page.getByLabel('Promotion code').fill('funky10');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(orderSummary(page)).toContainText('-$9.00');
  await expect(orderSummary(page)).toContainText('$80.99');
  await expect(orderSummary(page)).toContainText('Delivery is free.');
});

test('a wrong code is refused', async ({ page }) => {
  await addToCart(page, 'vinyl-cap');
  await page.goto('/cart');
  await page.getByLabel('Promotion code').fill('POLKA50');
  await page.getByRole('button', { name: 'Apply' }).click();
  await expect(page.getByText('This code is not valid.')).toBeVisible();
  await expect(orderSummary(page).getByText('Discount')).toBeHidden();
});

test('delivery is free from 75 dollars', async ({ page }) => {
  await addToCart(page, 'studio-hoodie', { size: 'M' });
  await page.goto('/cart');
  await expect(page.getByText('$7.01 more and delivery is free.')).toBeVisible();
  await page.getByRole('button', { name: 'One more' }).click();
  await expect(page.getByText('Delivery is free.')).toBeVisible();
  await expect(orderSummary(page)).toContainText('$135.98');
});
