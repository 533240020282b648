// Playwright for the demo shop. Project names are {viewport}-{browser}: that is what funkytown asks for.
//
//   BASE_URL                           test that address; without it each start opens a shop of its own on a free port
//   FUNKYTOWN_WIDTH, FUNKYTOWN_HEIGHT  size of the window, instead of the built-in one of the viewport
//
// Retries are funkytown's business, and so is running things side by side: here there are none, and one worker.

import { defineConfig, type PlaywrightTestConfig } from '@playwright/test';
import { browserNamed, type BrowserName } from './browsers.ts';

type Use = NonNullable<PlaywrightTestConfig['use']>;

const VIEWPORTS = {
  desktop: { viewport: { width: 1280, height: 720 } },
  mobile: { viewport: { width: 393, height: 851 }, isMobile: true, hasTouch: true },
};
const BROWSERS: BrowserName[] = ['chrome', 'firefox', 'webkit'];

function sized(use: typeof VIEWPORTS.desktop): Use {
  const width = Number(process.env.FUNKYTOWN_WIDTH) || use.viewport.width;
  const height = Number(process.env.FUNKYTOWN_HEIGHT) || use.viewport.height;
  return { ...use, viewport: { width, height } };
}

export default defineConfig({
  testDir: 'tests',
  globalSetup: './shop/global_setup.ts',
  workers: 1,
  retries: 0,
  timeout: 60_000,
  expect: { timeout: 15_000 },
  forbidOnly: !!process.env.CI,
  reporter: [['list']],
  use: {
    baseURL: process.env.BASE_URL,
    screenshot: 'only-on-failure',
    trace: 'off',
    locale: 'en-US',
    timezoneId: 'America/Chicago',
  },
  projects: Object.entries(VIEWPORTS).flatMap(([viewport, use]) => BROWSERS.map((browser) => ({
    name: `${viewport}-${browser}`,
    use: { ...sized(use), ...browserNamed(browser) },
  }))),
});
