import { expect, test } from '@playwright/test';

const ADDRESSES = ['/', '/records', '/products/vinyl-cap', '/stores', '/contact', '/account'];

test('every page has one main heading and one main part', async ({ page }) => {
  for (const address of ADDRESSES) {
    await page.goto(address);
    await expect(page.getByRole('heading', { level: 1 }), address).toHaveCount(1);
    await expect(page.getByRole('main'), address).toHaveCount(1);
  }
});

test('every visible field has a name', async ({ page }) => {
  for (const address of ['/records', '/contact', '/account']) {
    await page.goto(address);
    await expect(page.getByText('Loading …')).toHaveCount(0);
    const nameless = await page.locator('input, select, textarea').evaluateAll((fields) => fields
      .filter((field) => !(field as HTMLInputElement).labels?.length && !field.getAttribute('aria-label'))
      .map((field) => field.outerHTML));
    expect(nameless, address).toEqual([]);
  }
});

test('the keyboard can skip to the content', async ({ page }) => {
  await page.goto('/records');
  await page.keyboard.press('Tab');
  await expect(page.getByRole('link', { name: 'Skip to content' })).toBeFocused();
  await page.keyboard.press('Enter');
  await expect(page.getByRole('main')).toBeFocused();
});
