// From spec map to verdict: the way of a run when nothing goes wrong, and when specs fail.

import assert from 'node:assert/strict';
import { test } from 'node:test';
import { join } from 'node:path';
import { freePort, isAlive, Stage, waitFor } from './harness.mjs';

const ORIGINAL = [
  ['search', 'album_label_search.spec.ts', ['desktop', 'mobile'], ['chrome', 'firefox', 'webkit']],
  ['search', 'kids_clothing_search.spec.ts', ['mobile'], ['chrome', 'webkit']],
  ['stores', 'find_a_store.spec.ts', ['desktop', 'mobile'], ['chrome', 'firefox', 'webkit']],
];

// The map that the tool was first written for, with a runner that needs no browser.
function originalMap(stage) {
  const groups = [];
  for (const [name, spec, viewports, browsers] of ORIGINAL) {
    let group = groups.find((g) => g.name === name);
    if (!group) groups.push((group = { name, tasks: [] }));
    group.tasks.push({ spec, viewports, browsers });
  }
  return stage.file('map.json', { runners: { playwright: { argv: ['true'] } }, groups });
}

test('the original map gives 12 tasks under the original keys', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = originalMap(stage);
  const controller = stage.controller(['--once', map]);
  await waitFor('runmeta', async () => (await stage.redis('exists', 'runmeta'))[0] === '1');
  const meta = await stage.hash('runmeta');
  assert.deepEqual(Object.keys(meta).sort(), ['finished', 'runid', 'tasksfinished', 'tasksremaining']);
  assert.match(meta.runid, /^run-\d{8}T\d{6}Z-[0-9a-f]{6}$/);
  assert.deepEqual([meta.tasksremaining, meta.tasksfinished, meta.finished], ['12', '0', '0']);
  const keys = (await stage.redis('keys', 'task:*')).sort();
  const wanted = [...Array(7).keys()].map((i) => `task:search:${i}`).concat([...Array(5).keys()].map((i) => `task:stores:${i}`));
  assert.deepEqual(keys, wanted.sort());
  assert.equal((await stage.redis('lrange', 'taskqueue', '-1', '-1'))[0], 'task:search:0');
  assert.deepEqual(await stage.hash('task:search:3'), {
    key: 'task:search:3', spec: 'album_label_search.spec.ts', viewport: 'mobile', browser: 'chrome', status: 'waiting',
    result: 'unknown', starttime: '0', duration: '0', durationstring: '0s', runner: 'playwright', attempt: '0', worker: '',
    flaky: '0', reason: '',
  });

  const worker = stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  const end = await stage.hash('runmeta');
  assert.deepEqual([end.tasksremaining, end.tasksfinished, end.finished], ['0', '12', '1']);
  for (const key of wanted) {
    const task = await stage.hash(key);
    assert.deepEqual([task.status, task.result, task.attempt, task.flaky, task.reason], ['complete', 'passed', '1', '0', '']);
    assert.ok(Number(task.starttime) > 1.7e9 && Number(task.duration) > 0);
    assert.equal(task.durationstring, `${Math.floor(Number(task.duration) / 1e9)}s`);
  }
});

test('workers may start before the controller, with the environment alone', async (t) => {
  const stage = new Stage(t);
  const port = await freePort();
  const env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(port) };
  const worker = stage.worker(env);
  await worker.says(/redis.waiting.*refused/);
  await stage.startRedis([], port);
  await worker.says(/run.waiting/);
  const controller = stage.controller(['--once'], { GROUP_TASKS_FILE: originalMap(stage) });
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
});

test('one command with an embedded Redis, and nothing is left alive', async (t) => {
  const stage = new Stage(t);
  const map = stage.map('echo "$PPID" >>"$HOME/parents"', ['a', 'b', 'c', 'd']);
  const port = await freePort();
  const controller = stage.controller(['--once', '--workers', '2', '--redis-port', String(port), map], { SPEC_ROOT: stage.specs });
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(stage.lines('parents').length, 4);
  for (const pid of stage.lines('parents')) assert.ok(!isAlive(pid));
  await assert.rejects(stage.redis.call({ redisPort: port }, 'ping'));
});

