// What a reader does: filter, sort, open, step through failures, read logs; by mouse, by keys, by address.

import { expect, rowsOnScreen, test } from '../page_test.mjs';

const FINISHED = { tasks: 300, workers: 8, until: Infinity };

test('filters narrow the list, live in the address, and survive a reload', async ({ page, open }) => {
  const { run } = await open(FINISHED);
  const expected = run.tasks.filter((task) => task.status === 3 && run.groups[task.group] === 'search' && task.browser === 0).length;
  expect(expected).toBeGreaterThan(0);
  await page.getByLabel('Filter tasks').fill('spec.ts');
  await page.locator('.chip[data-status=failed]').click();
  await page.getByLabel('Filter by group').selectOption('search');
  await page.getByLabel('Filter by browser').selectOption('chrome');
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(expected + 1));
  await expect(page).toHaveURL(/\?status=failed&q=spec\.ts&browser=chrome&group=search$/);
  await page.reload();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(expected + 1));
  await expect(page.getByLabel('Filter tasks')).toHaveValue('spec.ts');
  await expect(page.locator('.chip[data-status=failed]')).toHaveAttribute('aria-pressed', 'true');
  await expect(page.getByLabel('Filter by group')).toHaveValue('search');
  await page.getByLabel('Filter tasks').fill('nothing like this');
  await expect(page.locator('.nothing')).toContainText('No task matches these filters.');
  await page.getByRole('button', { name: 'Clear filters' }).click();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', '301');
  await expect(page).toHaveURL(/\/results$/);
});

test('Back leads to the view and the filter of before; what was typed is one step', async ({ page, open }) => {
  await open(FINISHED);
  const grid = page.getByRole('grid', { name: 'Tasks' });
  const pressed = page.locator('.chip[aria-pressed=true]');
  const steps = () => page.evaluate(() => history.length);
  await page.locator('.chip[data-status=failed]').click();
  await page.getByRole('link', { name: 'Matrix' }).click();
  await page.getByRole('link', { name: 'Tasks' }).click();
  const before = await steps();
  await page.getByLabel('Filter tasks').pressSequentially('cart edits');
  await expect(page).toHaveURL(/q=cart\+edits/);
  expect(await steps()).toBe(before + 1);
  await page.locator('[data-row]').first().click();
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.goBack();
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await expect(page.getByLabel('Filter tasks')).toHaveValue('cart edits');
  await page.goBack();
  await expect(page.getByLabel('Filter tasks')).toHaveValue('');
  await expect(grid).toHaveAttribute('aria-rowcount', '22');
  await page.goBack();
  await expect(page.locator('.matrix')).toBeVisible();
  await page.goBack();
  await expect(grid).toBeVisible();
  await expect(pressed).toHaveCount(1);
  await page.goBack();
  await expect(pressed).toHaveCount(0);
  await expect(grid).toHaveAttribute('aria-rowcount', '301');
  await page.goForward();
  await expect(pressed).toHaveCount(1);
  await expect(page).toHaveURL(/\?status=failed$/);
});

test('a head sorts: down, up, and back to failures first', async ({ page, open }) => {
  const { run } = await open(FINISHED);
  const natural = await rowsOnScreen(page);
  const head = page.getByRole('columnheader', { name: 'Duration' });
  const longest = run.tasks.map((task) => task.duration).sort((a, b) => b - a);
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'descending');
  await expect(page).toHaveURL(/sort=-duration/);
  expect(run.tasks[(await rowsOnScreen(page))[0]].duration).toBe(longest[0]);
  await head.getByRole('button').click();
  await expect(head).toHaveAttribute('aria-sort', 'ascending');
  expect(run.tasks[(await rowsOnScreen(page))[0]].duration).toBe(longest.at(-1));
  await head.getByRole('button').click();
  await expect(head).not.toHaveAttribute('aria-sort');
  expect(await rowsOnScreen(page)).toEqual(natural);
});

