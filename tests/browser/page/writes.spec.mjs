// Rerun failed and Cancel, from the page.

import { axeFindings, expect, test } from '../page_test.mjs';

const heading = (page) => page.getByRole('heading', { level: 1 });

test('rerun: the token is asked for once, a wrong one is told, and the run goes on', async ({ page, open }) => {
  const replay = await open({ tasks: 60, until: Infinity });
  replay.token = 's3cret';
  const { failed, error } = replay.run.summary().counts;
  await page.getByRole('button', { name: 'Rerun failed' }).click();
  const dialog = page.getByRole('dialog', { name: 'Rerun failed' });
  await expect(dialog).toContainText(`${failed + error} tasks that failed or ended in error will run again.`);
  await page.getByLabel('The controller’s token').fill('guess n');
  expect(await axeFindings(page)).toEqual([]);
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toHaveText('The controller has another token.');
  await page.getByLabel('The controller’s token').fill('s3cret');
  await dialog.getByRole('button', { name: 'Rerun failed' }).click();
  await expect(dialog).toHaveCount(0);
  await expect(heading(page)).toHaveText('Running');

  await page.getByRole('button', { name: 'Cancel', exact: true }).click();
  const cancel = page.getByRole('dialog', { name: 'Cancel the run' });
  await expect(page.getByLabel('The controller’s token')).toHaveCount(0);
  await cancel.getByRole('button', { name: 'Cancel the run' }).click();
  await expect(cancel).toHaveCount(0);
  await expect(heading(page)).toHaveText('Cancelled');
});

test('a controller without a token says so; Back and Esc do nothing', async ({ page, open }) => {
  const { run } = await open({ tasks: 40, until: 3000 });
  const dialog = page.getByRole('dialog', { name: 'Cancel the run' });
  const ask = () => page.getByRole('button', { name: 'Cancel', exact: true }).click();
  await ask();
  await page.getByLabel('The controller’s token').fill('any');
  await page.keyboard.press('Enter');
  await expect(dialog.getByRole('alert')).toContainText('none is configured. It takes a token when it is started with FUNKYTOWN_TOKEN.');
  await dialog.getByRole('button', { name: 'Back' }).click();
  await expect(dialog).toHaveCount(0);
  await ask();
  await page.keyboard.press('Escape');
  await expect(dialog).toHaveCount(0);
  expect(run.cancelled).toBe(false);
});

test('a run that has changed since is told, not run again', async ({ page, open }) => {
  const replay = await open({ tasks: 60, until: Infinity });
  replay.token = 't';
  await page.getByRole('button', { name: 'Rerun failed' }).click();
  replay.run.set(replay.run.tasks.findIndex(({ status }) => status === 3), { status: 2 });
  await page.getByLabel('The controller’s token').fill('t');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('alert')).toContainText('The run is not as you saw it: expected_count: found');
  expect(replay.run.finishedMs).toBeGreaterThan(0);
});

test('nobody there, nothing to ask; nothing failed, nothing to rerun', async ({ page, open }) => {
  const replay = await open({ tasks: 12, failing: 0, flaky: 0, erring: 0, until: 500 });
  await expect(page.locator('.writes button')).toHaveText(['Cancel']);
  replay.run.finish();
  replay.flush();
  await expect(heading(page)).toHaveText('Passed');
  await expect(page.locator('.writes button')).toHaveCount(0);
  replay.end('finished');
  await expect(page.locator('.writes')).toHaveCount(0);
});