test('a failing test is told in the terminal, in the API and by the exit status', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const events = [
    { event: 'test', spec: 'b', title: ['cart', 'adds'], status: 'passed', duration_ms: 5 },
    { event: 'test', spec: 'b', title: ['cart', 'removes'], status: 'failed', duration_ms: 7, file: 'tests/b.spec.ts', line: 42,
      error: { message: 'expected \u001b[31m2\u001b[0m\nreceived 3', stack: 'at b' } },
    { event: 'spec', spec: 'b', status: 'failed', duration_ms: 12 },
  ].map((line) => JSON.stringify(line)).join('\n');
  stage.file('events.ndjson', `${events}\n`);
  const map = stage.map('[ "$FUNKYTOWN_SPEC" = a ] && exit 0; cat "$HOME/events.ndjson" >"$FUNKYTOWN_EVENTS"; echo seen; exit 1', ['a', 'b']);
  const controller = stage.controller([map]);
  stage.worker();
  await controller.says(/^failed: /m);
  assert.match(controller.stdout, /^✗ g › b \[desktop chrome\] \S+: expected 2$/m);
  assert.match(controller.stdout, new RegExp(['^1 cause, 1 test in 1 task:', '✗ expected 2', '    received 3', '    at tests/b\\.spec\\.ts:42',
    '    1 test in 1 task: cart › removes', '      g › b \\[desktop chrome\\]', 'slowest:$'].join('\n'), 'm'));
  assert.equal(controller.stdout.match(/^✗/gm).length, 2, 'as it ended, and its cause');
  const summary = await stage.api(controller, '');
  assert.equal(summary.verdict, 'failed');
  assert.equal(summary.counts.passed, 1);
  assert.equal(summary.counts.failed, 1);
  assert.deepEqual(summary.tests, { passed: 1, failed: 1, skipped: 0, flaky: 0 });
  const task = await stage.api(controller, '/tasks/task:g:1');
  assert.equal(task.status, 'failed');
  assert.equal(task.attempts.length, 1);
  assert.equal(task.attempts[0].outcome, 'failed');
  assert.equal(task.attempts[0].tests[1].error.message.includes('received 3'), true);
  assert.equal(task.attempts[0].tests[1].line, 42);
  const log = await fetch(`${await stage.url(controller)}/api/v1/runs/current/tasks/task:g:1/attempts/1/log`);
  assert.equal(await log.text(), 'seen\n');
  controller.kill('SIGTERM');
  assert.equal(await controller.exit(), 143);
});

test('the exit status says what the run was', async (t) => {
  for (const [script, status, verdict] of [['exit 1', 1, 'failed'], ['exit 9', 3, 'error'], ['kill -9 $$', 3, 'error'], ['exit 0', 0, 'passed']]) {
    const stage = new Stage(t);
    await stage.startRedis();
    const controller = stage.controller(['--once', stage.map(script, ['a'])]);
    stage.worker();
    assert.equal(await controller.exit(), status, `${script}: ${controller.output}`);
    assert.match(controller.stdout, new RegExp(`^${verdict}: 1/1`, 'm'));
  }
});

test('failed and error together are failed', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', stage.map('[ "$FUNKYTOWN_SPEC" = a ] && exit 1; exit 7', ['a', 'b'])]);
  stage.worker();
  assert.equal(await controller.exit(), 1);
});

