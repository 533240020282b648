// report.html: the page with its run in it, from a disk and as the controller serves it. Nobody is there to ask.

import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { expect, axeFindings, test as base } from '../controller_test.mjs';

// a fails each time and says where, b passes, c passes when it is tried again; a writes what could be markup.
const SCRIPT = `
case $FUNKYTOWN_SPEC in
a) echo 'starting </script><img src=x onerror=alert(1)>'; printf '\\033[31mError: it broke\\033[0m\\n'
   printf '{"event":"test","spec":"a","title":["cart","</script><b>adds"],"status":"failed","duration_ms":812,"file":"a","line":12,"error":{"message":"Expected 3 to be 2","expected":"3","received":"2"}}\\n' >"$FUNKYTOWN_EVENTS"
   exit 1 ;;
c) [ "$FUNKYTOWN_ATTEMPT" = 2 ] ;;
esac`;

const test = base.extend({
  /** A finished run whose controller still serves it: { origin, file }. */
  kept: async ({ stage }, use) => {
    const controller = stage.controller([stage.map(SCRIPT, ['a', 'b', 'c'])], { FUNKYTOWN_RETRIES: '1' });
    const origin = await stage.url(controller);
    stage.worker();
    await controller.says(/^files: /m);
    const end = async () => {
      controller.kill('SIGTERM');
      await controller.exit();
    };
    await use({ origin, end, file: join(stage.folder, '.funkytown/report/latest/report.html') });
  },
});

async function expectTheRun(page) {
  await expect(page.getByRole('heading', { level: 1 })).toHaveText('Failed');
  await expect(page.locator('.connection')).toBeEmpty();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '4');
  const drawer = page.getByRole('dialog');
  await page.locator('[data-row="0"]').click();
  await expect(drawer.locator('h2')).toHaveText('a');
  await expect(drawer.getByRole('tab')).toHaveCount(2);
  await expect(drawer.locator('.test-title')).toContainText('cart › </script><b>adds');
  await expect(drawer.locator('.place')).toContainText('a:12');
  await expect(drawer.locator('.log-line').first()).toHaveText('starting </script><img src=x onerror=alert(1)>');
  await expect(drawer.locator('.log-line').nth(1)).toHaveText('Error: it broke');
  await drawer.getByRole('tab').first().click();
  await expect(drawer).toContainText('A report holds the output of the last attempts alone');
  await page.keyboard.press('Escape');
  await page.locator('[data-row="1"]').click();
  await expect(drawer.locator('.facts')).toContainText('Passed');
  await page.keyboard.press('Escape');
}

test('from a disk, when the controller has ended: the run, its tests and output, and nothing is loaded', async ({ page, kept }) => {
  await kept.end();
  const asked = [];
  page.on('request', (request) => asked.push(request.url()));
  const address = pathToFileURL(kept.file).href;
  await page.goto(address);
  await expectTheRun(page);
  for (const view of ['tasks', 'errors', 'matrix', 'timeline']) {
    await page.goto(`${address}?view=${view}`);
    await expect(page.locator(`main[data-view=${view}] > *`).first()).toBeVisible();
    expect(await axeFindings(page), view).toEqual([]);
  }
  expect(asked.filter((url) => !url.startsWith(address) && !url.startsWith('data:'))).toEqual([]);
});

test('as it is served: the same, in a sandbox', async ({ page, request, kept }) => {
  const address = `${kept.origin}/api/v1/runs/current/report.html`;
  const answer = await request.get(address);
  expect(answer.headers()['content-security-policy']).toContain('sandbox allow-scripts');
  await page.goto(address);
  await expectTheRun(page);
});

test('a block that was cut is said, and the rest of the page is there', async ({ page, kept, stage }) => {
  const whole = readFileSync(kept.file, 'utf8');
  const damaged = whole.replace(/(class="tasks" data-first="0">.{40})[^<]*/, '$1');
  expect(damaged).not.toBe(whole);
  await page.goto(pathToFileURL(stage.file('damaged.html', damaged)).href);
  await page.locator('[data-row="0"]').click();
  await expect(page.getByRole('dialog')).toContainText('could not be loaded');
  expect(readdirSync(join(kept.file, '..')).sort()).toEqual(['failed.txt', 'junit.xml', 'report.html', 'results.json']);
});
