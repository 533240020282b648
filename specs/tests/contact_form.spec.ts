import { expect, test, type Page } from '@playwright/test';
import { freshEmail } from './support/shopper.ts';

const form = (page: Page) => page.getByRole('form', { name: 'Contact' });

test('a message gets a reference', async ({ page }) => {
  await page.goto('/contact');
  await form(page).getByLabel('Name').fill('Ana Lopez');
  await form(page).getByLabel('Email address').fill(freshEmail());
  await form(page).getByLabel('Topic').selectOption('A record we should have');
  await form(page).getByLabel('Message').fill('Please get the second record of The Velvet Tramlines.');
  await form(page).getByRole('button', { name: 'Send message' }).click();
  await expect(page.getByRole('heading', { name: 'Message sent' })).toBeVisible();
  await expect(page.getByText(/Q-[0-9A-F]{6}/)).toBeVisible();
});

test('the first wrong field gets the focus', async ({ page }) => {
  await page.goto('/contact');
  await form(page).getByLabel('Name').fill('Ana Lopez');
  await form(page).getByRole('button', { name: 'Send message' }).click();
  await expect(form(page).getByLabel('Email address')).toBeFocused();
  await expect(form(page).getByLabel('Topic')).toHaveAccessibleDescription('Choose a topic.');
});

test('the characters left are counted', async ({ page }) => {
  await page.goto('/contact');
  await form(page).getByLabel('Message').fill('x'.repeat(120));
  await expect(page.getByText('380 characters left')).toBeVisible();
});

test('a message that is too short is refused', async ({ page }) => {
  await page.goto('/contact');
  await form(page).getByLabel('Message').fill('Hi!');
  await form(page).getByRole('button', { name: 'Send message' }).click();
  await expect(form(page).getByLabel('Message')).toHaveAccessibleDescription('Write at least ten characters.');
});
