// WebdriverIO for the demo shop: what tests/webdriver needs and nothing of browsers, which funkytown chooses for each task
// (chromedriver, WebKitGTK). By hand, with Chrome: npx wdio run wdio.conf.ts

import openShop from './shop/global_setup.ts';

let closeShop: (() => Promise<void>) | void;

export const config: WebdriverIO.Config = {
  runner: 'local',
  framework: 'mocha',
  logLevel: 'error',
  specs: ['./tests/webdriver/*.wdio.ts'],
  capabilities: [{ browserName: 'chrome', 'goog:chromeOptions': { args: ['--headless=new'] } }],
  baseUrl: process.env.BASE_URL, // set by openShop, before the process that runs the spec reads this file
  waitforTimeout: 15_000,
  mochaOpts: { timeout: 60_000 },
  onPrepare: async () => { closeShop = await openShop(); },
  onComplete: () => closeShop?.(),
};
