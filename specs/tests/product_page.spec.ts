import { expect, test } from '@playwright/test';
import { cartLink } from './support/shopper.ts';

test('a record shows its sleeve, label and tracks', async ({ page }) => {
  await page.goto('/products/hilda-frost-winter-cabin');
  await expect(page).toHaveTitle('Winter Cabin | Needle & Thread');
  await expect(page.getByRole('img', { name: 'Sleeve of Winter Cabin' })).toBeVisible();
  await expect(page.getByText('Frozen Lake')).toBeVisible();
  await page.getByText('Details', { exact: true }).click();
  await expect(page.getByRole('definition').filter({ hasText: 'Paisley Cellar' })).toBeVisible();
});

test('a garment needs a size before it goes into the cart', async ({ page }) => {
  await page.goto('/products/boogie-flares');
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('Choose a size first.')).toBeVisible();
  await expect(cartLink(page)).toHaveAccessibleName('Cart, empty');

  await page.getByRole('radio', { name: 'L', exact: true }).check();
  await page.getByRole('radio', { name: 'teal' }).check();
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('Boogie Flares is in your cart.')).toBeVisible();
  await expect(cartLink(page)).toHaveAccessibleName('Cart, 1 item');
});

test('a sold-out record cannot be bought', async ({ page }) => {
  await page.goto('/products/hilda-frost-the-thaw');
  await expect(page.getByText('Sold out', { exact: true })).toBeVisible();
  await expect(page.getByRole('button', { name: 'Add to cart' })).toBeDisabled();
});

test('related records lead on', async ({ page }) => {
  await page.goto('/products/synth-canary-birdsong-303');
  const related = page.getByRole('list', { name: 'You may also like' }).getByRole('link');
  await expect(related).toHaveCount(5);
  await related.first().click();
  await expect(page.getByRole('heading', { name: 'Voltage Garden', level: 1 })).toBeVisible();
});

test('an article that does not exist answers 404', async ({ page }) => {
  const response = await page.goto('/products/invisible-socks');
  expect(response?.status()).toBe(404);
  await expect(page.getByRole('heading', { name: 'This groove leads nowhere.' })).toBeVisible();
});
