import { expect, test } from '@playwright/test';
import { productNames, products, searchFor, tickFilter } from './support/shopper.ts';

test.describe('searching albums by label', () => {
  test('the search finds every record of a label', async ({ page }) => {
    await page.goto('/');
    await searchFor(page, 'northside wax');
    await expect(page).toHaveURL(/\/search\?q=northside/);
    await expect(page.getByText('6 products')).toBeVisible();
    for (const card of await products(page).all()) await expect(card).toContainText('Northside Wax');
  });

  test('typing a label proposes it first', async ({ page }) => {
    await page.goto('/');
    await page.getByRole('combobox', { name: 'Search the shop' }).pressSequentially('moonb');
    const first = page.getByRole('option').first();
    await expect(first).toContainText('Moonbeam');
    await expect(first).toContainText('Label');
    await first.getByText('Moonbeam').click();
    await expect(page).toHaveURL(/\/records\?label=Moonbeam/);
    await expect(page.getByText('6 products')).toBeVisible();
  });

  test('two labels together show the records of both', async ({ page }) => {
    await page.goto('/records');
    await tickFilter(page, 'Grand Avenue');
    await expect(page.getByText('4 products')).toBeVisible();
    await tickFilter(page, 'Paisley Cellar');
    await expect(page.getByText('8 products')).toBeVisible();
    await expect(productNames(page)).toContainText(['Garage Orchid', 'Corner Store'], { useInnerText: true });
  });

  test('a label that we do not carry finds nothing', async ({ page }) => {
    await page.goto('/search?q=sunset+strip+records');
    await expect(page.getByRole('heading', { name: 'Nothing here, yet.' })).toBeVisible();
    await expect(products(page)).toHaveCount(0);
  });
});