test('why an attempt ended in an error is told in words', async (t) => {
  for (const [map, reason] of [
    [(stage) => stage.map('exit 127', ['a']), /^exit 127/],
    [(stage) => stage.map('kill -9 $$', ['a']), /^signal 9/],
    [(stage) => stage.file('map.json', { runners: { r: { argv: ['no-such-program-here'] } }, groups: [{ name: 'g', runner: 'r', tasks: [{ spec: 'a', viewports: ['desktop'], browsers: ['chrome'] }] }] }), /^exit 127: cannot start no-such-program-here: it is not in the worker's PATH;/],
    [(stage) => stage.file('map.json', { runners: { r: { argv: ['cat', '{spec}'] } }, groups: [{ name: 'g', runner: 'r', tasks: [{ spec: 'missing.sh', viewports: ['desktop'], browsers: ['chrome'] }] }] }), /^no such spec/],
    [(stage) => stage.map('exec tail -f /dev/null', ['a'], { groups: [{ name: 'g', runner: 'script', tasks: [{ spec: 'a', viewports: ['desktop'], browsers: ['chrome'], timeout_s: 1 }] }] }), /timeout/],
  ]) {
    const stage = new Stage(t);
    await stage.startRedis();
    const controller = stage.controller(['--once', map(stage)]);
    const worker = stage.worker();
    assert.equal(await controller.exit(), 3, controller.output + worker.output);
    const task = await stage.hash('task:g:0');
    assert.equal(task.result, 'error');
    assert.match(task.reason, reason);
  }
});

test('a runner gets the contract’s variables, none of our secrets, descriptors or folders', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis(['--requirepass', 'geheim']);
  const map = stage.map('env >"$HOME/env"; ls /proc/self/fd >"$HOME/fds"; pwd >"$HOME/cwd"; echo x >"$TMPDIR/left"; ps -o sid= -p $$ >"$HOME/sid"; echo $$ >"$HOME/pid"', ['sub/a']);
  const secret = { REDIS_PASSWORD: 'geheim' };
  const controller = stage.controller(['--once', '--run-id', 'r1', map], secret);
  const worker = stage.worker({ ...secret, FUNKYTOWN_TOKEN: 'tok', FUNKYTOWN_WORKER_ID: 'w1' });
  assert.equal(await controller.exit(), 0, controller.output + worker.output);
  await worker.exit();
  const env = Object.fromEntries(stage.lines('env').map((line) => [line.split('=')[0], line.slice(line.indexOf('=') + 1)]));
  assert.equal(env.FUNKYTOWN_RUN_ID, 'r1');
  assert.equal(env.FUNKYTOWN_TASK, 'task:g:0');
  assert.equal(env.FUNKYTOWN_ATTEMPT, '1');
  assert.equal(env.FUNKYTOWN_SPEC, 'sub/a');
  assert.equal(env.FUNKYTOWN_VIEWPORT, 'desktop');
  assert.equal(env.FUNKYTOWN_BROWSER, 'chrome');
  assert.equal(env.FUNKYTOWN_WIDTH, '1280');
  assert.equal(env.FUNKYTOWN_HEIGHT, '720');
  assert.equal(env.FUNKYTOWN_MOBILE, '0');
  assert.ok(env.FUNKYTOWN_EVENTS && env.FUNKYTOWN_ARTIFACTS);
  assert.ok(!JSON.stringify(env).includes('geheim') && !('FUNKYTOWN_TOKEN' in env));
  assert.deepEqual(stage.lines('fds').slice(0, 3), ['0', '1', '2']);
  assert.ok(stage.lines('fds').length <= 4, 'ls itself has one open');
  assert.equal(stage.lines('cwd')[0], stage.specs);
  assert.equal(stage.lines('sid')[0].trim(), stage.lines('pid')[0]);
  assert.equal((await stage.hash('task:g:0').catch(() => ({}))).worker ?? 'w1', 'w1');
  await waitFor('the temporary folder to be gone', () => !isAlive(worker.pid));
  assert.rejects(import('node:fs/promises').then((fs) => fs.access(env.TMPDIR)));
});

