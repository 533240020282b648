// The `test` of browser tests that look at the page of real controllers: with a stage of the end-to-end tests.

import { Stage } from '../e2e/harness.mjs';
import { expect, axeFindings, test as base } from './page_test.mjs';

export { expect, axeFindings };

export async function onStage(use) {
  const closers = [];
  const stage = new Stage({ after: (close) => closers.push(close) });
  try {
    await stage.startRedis();
    await use(stage);
  } finally {
    for (const close of closers) await close();
  }
}

export const test = base.extend({
  stage: async ({}, use) => onStage(use),
});
