import { expect, test, type Page } from '@playwright/test';
import { freshEmail } from './support/shopper.ts';

const form = (page: Page) => page.getByRole('form', { name: 'Newsletter' });

test('a visitor signs up', async ({ page }) => {
  await page.goto('/about');
  await form(page).getByLabel('Email address').fill(freshEmail());
  await form(page).getByRole('button', { name: 'Sign up' }).click();
  await expect(form(page).getByRole('status')).toHaveText('Welcome to the list!');
  await expect(form(page).getByLabel('Email address')).toHaveValue('');
});

test('who is on the list is told so', async ({ page }) => {
  const email = freshEmail();
  await page.goto('/about');
  for (const answer of ['Welcome to the list!', 'You are on the list already.']) {
    await form(page).getByLabel('Email address').fill(email);
    await form(page).getByRole('button', { name: 'Sign up' }).click();
    await expect(form(page).getByRole('status')).toHaveText(answer);
  }
});

test('an address without a domain is refused', async ({ page }) => {
  await page.goto('/about');
  await form(page).getByLabel('Email address').fill('ana@');
  await form(page).getByRole('button', { name: 'Sign up' }).click();
  await expect(form(page).getByLabel('Email address')).toHaveAccessibleDescription(/such as ana@example.com/);
  await expect(form(page).getByRole('status')).toHaveText('');
});