test('a task opens beside the list, with all of its attempts; Back and Esc close it', async ({ page, open }) => {
  const { run } = await open(FINISHED);
  await page.evaluate(() => scrollTo(0, 500));
  const row = page.locator('.status-flaky').first();
  const number = Number(await row.getAttribute('data-row'));
  await row.click();
  const drawer = page.getByRole('dialog');
  await expect(drawer).toBeFocused();
  await expect(page).toHaveURL(new RegExp(`task=${run.key(number)}$`));
  await expect(drawer.getByRole('tab')).toHaveText(['Attempt 1failed', 'Attempt 2passed']);
  await expect(drawer.getByRole('tab', { selected: true })).toHaveText('Attempt 1failed');
  await drawer.getByRole('tab').last().click();
  await expect(page).toHaveURL(/attempt=2$/);
  await expect(drawer.locator('.test-failed')).toHaveCount(0);
  await drawer.getByRole('tab').first().click();
  await expect(page).toHaveURL(/attempt=1$/);
  await expect(drawer.locator('.test-failed .place')).toContainText(`${run.specs[run.tasks[number].spec]}:21`);
  await expect(drawer.locator('.snippet')).toContainText('await expect(cart.count)');
  await expect(drawer.locator('.stack')).toHaveText(/^\s+at tests/);
  await expect(drawer.locator('.test-failed .test-head')).toContainText('retry 1, ');
  await expect(drawer.locator('.test-reason', { hasText: 'issue: SHOP-12' })).toHaveCount(1);
  await drawer.getByText('3 steps').click();
  await expect(drawer.locator('.steps li')).toHaveText([/^Open the cart /, /^\u2003page\.goto\(\/cart\) /, /^expect\.toHaveText .*, failed$/]);
  await page.keyboard.press('Escape');
  await expect(drawer).toHaveCount(0);
  await expect(page.getByRole('grid')).toBeFocused();
  await row.click();
  await expect(drawer).toBeVisible();
  await page.goBack();
  await expect(drawer).toHaveCount(0);
  await expect(page).toHaveURL(/\/results$/);
});

test('an address opens its task, its attempt, and scrolls the list to it; a strange one says so', async ({ page, open }) => {
  const { run, url } = await open({ ...FINISHED, tasks: 3000 });
  const row = run.tasks.findLastIndex((task) => task.status === 2);
  await page.goto(`${url}?task=${run.key(row)}`);
  await expect(page.getByRole('dialog').locator('h2')).toHaveText(run.specs[run.tasks[row].spec]);
  await expect(page.locator(`[data-row="${row}"]`)).toBeInViewport();
  await page.goto(`${url}?task=task:nowhere:9`);
  await expect(page.getByRole('dialog')).toContainText('This run has no task:nowhere:9');
});

test('copies file and line', async ({ page, open, context }) => {
  await context.grantPermissions(['clipboard-read', 'clipboard-write']);
  await open(FINISHED);
  await page.keyboard.press('n');
  await page.getByRole('button', { name: 'Copy file and line' }).first().click();
  await expect(page.getByRole('button', { name: 'Copied' })).toBeVisible();
  expect(await page.evaluate(() => navigator.clipboard.readText())).toMatch(/^tests\/.*\.spec\.ts:21$/);
});

test('expected and received of a failed test, as a diff', async ({ page, open }) => {
  await open(FINISHED);
  await page.keyboard.press('n');
  const diff = page.getByRole('group', { name: 'Expected and received' });
  await expect(diff.locator('.diff-expected')).toHaveText('− expected: "3 items"');
  await expect(diff.locator('.diff-expected mark')).toHaveText('3');
  await expect(diff.locator('.diff-received mark')).toHaveText('2');
});

test('the same spec in other viewports and browsers leads to their tasks', async ({ page, open }) => {
  const { run } = await open({ ...FINISHED, search: '?task=task:search:0' });
  const strip = page.getByRole('navigation', { name: 'The same spec elsewhere' });
  await expect(strip.getByRole('link')).toHaveText([/: desktop chrome$/, /: desktop firefox$/, /: desktop webkit$/, /: mobile chrome$/, /: mobile webkit$/]);
  await expect(strip.locator('[aria-current]')).toHaveText(/desktop chrome$/);
  await strip.getByRole('link', { name: /mobile webkit$/ }).click();
  await expect(page).toHaveURL(/task=task:search:4$/);
  await expect(strip.locator('[aria-current]')).toHaveText(/mobile webkit$/);
  expect(run.tasks[4].spec).toBe(run.tasks[0].spec);
});

