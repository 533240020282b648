// The files that outlive a run: where they are, and what becomes of them when something is in the way. What stands in
// them: tests/formats.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { chmodSync, existsSync, mkdirSync, readFileSync, readdirSync, readlinkSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, UnprivilegedStage } from './harness.mjs';

const FILES = ['failed.txt', 'junit.xml', 'report.html', 'results.json'];
const count = (text, pattern) => (text.match(pattern) ?? []).length;

test('each run has a folder, latest is the last one, and the verdict waits for the files', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  for (const [id, script, status] of [['first', 'exit 0', 0], ['second', 'exit 1', 1]]) {
    const controller = stage.controller(['--once', stage.map(script, ['a', 'b'])], { FUNKYTOWN_RUN_ID: id });
    stage.worker();
    assert.equal(await controller.exit(), status, controller.output);
    assert.match(controller.stdout, new RegExp(`^report: \\.funkytown/report/${id}/report\\.html$`, 'm'));
    assert.match(controller.stdout, new RegExp(`^files:  \\.funkytown/report/${id}$`, 'm'));
    const folder = join(stage.folder, '.funkytown/report', id);
    assert.deepEqual(readdirSync(folder).sort(), FILES);
    assert.equal(readlinkSync(join(stage.folder, '.funkytown/report/latest')), id);
    assert.equal(count(readFileSync(join(folder, 'failed.txt'), 'utf8'), /\n/g), status * 2);
  }
});

test('FUNKYTOWN_REPORT_DIR is where they are, and only they are replaced', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('exit 1', ['a']);
  const folder = join(stage.folder, 'out/of/it');
  mkdirSync(folder, { recursive: true });
  for (const name of ['junit-2.xml', 'junit-3.xml', 'junit-more.xml', 'mine.txt']) writeFileSync(join(folder, name), 'old');
  symlinkSync(map, join(folder, 'junit.xml.part'));
  const controller = stage.controller(['--once', '--report-dir', folder, map]);
  stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  assert.deepEqual(readdirSync(folder).sort(), [...FILES, 'junit-more.xml', 'mine.txt'].sort());
  assert.match(readFileSync(map, 'utf8'), /^\{/, 'no link is followed');
  assert.equal(existsSync(join(stage.folder, '.funkytown/report')), false);
});

test('a folder that cannot be written to: before anything runs when it was asked for, else a line and the same verdict', async (t) => {
  const stage = new UnprivilegedStage(t);
  await stage.startRedis();
  const map = stage.map('exit 0', ['a']);
  const closed = join(stage.folder, 'closed');
  mkdirSync(closed);
  chmodSync(closed, 0o500);
  const asked = stage.controller(['--once', '--report-dir', join(closed, 'report'), map]);
  assert.equal(await asked.exit(), 2, asked.output);
  assert.match(asked.stderr, /^controller: FUNKYTOWN_REPORT_DIR: \/\S+closed\/report: Permission denied$/m);
  const controller = stage.controller(['--once', '--data-dir', closed, map]);
  stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.match(controller.stdout, /^the report's files could not be written: \S+closed\/report\/\S+: .+$/m);
  assert.match(controller.stdout, /^passed: 1\/1 /m);
  assert.doesNotMatch(controller.stdout, /^files: /m);
});

test('a full disk: a line, the same verdict, and the last files stay', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const folder = join(stage.folder, 'small');
  mkdirSync(folder);
  execFileSync('mount', ['-t', 'tmpfs', '-o', 'size=16k', 'tmpfs', folder]);
  try {
    writeFileSync(join(folder, 'junit.xml'), 'of the last run');
    const controller = stage.controller(['--once', '--report-dir', folder, stage.map('head -c 100000 /dev/zero | tr "\\\\0" x; exit 1', ['a'])]);
    stage.worker();
    assert.equal(await controller.exit(), 1, controller.output);
    assert.match(controller.stdout, /^the report's files could not be written: \S+: No space left on device$/m);
    assert.deepEqual(readdirSync(folder), ['junit.xml']);
    assert.equal(readFileSync(join(folder, 'junit.xml'), 'utf8'), 'of the last run');
  } finally {
    execFileSync('umount', [folder]);
  }
});

test('a run of which the report says what failed is written anew when it was run again', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('[ -e "$HOME/mended" ]', ['a', 'b']);
  const env = { FUNKYTOWN_REPORT_DIR: join(stage.folder, 'report') };
  const read = () => readFileSync(join(stage.folder, 'report/failed.txt'), 'utf8');
  const first = stage.controller(['--once', map], env);
  stage.worker();
  assert.equal(await first.exit(), 1, first.output);
  assert.equal(count(read(), /\n/g), 2);
  stage.file('mended', '');
  const again = stage.controller(['--once', '--rerun', map], env);
  stage.worker();
  assert.equal(await again.exit(), 0, again.output);
  assert.equal(read(), '');
});

test('what a report leaves is no change of the source, what others put there is', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const git = (...words) => execFileSync('git', ['-c', 'user.name=a', '-c', 'user.email=a@b', ...words], { cwd: stage.specs, env: { ...process.env, HOME: stage.folder } });
  stage.file('specs/a', '');
  git('init', '-q');
  git('add', '.');
  git('commit', '-qm', 'a');
  const env = { SPEC_ROOT: stage.specs, FUNKYTOWN_REPORT_DIR: stage.specs, FUNKYTOWN_RUN_ID: 'nightly' };
  const runOnce = async () => {
    const controller = stage.controller(['--once', stage.map('exit 0', ['a'])], env);
    const worker = stage.worker();
    assert.equal(await controller.exit(), 0, controller.output);
    worker.kill();
    await worker.ended;
    return controller.stdout;
  };
  await runOnce();
  assert.deepEqual(readdirSync(stage.specs).filter((name) => FILES.includes(name)).sort(), FILES);
  assert.match(await runOnce(), /^run nightly finished at .*; nothing was run now$/m);
  writeFileSync(join(stage.specs, 'junit-notes.xml'), '');
  assert.match(await runOnce(), /the specs have changed/);
});
