// Mocha's words on Playwright, so that it runs the same files of fixtures/mocha as the others. To be required by its
// configuration, which every process of it loads. What is declared so has its place in here.

'use strict';

const { expect, test } = require('@playwright/test');

const context = {
  skip: () => test.skip(),
  timeout: (ms) => test.setTimeout(ms),
  retries: () => {}, // said before it runs: see declare()
};

const run = (body) => async () => { await body.call(context); };

/** Playwright's retries are a group's: a test that asks for some gets a group without a name. */
function declare(title, body, { as = test } = {}) {
  const [, retries] = /this\.retries\((\d+)\)/.exec(body) ?? [];
  if (!retries) return as(title, run(body));
  test.describe(() => {
    test.describe.configure({ retries: Number(retries) });
    as(title, run(body));
  });
}

function it(title, body) {
  if (body) declare(title, body);
  else test.fixme(title, () => {});
}
it.skip = (title, body) => test.skip(title, run(body));
it.only = (title, body) => declare(title, body, { as: test.only });

Object.assign(globalThis, {
  describe: (title, body) => test.describe(title, () => body.call(context)),
  it,
  before: (body) => test.beforeAll(run(body)),
  after: (body) => test.afterAll(run(body)),
  beforeEach: (body) => test.beforeEach(run(body)),
  afterEach: (body) => test.afterEach(run(body)),
  expect,
});