test('a file is a link: on GitHub where the source is there, in an editor for who says so, here for good', async ({ page, open }) => {
  const replay = await open(FINISHED);
  await page.keyboard.press('n');
  const place = page.locator('.test-failed .place');
  await expect(place.getByRole('link')).toHaveCount(0);
  replay.run.source = { ...replay.run.source, url: 'https://github.com/shop/web/actions/runs/7' };
  await page.reload();
  await expect(place.getByRole('link')).toHaveAttribute('href', /^https:\/\/github\.com\/shop\/web\/blob\/4f2a9c01be77d3a5c1e0b9f8a7d6c5b4a3f2e1d0\/tests\/.+\.spec\.ts#L21$/);
  await page.keyboard.press('?');
  const input = page.getByLabel('Links to files');
  await input.fill('javascript:alert({file})');
  await expect(page.locator('.file-links')).toContainText('This leads nowhere');
  await expect(place.getByRole('link', { includeHidden: true })).toHaveCount(0);
  await input.fill('vscode://file/home/me/shop/{file}:{line}:{column}');
  await page.keyboard.press('Escape');
  await page.reload();
  await expect(place.getByRole('link')).toHaveAttribute('href', /^vscode:\/\/file\/home\/me\/shop\/tests\/.+\.spec\.ts:21:1$/);
});

test('a task that goes on shows its new attempt without being asked', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 6, workers: 1, failing: 1, flaky: 0, erring: 0, until: 10 });
  await page.locator('[data-row="0"]').click();
  const drawer = page.getByRole('dialog');
  await expect(drawer).toContainText('Tests appear when the attempt has ended');
  run.step(run.tasks[0].lasts);
  flush();
  await expect(drawer.getByRole('tab')).toHaveText(['Attempt 1failed', 'Attempt 2running']);
  await drawer.getByRole('tab').first().click();
  await expect(drawer.locator('.log-line').first()).toBeVisible();
  run.finish();
  flush();
  await expect(drawer.getByRole('tab')).toHaveText(['Attempt 1failed', 'Attempt 2failed']);
});

test('the keys: filter, rows, failures, help', async ({ page, open }) => {
  const { run } = await open(FINISHED);
  await page.keyboard.press('/');
  await expect(page.getByLabel('Filter tasks')).toBeFocused();
  await page.keyboard.type('jnp');
  await expect(page.getByLabel('Filter tasks')).toHaveValue('jnp');
  await page.getByLabel('Filter tasks').fill('');
  await page.keyboard.press('Escape');
  const grid = page.getByRole('grid');
  await expect(grid).toBeFocused();
  await page.keyboard.press('j');
  await page.keyboard.press('ArrowDown');
  const order = await rowsOnScreen(page);
  await expect(grid).toHaveAttribute('aria-activedescendant', `row-${order[1]}`);
  await page.keyboard.press('k');
  await page.keyboard.press('Enter');
  const title = page.getByRole('dialog').locator('h2');
  const specOf = (row) => run.specs[run.tasks[row].spec];
  await expect(title).toHaveText(specOf(order[0]));
  await page.keyboard.press('n');
  await expect(title).toHaveText(specOf(order[1]));
  await page.keyboard.press('n');
  await expect(title).toHaveText(specOf(order[2]));
  await page.keyboard.press('p');
  await expect(title).toHaveText(specOf(order[1]));
  await page.keyboard.press('j');
  await expect(title).toHaveText(specOf(order[2]));
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  await page.keyboard.press('End');
  await expect(page.locator('.row-active')).toHaveAttribute('aria-rowindex', '301');
  await expect(page.locator('.row-active')).toBeInViewport();
  await page.keyboard.press('?');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog', { name: 'Keyboard' })).toBeHidden();
});

test('from the address bar to an open failure without a mouse', async ({ page, open }) => {
  await open(FINISHED);
  for (let i = 0; i < 60; i += 1) {
    await page.keyboard.press('Tab');
    if (await page.evaluate(() => document.activeElement.id === 'tasks')) break;
  }
  await expect(page.getByRole('grid')).toBeFocused();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeFocused();
  await expect(page.locator('.test-failed').first()).toBeVisible();
});

test('a long log: its end at first, all of it on request, opened at the error', async ({ page, open }) => {
  const { run } = await open(FINISHED);
  const row = (await rowsOnScreen(page))[0];
  run.tasks[row].logLines = 6000;
  await page.locator(`[data-row="${row}"]`).click();
  const log = page.locator('.log');
  await expect(log).toContainText(/Showing the last 12\d KiB/);
  await expect(log.locator('.log-line').first()).not.toContainText('Running');
  await log.locator('.log-box').scrollIntoViewIfNeeded();
  await expect(log.locator('.sought')).toBeInViewport();
  await log.getByRole('button', { name: /^Show all/ }).click();
  await expect(log.locator('.log-line').first()).toHaveText(/^Running \d+ tests using 1 worker$/);
  expect(await log.locator('.log-line').count()).toBeGreaterThan(6000);
  await log.getByLabel('Wrap').uncheck();
  await expect(log.locator('.log-box')).toHaveCSS('white-space', 'pre');
});

