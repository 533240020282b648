// With failures, before people, the report stays when the run has ended: until Ctrl-C, and with the verdict's status.

import assert from 'node:assert/strict';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, isAlive, Stage, waitFor } from './harness.mjs';

const CTRL_C = '\u0003';
const SERVING = /^serving the report at (http:\S+)\/results until Ctrl-C\r?$/m;
const FAILS = 'echo "$PPID" >>"$HOME/parents"; echo seen; exit';

async function words(stage, script, more = []) {
  stage.env = { SPEC_ROOT: stage.specs };
  const map = stage.map(script, ['a'], { runners: { script: { argv: [join(stage.folder, 'runner.sh')], exit: { 77: 'skipped' } } } });
  return ['--once', '--serve-failures', '--workers', '1', '--redis-port', String(await freePort()), ...more, map];
}

for (const [status, code] of [[1, 1], [3, 9]])
  test(`exit status ${status}: page and logs are there, workers aren't, until Ctrl-C`, async (t) => {
    const stage = new Stage(t);
    const controller = stage.controllerOnTerminal(80, await words(stage, `${FAILS} ${code}`));
    const [, url] = await controller.says(SERVING);
    const [parent] = stage.lines('parents');
    await waitFor('the worker to leave', () => !isAlive(Number(parent)));
    assert.equal((await fetch(`${url}/results`)).status, 200);
    const log = await fetch(`${url}/api/v1/runs/current/tasks/task:g:0/attempts/1/log`);
    assert.equal(await log.text(), 'seen\n');
    controller.type(CTRL_C);
    assert.equal(await controller.exit(), status, controller.output);
    assert.equal(controller.stdout.match(/until Ctrl-C/g).length, 1);
    await assert.rejects(fetch(`${url}/livez`));
  });

test('it ends with the run when nobody watches, nothing failed or it was not asked for', async (t) => {
  for (const [name, status, start] of [
    ['no terminal', 1, async (stage) => stage.controller(await words(stage, 'exit 1'))],
    ['a terminal of a CI server', 1, async (stage) => stage.controllerOnTerminal(80, await words(stage, 'exit 1'), { CI: 'true' })],
    ['passed', 0, async (stage) => stage.controllerOnTerminal(80, await words(stage, 'exit 0'))],
    ['skipped', 5, async (stage) => stage.controllerOnTerminal(80, await words(stage, 'exit 77'))],
    ['the deadline', 4, async (stage) => stage.controllerOnTerminal(80, await words(stage, 'exec sleep 1000', ['--deadline-s', '1']))],
    ['without --serve-failures', 1, async (stage) => stage.controllerOnTerminal(80, (await words(stage, 'exit 1')).filter((word) => word !== '--serve-failures'))],
  ]) {
    const stage = new Stage(t);
    const controller = await start(stage);
    assert.equal(await controller.exit(), status, `${name}: ${controller.output}`);
    assert.doesNotMatch(controller.output, /until Ctrl-C/, name);
  }
});

test('a deadline that comes later is the run\'s, not that of who reads', async (t) => {
  const stage = new Stage(t);
  const controller = stage.controllerOnTerminal(80, await words(stage, 'exit 1', ['--deadline-s', '1', '--log-level', 'debug']));
  const [, url] = await controller.says(SERVING);
  await controller.says(/deadline\.ignored/); // 11 s
  assert.equal((await fetch(`${url}/livez`)).status, 200);
  controller.type(CTRL_C);
  assert.equal(await controller.exit(), 1, controller.output);
});

test('what is run again from the page ends with its own verdict', async (t) => {
  const stage = new Stage(t);
  const controller = stage.controllerOnTerminal(80, await words(stage, '[ -e "$HOME/mended" ]'), { FUNKYTOWN_TOKEN: 'geheim' });
  const [, url] = await controller.says(SERVING);
  stage.file('mended', '');
  const answer = await fetch(`${url}/api/v1/runs/current/rerun`, {
    method: 'POST', headers: { Authorization: 'Bearer geheim', 'Content-Type': 'application/json' }, body: '{"status":["failed"]}',
  });
  assert.deepEqual(await answer.json(), { rerun: 1 });
  assert.equal(await controller.exit(), 0, controller.output);
});
