// An open page and the end of its controller, however that comes about: what the page says then is true.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { freePort } from '../../e2e/harness.mjs';
import { expect, test } from '../controller_test.mjs';

const heading = (page) => page.getByRole('heading', { level: 1 });
const WAITS = 'until [ -e "$HOME/go.$FUNKYTOWN_SPEC" ]; do sleep 0.02; done';

const go = (stage, spec) => writeFileSync(join(stage.folder, `go.${spec}`), '');

for (let round = 1; round <= 5; round += 1) {
  test(`--once, ${round} of 5: an open page learns the verdict`, async ({ page, stage }) => {
    const fails = round % 2 === 0;
    const controller = stage.controller(['--once', stage.map(`${WAITS}\nexit ${fails ? 1 : 0}`, ['a', 'b', 'c'])]);
    const url = await stage.url(controller);
    stage.worker({ FUNKYTOWN_SLOTS: '3' });
    await page.goto(`${url}/results`);
    await expect(page.locator('.row.status-running')).toHaveCount(3);
    for (const spec of ['a', 'b', 'c']) go(stage, spec);
    expect(await controller.exit()).toBe(fails ? 1 : 0);
    await expect(heading(page)).toHaveText(fails ? 'Failed' : 'Passed');
    await expect(page.locator('.connection')).toHaveText(fails
      ? 'The controller has ended. The verdict stays: Failed.'
      : 'The controller has ended. The verdict stays: Passed.');
    await expect(page).toHaveTitle(fails ? '✗ 3 failed · 3/3 · funkytown' : '✓ passed · 3/3 · funkytown');
    await expect(page.locator('.row.status-running')).toHaveCount(0);
    await expect(page.locator('.fact-took')).toBeVisible();
  });
}

for (const signal of ['SIGINT', 'SIGTERM']) {
  test(`${signal}: the page says that the run was interrupted, and follows it when it is resumed`, async ({ page, stage }) => {
    const map = stage.map(WAITS, ['first', 'second']);
    const port = String(await freePort());
    const start = () => stage.controller(['--once', '--http-port', port, map]);
    const controller = start();
    const url = await stage.url(controller);
    stage.worker();
    await page.goto(`${url}/results`);
    go(stage, 'first');
    await expect(page.locator('.chip[data-status=passed] b')).toHaveText('1');
    controller.kill(signal);
    await expect(heading(page)).toHaveText('Interrupted');
    await expect(page.locator('.verdict-sentence')).toHaveText('1 of 2 tasks done, no failures until then');
    await expect(page.locator('.connection')).toContainText('The controller was stopped at');
    await controller.exit();
    const second = start();
    await stage.url(second);
    await page.evaluate(() => dispatchEvent(new Event('online'))); // no need to wait for its next try
    await expect(heading(page)).toHaveText('Running');
    await expect(page.locator('.connection')).toBeEmpty();
    go(stage, 'second');
    await expect(heading(page)).toHaveText('Passed');
    await second.exit();
    await expect(page.locator('.connection')).toContainText('The controller has ended. The verdict stays: Passed.');
  });
}

test('kill -9 after the end of the run: the verdict stays', async ({ page, stage }) => {
  const controller = stage.controller([stage.map('exit 0', ['a'])]);
  const url = await stage.url(controller);
  stage.worker();
  await page.goto(`${url}/results`);
  await expect(heading(page)).toHaveText('Passed');
  controller.kill('SIGKILL');
  await expect(page.locator('.connection')).toHaveText(/^The controller has ended or can’t be reached, since .+ The verdict stays: Passed\.$/);
  await expect(heading(page)).toHaveText('Passed');
});