test('a log that cannot be had, and a task that cannot be had, say so', async ({ page, open }) => {
  const replay = await open(FINISHED);
  await page.route('**/log', (route) => route.fulfill({ status: 500 }));
  await page.keyboard.press('n');
  await expect(page.locator('.log')).toContainText('could not be loaded: HTTP 500');
  await page.route(/tasks\/[^/]*$/, (route) => route.fulfill({ status: 502 }));
  await page.keyboard.press('n');
  await expect(page.getByRole('dialog')).toContainText('could not be loaded: HTTP 502');
  await page.unroute(/tasks\/[^/]*$/);
  await page.getByRole('button', { name: 'Try again' }).click();
  await expect(page.locator('.tests')).toBeVisible();
  expect(replay.streams()).toBe(1);
});

test('errors that say the same stand together and lead to their tasks', async ({ page, open }) => {
  const { run } = await open({ ...FINISHED, search: '?view=errors' });
  const first = page.locator('.errors > li').first();
  const count = Number(await first.locator('.error-count b').textContent());
  expect(count).toBeGreaterThan(1);
  await first.getByRole('button', { name: /in the list$/ }).click();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(count + 1));
  await expect(page.locator('.error-filter')).toContainText('Same error:');
  await page.getByRole('button', { name: 'Remove the filter by error' }).click();
  await expect(page.getByRole('grid')).toHaveAttribute('aria-rowcount', String(run.tasks.length + 1));
});

test('the matrix: a cell for each task, dashes for what is excluded, keys and mouse open', async ({ page, open }) => {
  const { run } = await open({ ...FINISHED, search: '?view=matrix' });
  await expect(page.getByRole('columnheader')).toHaveCount(7);
  await expect(page.locator('.mcell-none').first()).toHaveAttribute('title', 'mobile firefox: excluded, no touch emulation in this browser');
  await page.locator('#cell-1 a').click();
  await expect(page.getByRole('dialog').locator('h2')).toHaveText(run.specs[0]);
  await page.keyboard.press('Escape');
  await page.locator('.matrix').focus();
  await page.keyboard.press('ArrowLeft');
  await page.keyboard.press('ArrowDown');
  await expect(page.locator('.mcell-active')).toHaveAttribute('id', 'cell-5');
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog').locator('h2')).toHaveText(run.specs[1]);
});

test('the timeline: every worker, bars that can be clicked, zoom by dragging', async ({ page, open }) => {
  const { run } = await open({ ...FINISHED, search: '?view=timeline' });
  await expect(page.locator('.tline canvas')).toHaveCount(8);
  const strip = page.locator('.tline canvas').first();
  const painted = () => strip.evaluate((canvas) => canvas.getContext('2d').getImageData(0, 0, canvas.width, canvas.height).data.some((value) => value > 0));
  await expect.poll(painted).toBe(true);
  const box = await strip.boundingBox();
  await page.mouse.move(box.x + 2, box.y + box.height / 2);
  await expect(page.locator('.tip')).toBeVisible();
  await page.mouse.click(box.x + 2, box.y + box.height / 2);
  await expect(page.getByRole('dialog')).toBeVisible();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('dialog')).toHaveCount(0);
  const wide = await strip.boundingBox();
  await page.mouse.move(wide.x + wide.width / 4, wide.y + 8);
  await page.mouse.down();
  await page.mouse.move(wide.x + wide.width / 2, wide.y + 8, { steps: 4 });
  await page.mouse.up();
  await expect(page.locator('.timeline-tools')).toContainText(' of ');
  await page.getByRole('button', { name: 'Fit' }).click();
  await expect(page.locator('.timeline-tools')).toContainText('Drag to zoom');
  expect(run.workers.length).toBe(8);
  await page.getByRole('table', { name: /^Workers over time/ }).focus();
  await page.keyboard.press('ArrowDown');
  await page.keyboard.press('ArrowRight');
  await expect(page.locator('.timeline-tools')).toContainText(/\.spec\.ts (?:desktop|mobile) \w+, \w+/);
  await page.keyboard.press('Enter');
  await expect(page.getByRole('dialog')).toBeFocused();
  await page.keyboard.press('Escape');
  await expect(page.getByRole('table', { name: /^Workers over time/ })).toBeFocused();
});

test('the timeline keeps attempts that it has seen to be followed by others', async ({ page, open }) => {
  const { run, flush } = await open({ tasks: 6, workers: 1, failing: 1, flaky: 0, erring: 0, until: 10, search: '?view=timeline' });
  await expect(page.locator('.legend')).not.toContainText('Tried before');
  run.step(run.tasks[0].lasts);
  flush();
  await expect(page.locator('.legend')).toContainText('Tried before');
});
