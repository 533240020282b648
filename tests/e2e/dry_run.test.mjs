// --dry-run, and a folder in the place of a spec map, as far as no runner is needed (tests/runners/discovery.test.mjs has the rest).

import assert from 'node:assert/strict';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage } from './harness.mjs';

async function ask(stage, args, env = { REDIS_HOST: 'no-such-host.invalid' }) {
  const program = stage.controller(args, { FUNKYTOWN_LOG_LEVEL: 'warn', ...env });
  return { status: await program.exit(), stdout: program.stdout, stderr: program.stderr.replaceAll(stage.folder, 'FOLDER') };
}

test('--dry-run is a table of tasks and exclusions, whatever Redis does', async (t) => {
  const stage = new Stage(t);
  const map = stage.file('map.json', {
    runners: { script: { argv: ['true', '{spec}'] } },
    groups: [{ name: 'shop', runner: 'script', tasks: [{ spec: 'größe.sh', viewports: ['desktop', 'mobile'], browsers: ['chrome', 'firefox'] }] },
      { name: 'a longer name', tasks: [{ spec: 'b.spec.ts', viewports: ['desktop'], browsers: ['chrome'] }] }],
  });
  assert.deepEqual(await ask(stage, ['--dry-run', map]), { status: 0, stderr: '', stdout: `GROUP          SPEC       VIEWPORT  BROWSER  RUNNER
shop           größe.sh   desktop   chrome   script
shop           größe.sh   desktop   firefox  script
shop           größe.sh   mobile    chrome   script
a longer name  b.spec.ts  desktop   chrome   playwright

EXCLUDED  SPEC      VIEWPORT  BROWSER  REASON
shop      größe.sh  mobile    firefox  firefox has no mobile emulation

4 tasks, 1 excluded
` });
});

test('--dry-run of no task at all shows why, and is not green', async (t) => {
  const stage = new Stage(t);
  const map = stage.file('map.json', { groups: [{ name: 'g', tasks: [{ spec: 'a.spec.ts', viewports: ['mobile'], browsers: ['firefox'] }] }] });
  const { status, stdout, stderr } = await ask(stage, ['--dry-run', map]);
  assert.equal(status, 5);
  assert.match(stdout, /^EXCLUDED .*\n.*firefox has no mobile emulation\n\n0 tasks, 1 excluded\n$/);
  assert.match(stderr, /found no task, wanted at least one/);
});

test('a folder without a configuration, and one whose packages are missing, are refused with one line', async (t) => {
  const stage = new Stage(t);
  mkdirSync(join(stage.folder, 'empty'));
  stage.file('shop/playwright.config.ts', '');
  stage.file('shop/package-lock.json', '{}');
  for (const [args, env, wanted] of [
    [['empty'], {}, /^controller: FOLDER\/empty: found no playwright\.config\.\*, cypress\.config\.\* or wdio\.conf\.\* in or below it, wanted one\n$/],
    [['init', 'shop'], {}, /^controller: FOLDER\/shop\/playwright\.config\.ts: @playwright\/test is not installed; run `npm ci` in FOLDER\/shop\n$/],
    [['shop'], { PATH: stage.specs }, /^controller: the configurations can't be asked \(Node 20 or later is wanted in PATH\): node: No such file or directory\n$/],
    [['init', 'nowhere'], {}, /^controller: init: found nowhere, wanted a folder or a runner's configuration\n$/],
    [['--grep', 'x', 'map.json'], {}, /^controller: --grep: found map\.json, wanted a folder/],
  ]) {
    const { status, stderr } = await ask(stage, args, env);
    assert.equal(status, 2, stderr);
    assert.match(stderr, wanted);
  }
  assert.deepEqual(stage.lines('.funkytown'), []);
});
