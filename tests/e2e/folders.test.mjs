// The folders that a task may write into, when the worker isn't root, to whom nothing is closed.

import assert from 'node:assert/strict';
import { readdirSync } from 'node:fs';
import { test } from 'node:test';
import { UnprivilegedStage } from './harness.mjs';

// Each task notes what it finds in its folders, and then leaves something there that it has closed to everybody.
const script = (mode) => `
for folder in "$TMPDIR" "$FUNKYTOWN_ARTIFACTS" "\${FUNKYTOWN_EVENTS%/*}"; do find "$folder" -mindepth 1 | sort; done | sed 's/.*slot-0.//' >>"$HOME/found"
for folder in "$TMPDIR" "$FUNKYTOWN_ARTIFACTS" "\${FUNKYTOWN_EVENTS%/*}"; do
  mkdir -p "$folder/deep/inner" && echo secret >"$folder/deep/inner/file" && chmod ${mode} "$folder/deep/inner" "$folder/deep"
done
chmod ${mode} "$TMPDIR"
exit 0`;

for (const mode of ['0', '500', '300']) {
  test(`a task leaves folders of mode ${mode}: the next one finds nothing of them, and in the end they are gone`, async (t) => {
    const stage = new UnprivilegedStage(t);
    await stage.startRedis();
    const controller = stage.controller(['--once', '--workers', '1', stage.map(script(mode), ['a', 'b', 'c'])], { SPEC_ROOT: stage.specs });
    assert.equal(await controller.exit(), 0, controller.output);
    const own = ['artifacts', 'events', 'output', 'tmp'];
    assert.deepEqual(stage.lines('found'), [...own, ...own, ...own]);
    assert.deepEqual(readdirSync(stage.folder).filter((name) => name.startsWith('funkytown-worker-')), []);
  });
}
