// Where the browsers are. Those of `npx playwright install` come first; else the system's own are looked for in PATH.
// If there is neither, Playwright says at launch what is missing and how to install it.

import { existsSync } from 'node:fs';
import path from 'node:path';
import { chromium, firefox, type PlaywrightTestConfig } from '@playwright/test';

export type BrowserName = 'chrome' | 'firefox' | 'webkit';
type Use = NonNullable<PlaywrightTestConfig['use']>;

// No calls home, no first-run pages, nothing that competes with a spec for the processor.
const QUIET_CHROME = [
  '--disable-background-networking', '--disable-component-update', '--disable-default-apps', '--disable-sync',
  '--disable-extensions', '--disable-domain-reliability', '--no-first-run', '--no-pings', '--metrics-recording-only', '--mute-audio',
];
const QUIET_FIREFOX = {
  'app.normandy.enabled': false,
  'messaging-system.rsexperimentloader.enabled': false,
  'services.settings.server': 'data:,#none',
  'toolkit.telemetry.enabled': false,
  'dom.ipc.processPrelaunch.enabled': false,
};

/** Chromium's sandbox needs user namespaces, which root in a container usually does not have. */
const UNSANDBOXED = process.getuid?.() === 0 || existsSync('/.dockerenv') || existsSync('/run/.containerenv') ? ['--no-sandbox'] : [];

function inPath(...names: string[]): string | undefined {
  const folders = (process.env.PATH ?? '').split(path.delimiter).concat('/usr/bin');
  return names.flatMap((name) => folders.map((folder) => path.join(folder, name))).find((file) => existsSync(file));
}

function chrome(): Use {
  const args = [...UNSANDBOXED, ...QUIET_CHROME];
  const own = chromium.executablePath(); // …/chromium-1248/chrome-linux64/chrome; the headless shell lies beside it
  const shell = own.replace(/([/\\])chromium-(\d+)[/\\].*$/, '$1chromium_headless_shell-$2');
  if (existsSync(shell)) return { browserName: 'chromium', launchOptions: { args } };
  if (existsSync(own)) return { browserName: 'chromium', channel: 'chromium', launchOptions: { args } };
  const executablePath = inPath('chromium-headless-shell', 'chromium', 'chromium-browser', 'google-chrome', 'google-chrome-stable');
  return { browserName: 'chromium', launchOptions: { args, executablePath } };
}

function fox(): Use {
  if (existsSync(firefox.executablePath())) return { browserName: 'firefox', launchOptions: { firefoxUserPrefs: QUIET_FIREFOX } };
  const executablePath = inPath('firefox-esr', 'firefox');
  if (!executablePath) return { browserName: 'firefox' };
  return { browserName: 'firefox', channel: 'moz-firefox', launchOptions: { executablePath, firefoxUserPrefs: QUIET_FIREFOX } };
}

export function browserNamed(name: BrowserName): Use {
  return { chrome, firefox: fox, webkit: (): Use => ({ browserName: 'webkit' }) }[name]();
}