test('the token for writes stays with the controller', async (t) => {
  const stage = new Stage(t);
  const map = stage.map('env >"$HOME/env"; tr "\\0" "\\n" <"/proc/$PPID/environ" >>"$HOME/env"', ['a']);
  const port = String(await freePort());
  const controller = stage.controller(['--once', '--workers', '1', '--redis-port', port, map],
    { SPEC_ROOT: stage.specs, FUNKYTOWN_TOKEN: 'geheim', FUNKYTOWN_LOG_LEVEL: 'debug' });
  assert.equal(await controller.exit(), 0, controller.output);
  assert.ok(stage.lines('env').includes('FUNKYTOWN_TASK=task:g:0'));
  assert.ok(!stage.lines('env').join().includes('geheim'));
  assert.ok(!controller.output.includes('geheim'));
});

test('bare names are found below the root; several matches are named', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  stage.file('specs/deep/one.sh', 'exit 0\n');
  stage.file('specs/a/two.sh', 'exit 0\n');
  stage.file('specs/b/two.sh', 'exit 0\n');
  stage.file('specs/node_modules/one.sh', 'exit 1\n');
  const tasks = ['one.sh', 'two.sh'].map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
  const map = stage.file('map.json', { runners: { sh: { argv: ['sh', '{spec}'] } }, groups: [{ name: 'g', runner: 'sh', tasks }] });
  const controller = stage.controller(['--once', map]);
  stage.worker();
  assert.equal(await controller.exit(), 3);
  assert.equal((await stage.hash('task:g:0')).result, 'passed');
  const two = await stage.hash('task:g:1');
  assert.equal(two.result, 'error');
  assert.match(two.reason, /a\/two\.sh/);
  assert.match(two.reason, /b\/two\.sh/);
});

test('a failed attempt is tried again when retries are allowed, and a pass then is flaky', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', '--retries', '1', stage.map('[ "$FUNKYTOWN_ATTEMPT" = 2 ]', ['a'])]);
  stage.worker();
  assert.equal(await controller.exit(), 0, controller.output);
  assert.match(controller.stdout, /1 flaky/);
  const task = await stage.hash('task:g:0');
  assert.deepEqual([task.result, task.flaky, task.attempt], ['passed', '1', '2']);
});

test('several slots run side by side', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  // Each waits for the other: with one slot this would never end.
  const script = 'touch "$HOME/$FUNKYTOWN_SPEC"; until [ -e "$HOME/a" ] && [ -e "$HOME/b" ]; do :; done';
  const controller = stage.controller(['--once', stage.map(script, ['a', 'b'])]);
  stage.worker({ FUNKYTOWN_SLOTS: '2' });
  assert.equal(await controller.exit(), 0, controller.output);
});

