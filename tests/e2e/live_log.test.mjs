// What a runner puts out is there while it runs, and stays when its worker is killed.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

async function logOf(stage, controller, attempt) {
  const answer = await fetch(`${await stage.url(controller)}/api/v1/runs/current/tasks/task:g:0/attempts/${attempt}/log`);
  return answer.status === 200 ? answer.text() : answer.status;
}

const WAITS = 'printf "\\033[31mone\\033[0m %s\\n" "$FUNKYTOWN_ATTEMPT"; until [ -e "$HOME/go" ]; do sleep 0.05; done; echo two';

test('the output of a task that runs can be read, with its colours, and is whole at the end', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller([stage.map(WAITS, ['a'])]);
  stage.worker();
  await waitFor('the output so far', async () => (await logOf(stage, controller, 1)) === '\u001b[31mone\u001b[0m 1\n');
  assert.equal((await stage.hash('task:g:0')).status, 'processing');
  stage.file('go', '');
  await controller.says(/^passed: /m);
  assert.equal(await logOf(stage, controller, 1), '\u001b[31mone\u001b[0m 1\ntwo\n');
});

test('what a killed worker had told of its attempt stays, and the next attempt has its own', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--lease-s', '1', stage.map(WAITS, ['a'])]);
  const first = stage.worker();
  await waitFor('the output so far', async () => (await logOf(stage, controller, 1)) !== 404);
  first.kill('SIGKILL');
  await first.exit();
  stage.file('go', '');
  stage.worker();
  await controller.says(/^passed: /m);
  assert.equal(await logOf(stage, controller, 1), '\u001b[31mone\u001b[0m 1\n');
  assert.equal(await logOf(stage, controller, 2), '\u001b[31mone\u001b[0m 2\ntwo\n');
});
