import { expect, test } from '@playwright/test';
import { freshEmail } from './support/shopper.ts';

test('a wrong password is refused', async ({ page }) => {
  await page.goto('/account');
  const form = page.getByRole('form', { name: 'Sign in' });
  await form.getByLabel('Email address').fill('demo@needle-and-thread.example');
  await form.getByLabel('Password').fill('polka');
  await form.getByRole('button', { name: 'Sign in' }).click();
  await expect(form.getByRole('alert')).toHaveText('Email address or password is wrong.');
});

test('signing in lasts until signing out', async ({ page }) => {
  await page.goto('/account');
  const form = page.getByRole('form', { name: 'Sign in' });
  await form.getByLabel('Email address').fill('demo@needle-and-thread.example');
  await form.getByLabel('Password').fill('funkytown');
  await form.getByRole('button', { name: 'Sign in' }).click();
  await expect(page.getByRole('heading', { name: 'Hello, Demo Dancer!' })).toBeVisible();
  await page.reload();
  await expect(page.getByRole('heading', { name: 'Hello, Demo Dancer!' })).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await expect(form).toBeVisible();
});

test('a new customer gets an account, once', async ({ page }) => {
  const email = freshEmail();
  await page.goto('/account');
  const form = page.getByRole('form', { name: 'Create an account' });
  const register = async () => {
    await form.getByLabel('Full name').fill('Ana Lopez');
    await form.getByLabel('Email address').fill(email);
    await form.getByLabel('Password').fill('long enough');
    await form.getByRole('button', { name: 'Create account' }).click();
  };
  await register();
  await expect(page.getByRole('heading', { name: 'Hello, Ana Lopez!' })).toBeVisible();
  await expect(page.getByText('No orders yet.')).toBeVisible();
  await page.getByRole('button', { name: 'Sign out' }).click();
  await register();
  await expect(form.getByLabel('Email address')).toHaveAccessibleDescription('There is an account with this email address.');
});

test('a short password is refused', async ({ page }) => {
  await page.goto('/account');
  const form = page.getByRole('form', { name: 'Create an account' });
  await form.getByLabel('Full name').fill('Ana Lopez');
  await form.getByLabel('Email address').fill(freshEmail());
  await form.getByLabel('Password').fill('short');
  await form.getByRole('button', { name: 'Create account' }).click();
  await expect(form.getByLabel('Password')).toHaveAccessibleDescription('Use at least eight characters.');
});