test('on a narrow terminal the progress line stays one line, and what specs say is harmless', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  stage.file('events.ndjson', `${JSON.stringify({ event: 'test', title: ['evil\u001b[2J\u0007'], status: 'failed', duration_ms: 1, error: { message: 'a\u001b]0;title\u0007b' } })}\n`);
  stage.file('tick', '\n');
  const map = stage.map('cat "$HOME/events.ndjson" >"$FUNKYTOWN_EVENTS"; until [ -e "$HOME/go" ]; do read -r _ <"$HOME/tick" || :; done; exit 1', ['a']);
  const controller = stage.controllerOnTerminal(30, ['--once', map], { FUNKYTOWN_LOG_LEVEL: 'error' });
  const worker = stage.worker();
  await controller.says(/1 running/);
  stage.file('go', '');
  assert.equal(await controller.exit(), 1, controller.output + worker.output);
  const lines = [...controller.stdout.matchAll(/\r\u001b\[2K([^\r\n]*0\/1[^\r\n]*)/g)].map((match) => match[1]);
  assert.ok(lines.length > 0, controller.stdout);
  for (const line of lines) assert.ok([...line.replace(/\u001b\[[0-9;]*[mK]/g, '')].length < 30, JSON.stringify(line));
  const plain = controller.stdout.replace(/\u001b\[[0-9;]*[mK]/g, '');
  assert.ok(!/[\u001b\u0007]/.test(plain), JSON.stringify(plain));
  assert.match(plain, /evil/);
});

test('colours and the line that redraws itself are for terminals that can have them, and for who wants them', async (t) => {
  const colour = /\u001b\[[0-9;]*m/, redrawn = /\r\u001b\[2K/;
  for (const [env, hasColour, isRedrawn] of [
    [{}, true, true],
    [{ NO_COLOR: '1' }, false, true],
    [{ NO_COLOR: '' }, true, true],
    [{ TERM: 'dumb' }, false, false],
    [{ CI: 'true' }, true, false],
    [{ CI: 'true', NO_COLOR: '1' }, false, false],
  ]) {
    const stage = new Stage(t);
    await stage.startRedis();
    const controller = stage.controllerOnTerminal(80, ['--once', stage.map('[ "$FUNKYTOWN_SPEC" = a ]', ['a', 'b'])], env);
    if (isRedrawn) await controller.says(/no worker yet/);
    stage.worker();
    assert.equal(await controller.exit(), 1, controller.output);
    assert.deepEqual([colour.test(controller.stdout), redrawn.test(controller.stdout)], [hasColour, isRedrawn], JSON.stringify([env, controller.stdout]));
  }
});

test('a task that waits to be tried again is not reported, and a flaky one is in a list of its own', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const controller = stage.controller(['--once', '--retries', '1', stage.map('[ "$FUNKYTOWN_SPEC$FUNKYTOWN_ATTEMPT" = a2 ]', ['a', 'b'])]);
  stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  assert.deepEqual(controller.stdout.match(/^[✗≈] g › .*$/gm).map((line) => line.replace(/ \d+m?s/, '')).sort(),
    ['≈ g › a [desktop chrome], attempt 2', '✗ g › b [desktop chrome], attempt 2: exit 1']);
  assert.match(controller.stdout, /^1 cause, 1 task:\n✗ exit 1\n {4}1 task\n {6}g › b \[desktop chrome\]\nflaky:\n {2}≈ g › a \[desktop chrome\] \S+, attempt 2\nslowest:$/m);
});

test('FUNKYTOWN_URL is the address that people are told', async (t) => {
  for (const url of ['https://ci.example/funkytown', 'https://ci.example/funkytown/']) {
    const stage = new Stage(t);
    await stage.startRedis();
    const controller = stage.controller(['--once', stage.map('exit 0', ['a'])], { FUNKYTOWN_URL: url });
    stage.worker();
    assert.equal(await controller.exit(), 0, controller.output);
    assert.match(controller.stdout, /^funkytown .* report at https:\/\/ci\.example\/funkytown\/results$/m);
  }
});

test('two runs under two prefixes share a Redis', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('exit 0', ['a', 'b']);
  const ends = ['{one}:', 'two:'].map(async (prefix) => {
    const controller = stage.controller(['--once', '--prefix', prefix, map]);
    const worker = stage.worker({ FUNKYTOWN_PREFIX: prefix });
    return [await controller.exit(), await worker.exit()];
  });
  assert.deepEqual(await Promise.all(ends), [[0, 0], [0, 0]]);
  assert.equal((await stage.hash('{one}:runmeta')).tasksfinished, '2');
  assert.equal((await stage.hash('two:runmeta')).tasksfinished, '2');
  for (const key of await stage.redis('keys', '*')) assert.match(key, /^(\{one\}:|two:)/);
});

test('the snapshot shows every task as it ended', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('exit 0', [...Array(300).keys()].map(String));
  const controller = stage.controller([map]);
  stage.worker({ FUNKYTOWN_SLOTS: '4', FUNKYTOWN_LOG_LEVEL: 'warn' });
  await controller.says(/^passed: 300\/300/m);
  const snapshot = await stage.api(controller, '/snapshot');
  assert.equal(snapshot.tasks.status.length, 300);
  assert.ok(snapshot.tasks.status.every((status) => status === 2));
});
