// Who listens to a controller when it ends: everybody is told how the run stands, and nobody can hold it up.

import assert from 'node:assert/strict';
import { writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

const WAITS = 'until [ -e "$HOME/go" ]; do sleep 0.02; done';

// All that a stream tells, as [event, data], when it has ended.
async function listen(url) {
  const response = await fetch(`${url}/api/v1/runs/current/events`);
  const events = response.text().then((text) => [...text.matchAll(/^event: (\w+)\nid: \S+\ndata: (.*)$/gm)].map(([, event, data]) => [event, JSON.parse(data)]));
  return { events };
}

async function openRun(t, script) {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', stage.map(script, ['a', 'b'])]);
  const url = await stage.url(controller);
  return { stage, controller, url };
}

test('every listener is told the verdict, whoever stands in the way', async (t) => {
  const { stage, controller, url } = await openRun(t, `${WAITS}; [ "$FUNKYTOWN_SPEC" = a ]`);
  const listeners = await Promise.all(Array.from({ length: 20 }, () => listen(url)));
  const stuck = connect(Number(new URL(url).port), '127.0.0.1');
  t.after(() => stuck.destroy());
  stuck.on('error', () => {});
  stuck.write('GET /results HTTP/1.1\r\nHost: local'); // and no more
  stage.worker();
  writeFileSync(join(stage.folder, 'go'), '');
  assert.equal(await controller.exit(20_000), 1);
  for (const { events } of listeners) {
    const told = await events;
    const [name, { seq, state, summary }] = told.at(-1);
    assert.deepEqual([name, state, summary.verdict, summary.counts.passed, summary.counts.failed], ['end', 'finished', 'failed', 1, 1]);
    assert.equal(told.at(-2)[1].seq, seq); // a delta, or the first that it was told
  }
});

test('SIGTERM: the run is said to be interrupted', async (t) => {
  const { stage, controller, url } = await openRun(t, WAITS);
  const { events } = await listen(url);
  stage.worker();
  await waitFor('a task to run', async () => (await stage.api(controller, '')).counts.running === 1);
  controller.kill('SIGTERM');
  assert.equal(await controller.exit(), 143);
  const [name, { state, summary }] = (await events).at(-1);
  assert.deepEqual([name, state, summary.state, summary.verdict], ['end', 'interrupted', 'running', null]);
});

test('a page elsewhere, whose name leads here, reads nothing', async (t) => {
  const { url } = await openRun(t, 'exit 0');
  const { port } = new URL(url);
  const answer = await new Promise((done, failed) => {
    const socket = connect(Number(port), '127.0.0.1');
    let text = '';
    socket.on('data', (bytes) => { text += bytes; });
    socket.on('end', () => done(text)).on('error', failed);
    socket.write(`GET /api/v1/runs/current/tasks HTTP/1.1\r\nHost: evil.example:${port}\r\nConnection: close\r\n\r\n`);
  });
  assert.match(answer, /^HTTP\/1\.1 421 /);
  assert.match(answer, /FUNKYTOWN_URL/);
});
