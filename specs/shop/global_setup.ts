// Opens a shop for this start of Playwright alone, in Playwright's own process and on a free port: any number of starts can
// run side by side, and nothing has to be waited for. Specs see it as baseURL. With BASE_URL set nothing is opened.

import { startShop } from './server.mjs';

export default async function openShop(): Promise<(() => Promise<void>) | void> {
  if (process.env.BASE_URL) return;
  const shop = await startShop();
  process.env.BASE_URL = shop.url; // inherited by the processes that run the tests
  return () => shop.close();
}
