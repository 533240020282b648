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

async function told(stage, args) {
  const env = { PATH: `${stage.folder}/stand-in:${process.env.PATH}` };
  const run = stage.spawn('run', 'sh', ['./run', ...args], env);
  return [await run.exit(), run.stdout.replace(/^told: (.*)\n$/s, '$1').replace(/--workers \d+/, '--workers N'), run.stderr];
}

test('./run hands --fresh, --rerun and the map on', async (t) => {
  const stage = new Stage(t);
  standIns(stage);
  for (const [args, wanted] of [
    [[], '--once --workers N'],
    [['map.json'], `--once --workers N ${stage.folder}/map.json`],
    [['/maps/a b.json'], '--once --workers N /maps/a b.json'],
    [['--fresh'], '--once --fresh --workers N'],
    [['--fresh', 'map.json'], `--once --fresh --workers N ${stage.folder}/map.json`],
    [['--rerun', 'map.json'], `--once --rerun --workers N ${stage.folder}/map.json`],
  ]) assert.deepEqual((await told(stage, args)).slice(0, 2), [0, wanted]);
  for (const args of [['--stale'], ['--fresh', 'a', 'b']]) {
    const [status, , complaint] = await told(stage, args);
    assert.equal(status, 2);
    assert.match(complaint, /^run: .*\.\/run --help tells what there is$/m);
  }
});
