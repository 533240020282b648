// What shoppers do, said once for all specs. It holds on narrow and on wide screens.

import { expect, type Locator, type Page } from '@playwright/test';

/** Narrow screens fold the menu and the filters away. */
export const isNarrow = (page: Page): boolean => (page.viewportSize()?.width ?? 1280) <= 760;

export const products = (page: Page): Locator => page.getByRole('list', { name: 'Products' }).getByRole('listitem');
export const productNames = (page: Page): Locator => products(page).locator('.product-name');
export const cartLink = (page: Page): Locator => page.getByRole('link', { name: /^Cart, / });

export async function openSection(page: Page, name: string): Promise<void> {
  if (isNarrow(page)) await page.getByRole('button', { name: 'Menu' }).click();
  await page.getByRole('navigation', { name: 'Main' }).getByRole('link', { name }).click();
}

/** Ticks a box in the filter panel, and leaves the panel folded where it folds. */
export async function tickFilter(page: Page, name: string): Promise<void> {
  await withFilters(page, async (panel) => {
    await panel.getByRole('checkbox', { name, exact: true }).check();
  });
}

export async function withFilters(page: Page, use: (panel: Locator) => Promise<void>): Promise<void> {
  const panel = page.getByRole('complementary', { name: 'Filters' });
  if (isNarrow(page)) await page.getByRole('button', { name: 'Filters' }).click();
  await use(panel);
  if (isNarrow(page)) await panel.getByRole('button', { name: 'Show results' }).click();
}

export async function searchFor(page: Page, words: string): Promise<void> {
  const box = page.getByRole('combobox', { name: 'Search the shop' });
  await box.fill(words);
  await page.getByRole('search').getByRole('button', { name: 'Search' }).click();
}

type Choice = { size?: string; colour?: string; quantity?: number };

export async function addToCart(page: Page, id: string, { size, colour, quantity }: Choice = {}): Promise<void> {
  await page.goto(`/products/${id}`);
  if (colour) await page.getByRole('radio', { name: colour, exact: true }).check();
  if (size) await page.getByRole('radio', { name: size, exact: true }).check();
  if (quantity) await page.getByLabel('Quantity').selectOption(String(quantity));
  await page.getByRole('button', { name: 'Add to cart' }).click();
  await expect(page.getByText('is in your cart.')).toBeVisible();
}

export const orderSummary = (page: Page): Locator => page.getByRole('complementary', { name: 'Order summary' });

/** An address that no other test uses: a shop may be shared by many. */
export const freshEmail = (): string => `shopper-${Date.now().toString(36)}-${Math.random().toString(36).slice(2, 8)}@example.com`;
