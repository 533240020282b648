import { expect, test, type Page } from '@playwright/test';
import { openSection } from './support/shopper.ts';

const stores = (page: Page) => page.getByRole('list', { name: 'Stores' }).locator('> li');

async function findStores(page: Page, near: string): Promise<void> {
  await page.getByLabel('City or ZIP code').fill(near);
  await page.getByRole('button', { name: 'Find stores' }).click();
}

test.describe('finding a store', () => {
  test('all stores are listed at first', async ({ page }) => {
    await page.goto('/');
    await openSection(page, 'Stores');
    await expect(page.getByText('14 stores', { exact: true })).toBeVisible();
    await expect(stores(page)).toHaveCount(14);
  });

  test('a city lists the nearest store first', async ({ page }) => {
    await page.goto('/stores');
    await findStores(page, 'Minneapolis');
    await expect(page.getByText('14 stores near Minneapolis, MN')).toBeVisible();
    await expect(stores(page).first()).toContainText('331 13th Avenue NE');
    await expect(stores(page).last()).toContainText('Los Angeles');
  });

  test('a ZIP code of a store finds that store', async ({ page }) => {
    await page.goto('/stores');
    await findStores(page, '97211');
    await expect(stores(page).first()).toContainText('Alberta Arts');
    await expect(stores(page).first()).toContainText('0 miles');
  });

  test('distance and service narrow the list', async ({ page }) => {
    await page.goto('/stores');
    await page.getByLabel('Within').selectOption('50 miles');
    await page.getByRole('combobox', { name: 'Offers' }).selectOption('Repairs');
    await findStores(page, '55408');
    await expect(page.getByText('1 store near Minneapolis, MN')).toBeVisible();
    await expect(stores(page)).toHaveCount(1);
    await expect(stores(page).getByRole('heading', { name: 'Northeast' })).toBeVisible();
  });

  test('an unknown place is said to be unknown', async ({ page }) => {
    await page.goto('/stores');
    await findStores(page, 'Atlantis');
    await expect(page.getByText('We don\'t know “Atlantis”.')).toBeVisible();
    await expect(stores(page)).toHaveCount(0);
  });
});
