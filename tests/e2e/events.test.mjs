// What a runner says and nobody can read never becomes a pass: from the FIFO to the verdict and the API.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { Stage } from './harness.mjs';

const passed = '{"event":"test","title":["t"],"status":"passed"}\n{"event":"spec","status":"passed"}\n';
const failed = (more = '') => `{"event":"test","title":["t"],"status":"failed","error":{"message":"boom${more}"}}`;

// Each runner writes these bytes and exits 0: [what, bytes, status, reason, unreadable lines].
const CASES = [
  ['whole', passed, 'passed', '', 0],
  ['empty-lines', `\n \r\n${passed}\n\n`, 'passed', '', 0],
  ['too-long', `${failed('x'.repeat(300_000))}\n${passed}`, 'error', /^1 event line can't be read: \{"event":"test","title":\["t"\],"status":"failed"/, 1],
  ['no-word-of-ours', `{"event":"test","title":["t"],"status":"timedOut"}\n${passed}`, 'error',
    /^1 event line can't be read: \{"event":"test","title":\["t"\],"status":"timedOut"\}$/, 1],
  ['no-event-of-ours', `{"event":"tests","status":"failed"}\n${passed}`, 'error', /^1 event line can't be read/, 1],
  ['glued', `garbage${failed()}\n${passed}${failed()}${passed}`, 'error', /^2 event lines can't be read, the first: garbage\{"event"/, 2],
  ['cut-off', `${passed}{"event":"test","title":["t"],"status":"fai`, 'error', /^1 event line can't be read: \{"event":"test","title":\["t"\],"status":"fai$/, 1],
  ['after-nul', `${passed.slice(0, -1)}\0${failed()}\n${passed}`, 'error', /^1 event line can't be read/, 1],
  ['said-twice', `{"event":"test","status":"passed","status":"failed"}\n${passed}`, 'error', /^1 event line can't be read/, 1],
  ['not-json-alone', 'hello\n', 'error', /^1 event line can't be read: hello$/, 1],
  ['failed-all-the-same', `${failed()}\nhello\n{"event":"spec","status":"failed"}\n`, 'failed', '', 1],
  ['failed-after-its-spec', `${passed}${failed()}\n`, 'failed', '', 0],
  ['of-another-spec', passed.replaceAll('{"event"', '{"spec":"other","event"'), 'error', /^no test of "of-another-spec" was run: the events are of "other"$/, 0],
  ['named-by-its-path', passed.replaceAll('{"event"', '{"spec":"./named-by-its-path","event"'), 'passed', '', 0],
];

test('events that cannot be read, and events of another spec, make no pass', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  for (const [name, bytes] of CASES) stage.file(`events/${name}`, bytes);
  const map = stage.map('cat "$HOME/events/$FUNKYTOWN_SPEC" >"$FUNKYTOWN_EVENTS"', CASES.map(([name]) => name));
  const controller = stage.controller([map]);
  stage.worker();
  await controller.says(/^failed: /m);
  for (const [i, [name, , status, reason, unreadable]] of CASES.entries()) {
    const task = await stage.api(controller, `/tasks/task:g:${i}`);
    const [attempt] = task.attempts;
    assert.equal(task.status, status, `${name}: ${attempt.reason}`);
    if (reason instanceof RegExp) assert.match(attempt.reason, reason, name);
    else assert.equal(attempt.reason, reason, name);
    assert.equal(attempt.unreadable_lines, unreadable, name);
    assert.equal('unreadable_sample' in attempt, unreadable > 0, name);
  }
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('events in a file that a spec put in the place of the FIFO are not read: no pass', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('rm "$FUNKYTOWN_EVENTS"; [ "$FUNKYTOWN_SPEC" = gone ] || echo \'{"event":"spec","status":"failed"}\' >"$FUNKYTOWN_EVENTS"', ['gone', 'written']);
  const controller = stage.controller([map]);
  stage.worker();
  await controller.says(/^error: /m);
  assert.equal((await stage.api(controller, '/tasks/task:g:0')).status, 'passed');
  const task = await stage.api(controller, '/tasks/task:g:1');
  assert.equal(task.status, 'error');
  assert.match(task.attempts[0].reason, /^1 event line can't be read: written to a file in the place of the FIFO/);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('a runner that is given the reporter or the events, in argv or in env, and stays silent has run no test', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const runners = {
    'reporter-argv': { argv: ['true', '{reporter}'] },
    'reporter-env': { argv: ['true'], env: { PW_TEST_REPORTER: '{reporter}' } },
    'events-argv': { argv: ['true', '--events={events}'] },
    'events-env': { argv: ['true'], env: { OUT: '{events}' } },
    'neither': { argv: ['true', '${reporter}'], env: { A: '${events}' } },
  };
  const names = Object.keys(runners);
  const tasks = names.map((name) => ({ spec: name, runner: name, viewports: ['desktop'], browsers: ['chrome'] }));
  const controller = stage.controller([stage.file('map.json', { runners, groups: [{ name: 'g', tasks }] })]);
  stage.worker();
  await controller.says(/^error: /m);
  for (const [i, name] of names.entries()) {
    const [attempt] = (await stage.api(controller, `/tasks/task:g:${i}`)).attempts;
    assert.deepEqual([attempt.outcome, attempt.reason], name === 'neither' ? ['passed', ''] : ['error', 'no test was run'], name);
  }
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('of a runner that ends before it can tell anything the last error line of its output is the reason', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const script = "printf 'Starting\\n\\033[31mError: no project \"mosaic\"\\033[0m\\n    at a:1\\n' >&2; exit 1";
  const runners = { mute: { argv: ['sh', '-c', script], env: { OUT: '{events}' } } };
  const tasks = [{ spec: 'a', runner: 'mute', viewports: ['desktop'], browsers: ['chrome'] }];
  const controller = stage.controller(['--once', stage.file('map.json', { runners, groups: [{ name: 'g', tasks }] })]);
  stage.worker();
  assert.equal(await controller.exit(), 3, controller.output);
  assert.match(controller.stdout, /exit 1 and no test was run: Error: no project "mosaic"\n/);
});

test('attachments and test records that are not kept are counted', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const attached = '{"event":"test","title":["t"],"status":"passed","attachments":[{"name":"a","path":"/a"},{"name":"b","path":"/b"}]}\n';
  stage.file('events.ndjson', attached.repeat(6000) + passed);
  const controller = stage.controller([stage.map('cat "$HOME/events.ndjson" >"$FUNKYTOWN_EVENTS"', ['a'])]);
  stage.worker();
  await controller.says(/^passed: /m);
  const [attempt] = (await stage.api(controller, '/tasks/task:g:0')).attempts;
  assert.equal(attempt.attachments_dropped, 12_000);
  assert.ok(attempt.tests_dropped > 0);
  assert.equal(attempt.tests.length + attempt.tests_dropped, 6001);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});
