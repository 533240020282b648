import { expect, test } from '@playwright/test';
import { openSection, productNames, products, searchFor, tickFilter } from './support/shopper.ts';

test.describe('searching clothes for kids', () => {
  test('the kids section holds kids\' clothes only', async ({ page }) => {
    await page.goto('/');
    await openSection(page, 'Kids');
    await expect(page.getByRole('heading', { name: 'Kids', level: 1 })).toBeVisible();
    await expect(products(page)).toHaveCount(14);
    await expect(productNames(page).filter({ hasText: 'Needle Drop Tee' })).toHaveCount(0);
  });

  test('a search for a dinosaur finds the shirt', async ({ page }) => {
    await page.goto('/');
    await searchFor(page, 'dino');
    await expect(productNames(page)).toHaveText(['Disco Dino T-shirt']);
    await productNames(page).click();
    await expect(page.getByRole('heading', { name: 'Disco Dino T-shirt' })).toBeVisible();
    await expect(page.getByText('$19.99').first()).toBeVisible();
  });

  test('size and kind narrow the choice', async ({ page }) => {
    await page.goto('/kids');
    await tickFilter(page, 'T-shirts');
    await expect(products(page)).toHaveCount(3);
    await tickFilter(page, '2');
    await expect(productNames(page)).toHaveText(['Disco Dino T-shirt', 'Little Groover Tee']);
  });

  test('the smallest sizes are bodysuits', async ({ page }) => {
    await page.goto('/kids');
    await tickFilter(page, '0-6m');
    await expect(productNames(page)).toHaveText(['Cloud Nine Bodysuit', 'Bumblebee Bodysuit']);
  });
});
