import { expect, test } from '@playwright/test';
import { addToCart, cartLink, orderSummary } from './support/shopper.ts';

test('an empty cart leads to the records', async ({ page }) => {
  await page.goto('/cart');
  await expect(page.getByRole('heading', { name: 'Your cart is empty.' })).toBeVisible();
  await page.getByRole('link', { name: 'Dig the crates' }).click();
  await expect(page).toHaveURL(/\/records$/);
});

test('quantities change the total', async ({ page }) => {
  await addToCart(page, 'odessa-bright-copper-kettle-blues');
  await cartLink(page).click();
  await expect(orderSummary(page)).toContainText('$33.94'); // 27.99 and 5.95 for delivery
  await page.getByRole('button', { name: 'One more' }).click();
  await expect(page.getByRole('group', { name: /^Quantity of/ })).toContainText('2');
  await expect(orderSummary(page)).toContainText('$61.93');
  await page.getByRole('button', { name: 'One less' }).click();
  await expect(orderSummary(page)).toContainText('$33.94');
  await expect(page.getByRole('button', { name: 'One less' })).toBeDisabled();
});

test('the same shirt in two sizes is two lines', async ({ page }) => {
  await addToCart(page, 'needle-drop-tee', { size: 'M', colour: 'charcoal' });
  await addToCart(page, 'needle-drop-tee', { size: 'L', colour: 'charcoal', quantity: 2 });
  await expect(cartLink(page)).toHaveAccessibleName('Cart, 3 items');
  await page.goto('/cart');
  const lines = page.getByRole('list', { name: 'Items in the cart' }).getByRole('listitem');
  await expect(lines).toHaveCount(2);
  await expect(lines.nth(1)).toContainText('charcoal, size L');
});

test('a removed line is gone for good', async ({ page }) => {
  await addToCart(page, 'vinyl-cap');
  await addToCart(page, 'static-bloom-greenhouse');
  await page.goto('/cart');
  await page.getByRole('button', { name: 'Remove Vinyl Cap' }).click();
  await expect(page.getByRole('link', { name: 'Vinyl Cap' })).toHaveCount(0);
  await page.reload();
  await expect(page.getByRole('link', { name: 'Greenhouse' })).toBeVisible();
  await expect(cartLink(page)).toHaveAccessibleName('Cart, 1 item');
});
