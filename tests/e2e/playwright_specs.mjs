// A SPEC_ROOT with real Playwright specs, one of which fails, and a browser that does not start.

import { cpSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { projectRoot } from './harness.mjs';

/** Fills the stage's SPEC_ROOT and returns the spec map: task:shop:0 passes, 1 has no browser, 2 fails in tests/basket.spec.mjs:11. */
export function layPlaywrightSpecs(stage) {
  cpSync(join(projectRoot, 'tests/e2e/fixtures/playwright'), stage.specs, { recursive: true });
  symlinkSync(join(projectRoot, 'specs/node_modules'), join(stage.specs, 'node_modules'));
  return join(stage.specs, 'spec_context_map.json');
}
