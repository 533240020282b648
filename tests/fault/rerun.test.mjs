// What may come between a run that has ended and its tasks that are put back.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { waitFor } from '../e2e/harness.mjs';
import { Scene } from './scene.mjs';

const TOKEN = 'open-sesame';

async function rerun(scene, controller, states) {
  const answer = await fetch(`${await scene.url(controller)}/api/v1/runs/current/rerun`, {
    method: 'POST',
    headers: { authorization: `Bearer ${TOKEN}`, 'content-type': 'application/json' },
    body: JSON.stringify({ status: states }),
  });
  return [answer.status, await answer.json()];
}

// Two tasks that failed, and won't again.
async function haveFailedRun(scene, args = []) {
  await scene.startRedis([]);
  const map = scene.map('[ -e "$HOME/mended" ]', ['a', 'b']);
  const controller = scene.controller([...args, map], { FUNKYTOWN_TOKEN: TOKEN });
  const worker = scene.worker();
  await controller.says(/^failed: 2\/2 .*\n/m);
  assert.equal(await worker.exit(), 0, worker.output);
  scene.file('mended', '');
  return { map, controller };
}

// [what is refused, how that begins, how it ends]; the link stays up.
const REFUSALS = [
  ['out of memory', ['config', 'set', 'maxmemory', '1'], ['config', 'set', 'maxmemory', '0']],
  ['too few replicas', ['config', 'set', 'min-replicas-to-write', '1'], ['config', 'set', 'min-replicas-to-write', '0']],
];

for (const [what, begin, end] of REFUSALS) {
  test(`--rerun is refused for a while (${what}): it is asked again, and its verdict is told`, async (t) => {
    const scene = new Scene(t);
    const { map, controller } = await haveFailedRun(scene);
    controller.mayEnd = [143];
    controller.kill();
    await controller.exit();
    const slow = await scene.proxy();
    slow.set({ delayMs: 200 }); // so that the refusal comes before the rerun is asked for
    const again = scene.controller(['--once', '--rerun', map], slow.env);
    await again.says(/report at/);
    await scene.redis(...begin);
    await again.says(/event=controller\.waiting .*(OOM|NOREPLICAS)/);
    assert.ok(again.isRunning, again.output);
    slow.set({ delayMs: 0 });
    await scene.redis(...end);
    await again.says(/running again/);
    scene.worker();
    assert.equal(await again.exit(), 0, again.output);
    assert.match(again.stdout, /^passed: 2\/2/m);
    assert.doesNotMatch(again.stdout, /^failed:/m);
  });

  test(`POST rerun is refused (${what}): that is the answer, and it works when it is asked again`, async (t) => {
    const scene = new Scene(t);
    const { controller } = await haveFailedRun(scene);
    await scene.redis(...begin);
    const [status, problem] = await rerun(scene, controller, ['failed']);
    assert.ok(status >= 500, `${status} ${JSON.stringify(problem)}`);
    assert.equal((await scene.api(controller, '')).verdict, 'failed');
    await scene.redis(...end);
    await waitFor('the rerun to be taken', async () => (await rerun(scene, controller, ['failed']))[0] === 200);
    scene.worker();
    await controller.says(/^passed: 2\/2/m);
    await scene.consistent();
    controller.kill();
    assert.equal(await controller.exit(), 143);
  });
}

test('reruns that are over before anybody looks: each verdict is that of the last one', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([]);
  const map = scene.map('[ "$(cat "$HOME/goal")" = pass ]', ['a', 'b', 'c']);
  scene.file('goal', 'fail');
  const controller = scene.controller([map], { FUNKYTOWN_TOKEN: TOKEN });
  scene.worker({ FUNKYTOWN_SLOTS: '3' });
  await controller.says(/^failed: 3\/3 .*\n/m);
  for (let round = 1; round <= 8; round++) {
    if (round === 8) scene.file('goal', 'pass');
    await waitFor('the rerun to be taken', async () => (await rerun(scene, controller, ['failed']))[0] === 200);
    scene.worker({ FUNKYTOWN_SLOTS: '3' });
    const verdicts = () => controller.stdout.match(/^(passed|failed): 3\/3/gm) ?? [];
    await waitFor(`verdict ${round + 1}`, () => verdicts().length === round + 1);
    assert.match(verdicts().at(-1), round === 8 ? /^passed/ : /^failed/);
  }
  await scene.consistent();
  const run = await scene.hash('funkytown:run');
  await waitFor('the summary', async () => JSON.parse((await scene.hash('funkytown:run')).summary ?? '{}').verdict === 'passed');
  assert.equal(run.state, 'finished');
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('the summary of a run that somebody else has taken over is his', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis([]);
  // With this lease it isn't the next renewal that finds out.
  const controller = scene.controller(['--once', scene.work(2, { holding: 1 })], { FUNKYTOWN_LEASE_S: '15' });
  const worker = scene.worker();
  await scene.started(1);
  await scene.redis('hset', 'funkytown:run', 'controller', 'somebody', 'summary', 'his');
  await scene.redis('set', 'funkytown:controller', 'somebody');
  scene.open();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.equal((await scene.hash('funkytown:run')).summary, 'his');
});
