// Rerun failed and Cancel as a real controller takes them, and refuses them.

import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from '../controller_test.mjs';

const heading = (page) => page.getByRole('heading', { level: 1 });
const SCRIPT = '[ "$FUNKYTOWN_SPEC" = a ] || [ -e "$HOME/go" ]';

async function answer(page, token) {
  const dialog = page.getByRole('dialog');
  if (token) await page.getByLabel('The controller’s token').fill(token);
  await dialog.locator('button[type=submit]').click();
  return dialog;
}

test('rerun failed with the right token, after a wrong one', async ({ page, stage }) => {
  const controller = stage.controller([stage.map(SCRIPT, ['a', 'b', 'c'])], { FUNKYTOWN_TOKEN: 'a-long-enough-token-1', FUNKYTOWN_RETRIES: '0' });
  const url = await stage.url(controller);
  stage.worker();
  await page.goto(`${url}/results`);
  await expect(heading(page)).toHaveText('Failed');
  await expect(page.locator('.verdict-sentence')).toHaveText('1 cause in 2 of 3 tasks');
  await page.getByRole('button', { name: 'Rerun failed' }).click();
  const dialog = await answer(page, 'another');
  await expect(dialog.getByRole('alert')).toHaveText('The controller has another token.');
  writeFileSync(join(stage.folder, 'go'), '');
  await answer(page, 'a-long-enough-token-1');
  await expect(dialog).toHaveCount(0);
  stage.worker(); // the first one left when the run was finished
  await expect(heading(page)).toHaveText('Passed');
  await expect(page.locator('.writes button')).toHaveCount(0);
});

test('cancel; and what a controller without a token says', async ({ page, stage }) => {
  for (const token of ['a-long-enough-token-1', '']) {
    const controller = stage.controller([stage.map('sleep 60', ['a'])], { FUNKYTOWN_TOKEN: token, FUNKYTOWN_RUN_ID: `run${token.length}` });
    const url = await stage.url(controller);
    await page.goto(`${url}/results`);
    await page.evaluate(() => sessionStorage.clear());
    await page.reload();
    await page.getByRole('button', { name: 'Cancel', exact: true }).click();
    const dialog = await answer(page, 'a-long-enough-token-1');
    if (token) {
      await expect(heading(page)).toHaveText('Cancelled');
    } else {
      await expect(dialog.getByRole('alert')).toHaveText('The controller does not allow it: writes need a token, and none is configured. It takes a token when it is started with FUNKYTOWN_TOKEN.');
    }
    controller.kill('SIGTERM');
    await controller.exit();
  }
});
