import { expect, test } from '@playwright/test';
import { productNames, products, tickFilter, withFilters } from './support/shopper.ts';

test('filters of different kinds narrow the list', async ({ page }) => {
  await page.goto('/records');
  await expect(products(page)).toHaveCount(24);
  await tickFilter(page, 'Moonbeam');
  await expect(products(page)).toHaveCount(6);
  await tickFilter(page, '2LP');
  await expect(productNames(page)).toHaveText(['Slow Weather']);
  await expect(page).toHaveURL(/label=Moonbeam&format=2LP/);
});

test('a chip takes its filter away', async ({ page }) => {
  await page.goto('/records?label=Moonbeam&genre=Latin');
  await expect(products(page)).toHaveCount(2);
  await page.getByRole('button', { name: 'Remove filter Latin' }).click();
  await expect(products(page)).toHaveCount(6);
  await expect(page.getByRole('button', { name: 'Remove filter Latin' })).toHaveCount(0);
});

test('a price range holds at both ends', async ({ page }) => {
  await page.goto('/clothing');
  await withFilters(page, async (panel) => {
    await panel.getByLabel('Lowest price').pressSequentially('100');
    await panel.getByLabel('Highest price').pressSequentially('120');
    await panel.getByLabel('Highest price').press('Enter');
  });
  await expect(productNames(page)).toHaveText(['Denim Liner Jacket']);
});

test('sold-out articles can be left out', async ({ page }) => {
  await page.goto('/kids');
  await expect(page.getByText('Sold out')).toHaveCount(1);
  await tickFilter(page, 'In stock only');
  await expect(products(page)).toHaveCount(13);
  await expect(page.getByText('Sold out')).toHaveCount(0);
});

test('going back takes the filters back', async ({ page }) => {
  await page.goto('/records');
  await tickFilter(page, 'Disco');
  await expect(products(page)).toHaveCount(2);
  await page.goBack();
  await expect(products(page)).toHaveCount(24);
});
