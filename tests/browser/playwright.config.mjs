// Two suites: "page" drives the built page against a made-up run whose time the test holds in its hands; "controller"
// looks at the page of real controllers.

import { defineConfig } from '@playwright/test';

export default defineConfig({
  testDir: '.',
  outputDir: process.env.PAGE_TEST_OUTPUT ?? 'test-results',
  timeout: 180_000,
  expect: { timeout: 30_000 },
  workers: Number(process.env.PAGE_TEST_WORKERS ?? 2),
  forbidOnly: Boolean(process.env.CI),
  reporter: 'list',
  use: {
    browserName: 'chromium',
    locale: 'en-US',
    viewport: { width: 1440, height: 900 },
    launchOptions: { executablePath: process.env.PLAYWRIGHT_CHROMIUM ?? '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] },
    trace: 'retain-on-failure',
  },
  projects: [
    { name: 'page', testMatch: 'page/*.spec.mjs' },
    { name: 'controller', testMatch: 'controller/*.spec.mjs' },
  ],
});
