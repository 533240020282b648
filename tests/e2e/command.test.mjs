// What ./run tells the controller: the script itself, with stand-ins for all that it calls.

import assert from 'node:assert/strict';
import { copyFileSync, utimesSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { projectRoot, Stage } from './harness.mjs';

function standIns(stage) {
  copyFileSync(join(projectRoot, 'run'), join(stage.folder, 'run'));
  stage.file('build/build.ninja', '');
  stage.file('build/bin/controller', '#!/bin/sh\necho "told:" "$@"\n', 0o755);
  for (const name of ['cmake', 'npm']) stage.file(`stand-in/${name}`, '#!/bin/sh\nexit 0\n', 0o755);
  stage.file('stand-in/dpkg-query', '#!/bin/sh\nprintf installed\n', 0o755);
  utimesSync(stage.file('specs/package-lock.json', ''), 1, 1);
  stage.file('specs/node_modules/.package-lock.json', '');
}

async function told(stage, args, more = {}) {
  const env = { PATH: `${stage.folder}/stand-in:${process.env.PATH}`, ...more };
  const run = stage.spawn('run', 'sh', ['./run', ...args], env);
  return [await run.exit(), run.stdout.replace(/^told: (.*)\n$/s, '$1').replace(/--workers \d+/, '--workers N'), run.stderr];
}

test('./run hands its options and the place on', async (t) => {
  const stage = new Stage(t);
  standIns(stage);
  for (const [args, wanted] of [
    [[], '--once --serve-failures --workers N'],
    [['map.json'], `--once --serve-failures --workers N ${stage.folder}/map.json`],
    [['/maps/a b.json'], '--once --serve-failures --workers N /maps/a b.json'],
    [['--fresh'], '--once --serve-failures --fresh --workers N'],
    [['--fresh', 'map.json'], `--once --serve-failures --fresh --workers N ${stage.folder}/map.json`],
    [['--rerun', 'map.json'], `--once --serve-failures --rerun --workers N ${stage.folder}/map.json`],
    [['shop/e2e'], `--once --serve-failures --workers N ${stage.folder}/shop/e2e`],
    [['shop', '--dry-run', '--grep', 'a b', '--tag=smoke', '--only-changed'], `--once --serve-failures --dry-run --grep a b --tag=smoke --only-changed --workers N ${stage.folder}/shop`],
    [['--no-serve'], '--once --workers N'],
    [['shop', '--no-serve', '--fresh'], `--once --fresh --workers N ${stage.folder}/shop`],
    [['init', 'shop'], 'init shop'],
  ]) assert.deepEqual((await told(stage, args)).slice(0, 2), [0, wanted]);
  for (const args of [['--stale'], ['--fresh', 'a', 'b'], ['init'], ['init', 'a', 'b']]) {
    const [status, , complaint] = await told(stage, args);
    assert.equal(status, 2);
    assert.match(complaint, /^run: .*\.\/run --help tells what there is$/m);
  }
});

test('./run of other people\'s specs asks for no browser and no package of ours', async (t) => {
  const stage = new Stage(t);
  standIns(stage);
  const asked = stage.file('asked', '');
  stage.file('stand-in/dpkg-query', `#!/bin/sh\necho "$*" >>${asked}\nprintf installed\n`, 0o755);
  const packages = async (args, env) => {
    stage.file('asked', '');
    await told(stage, args, env);
    return stage.lines('asked').join(' ');
  };
  assert.match(await packages([]), /chromium/);
  assert.match(await packages(['map.json']), /chromium/);
  assert.match(await packages(['specs']), /chromium/);
  assert.doesNotMatch(await packages(['shop']), /chromium|firefox/);
  assert.match(await packages(['shop']), /redis-server/);
  assert.doesNotMatch(await packages(['map.json'], { SPEC_ROOT: 'shop' }), /chromium|firefox/);
  assert.doesNotMatch(await packages(['--dry-run', 'shop']), /chromium|redis-server/);
});
