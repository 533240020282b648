import { expect, test } from '@playwright/test';
import { addToCart } from './support/shopper.ts';

test.beforeEach(async ({ page }) => {
  await addToCart(page, 'turntable-socks', { size: 'M' });
  await page.goto('/checkout');
  await expect(page.getByRole('button', { name: 'Place order' })).toBeVisible();
});

test('an empty form names every field', async ({ page }) => {
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(page.getByRole('alert')).toHaveText('Please check the 9 marked fields.');
  await expect(page.getByRole('alert')).toBeFocused();
  await expect(page.getByLabel('Full name')).toHaveAccessibleDescription('Enter your name.');
  await expect(page.locator('[aria-invalid=true]')).toHaveCount(9);
});

test('a mistyped card number is noticed', async ({ page }) => {
  const card = page.getByLabel('Card number');
  await card.fill('4242 4242 4242 4241');
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(card).toHaveAccessibleDescription('Check the card number.');
  await card.fill('4242 4242 4242 4242');
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(card).not.toHaveAttribute('aria-invalid', 'true');
});

test('an expired card is refused', async ({ page }) => {
  const expiry = page.getByLabel('Expiry');
  for (const date of ['12/19', '13/40', 'soon']) {
    await expiry.fill(date);
    await page.getByRole('button', { name: 'Place order' }).click();
    await expect(expiry, date).toHaveAccessibleDescription('Enter a date in the future, as MM/YY.');
  }
});

test('a ZIP code has five digits', async ({ page }) => {
  const zip = page.getByLabel('ZIP code');
  await zip.fill('5580');
  await page.getByRole('button', { name: 'Place order' }).click();
  await expect(zip).toHaveAccessibleDescription('Enter a ZIP code of five digits.');
});
