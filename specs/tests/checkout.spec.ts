import { expect, test, type Page } from '@playwright/test';
import { addToCart, cartLink, freshEmail, orderSummary } from './support/shopper.ts';

async function payByCard(page: Page): Promise<void> {
  await page.getByLabel('Card number').fill('4242 4242 4242 4242');
  await page.getByLabel('Expiry').fill('12/49');
  await page.getByLabel('Security code').fill('123');
  await page.getByLabel('I accept the terms of sale').check();
}

test('an order with delivery', async ({ page }) => {
  const email = freshEmail();
  await addToCart(page, 'iron-ferry-headwind');
  await page.goto('/checkout');
  await page.getByRole('form', { name: 'Order' }).getByLabel('Email address').fill(email);
  await page.getByLabel('Full name').fill('Ana Lopez');
  await page.getByLabel('Street and number').fill('12 Vinyl Lane');
  await page.getByLabel('City').fill('Duluth');
  await page.getByLabel('ZIP code').fill('55802');
  await payByCard(page);
  await page.getByRole('button', { name: 'Place order' }).click();

  await expect(page.getByRole('heading', { name: 'Thank you!' })).toBeVisible();
  await expect(page.getByText(email)).toBeVisible();
  await expect(page.getByText(/NT-[0-9A-F]{8}/)).toBeVisible();
  await expect(page.getByText('$29.94')).toBeVisible();
  await expect(cartLink(page)).toHaveAccessibleName('Cart, empty');
});

test('an order that is picked up needs no address', async ({ page }) => {
  await addToCart(page, 'tote-for-twelve-inches', { colour: 'moss' });
  await page.goto('/checkout');
  await page.getByLabel('Pick up in a store').check();
  await expect(page.getByLabel('Street and number')).toBeHidden();
  await page.getByLabel('Pick up at').selectOption('Fishtown, Philadelphia');
  await expect(orderSummary(page)).toContainText('Free');
  await page.getByRole('form', { name: 'Order' }).getByLabel('Email address').fill(freshEmail());
  await page.getByLabel('Full name').fill('Ben Okafor');
  await payByCard(page);
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(page.getByRole('heading', { name: 'Thank you!' })).toBeVisible();
  await expect(page.getByText('$19.99')).toBeVisible();
});

test('express delivery costs more', async ({ page }) => {
  await addToCart(page, 'vinyl-cap');
  await page.goto('/checkout');
  await expect(orderSummary(page)).toContainText('$30.94');
  await page.getByLabel('Express, next day').check();
  await expect(orderSummary(page)).toContainText('$39.94');
});
