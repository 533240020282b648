// Bad input: one clear line, the documented exit status, nothing half-done.

import assert from 'node:assert/strict';
import { createServer } from 'node:http';
import { once } from 'node:events';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, waitFor } from './harness.mjs';

// Standard error without log lines.
function complaint(program) {
  return program.stderr.split('\n').filter((line) => line && !line.startsWith('ts='));
}

async function assertRefused(program, pattern, status = 2) {
  assert.equal(await program.exit(), status, program.output);
  assert.equal(complaint(program).length, 1, program.stderr);
  assert.match(complaint(program)[0], pattern);
}

test('bad spec maps name the place; nothing is written', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const task = { spec: 'a.spec.ts', viewports: ['desktop'], browsers: ['chrome'] };
  for (const [map, pattern] of [
    ['{"groups": [', /map\.json: line 1/],
    [{ groups: [] }, /groups: /],
    [{ groups: [{ name: 'g', tasks: [{ ...task, browsers: ['chrome', 3] }] }] }, /groups\[0\]\.tasks\[0\]\.browsers\[1\]: /],
    [{ groups: [{ name: 'g', tasks: [{ ...task, spec: '../a.spec.ts' }] }] }, /groups\[0\]\.tasks\[0\]\.spec: /],
    [{ groups: [{ name: 'g', tasks: [{ ...task, colour: 'red' }] }] }, /groups\[0\]\.tasks\[0\]\.colour: /],
    [{ groups: [{ name: 'g', tasks: [task, task] }] }, /groups\[0\]\.tasks\[1\]/],
    [{ groups: [{ name: 'g', runner: 'selenium', tasks: [task] }] }, /groups\[0\]\.runner: found "selenium", wanted one of cypress/],
  ]) {
    await assertRefused(stage.controller(['--once', stage.file('map.json', map)]), pattern);
  }
  await assertRefused(stage.controller(['--once', 'missing.json']), /missing\.json: No such file/);
  assert.deepEqual(await stage.redis('dbsize'), ['0']);
});

test('what nothing acts upon yet is refused, whatever it says', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const task = { spec: 'a', viewports: ['desktop'], browsers: ['chrome'] };
  const runner = { argv: ['true', '{specs...}'] };
  for (const [key, values] of [['tags', [['smoke'], []]], ['hedge', [true, false]]])
    for (const value of values) {
      const map = { runners: { r: runner }, groups: [{ name: 'g', runner: 'r', tasks: [task, { ...task, spec: 'b', [key]: value }] }] };
      await assertRefused(stage.controller(['--once', stage.file('map.json', map)]), new RegExp(`groups\\[0\\]\\.tasks\\[1\\]\\.${key}: not supported yet$`));
    }
  for (const [key, values] of [['artifacts', [['*.png']]], ['bundle', [true, false]]])
    for (const value of values) {
      const map = { runners: { r: { ...runner, [key]: value } }, groups: [{ name: 'g', runner: 'r', tasks: [task] }] };
      await assertRefused(stage.controller(['--once', stage.file('map.json', map)]), new RegExp(`runners\\.r\\.${key}: not supported yet$`));
    }
  assert.deepEqual(await stage.redis('dbsize'), ['0']);
});

test('a map without a task is never green', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = { groups: [{ name: 'g', tasks: [{ spec: 'a.spec.ts', viewports: ['mobile'], browsers: ['firefox'] }] }] };
  await assertRefused(stage.controller(['--once', stage.file('map.json', map)]), /found no task, wanted at least one/, 5);
  assert.deepEqual(await stage.redis('dbsize'), ['0']);
});

test('bad options name the option, the value and what is wanted', async (t) => {
  const stage = new Stage(t);
  stage.env = { REDIS_HOST: '127.0.0.1' };
  const map = stage.map('exit 0', ['a']);
  for (const [args, env, pattern] of [
    [['--lease-s', 'soon'], {}, /lease-s: found "soon", wanted a whole number from 1/],
    [[], { FUNKYTOWN_RETRIES: '-1' }, /FUNKYTOWN_RETRIES: found "-1"/],
    [[], { REDIS_PORT: '99999' }, /REDIS_PORT: found "99999", wanted a whole number from 1 to 65535/],
    [['--log-level', 'loud'], {}, /log-level: found "loud", wanted one of debug\|info\|warn\|error/],
    [['--colour'], {}, /--colour: no such option/],
    [['--run-id'], {}, /--run-id: a value is wanted/],
    [['other.json'], {}, /one argument too many/],
    [['--serve-failures'], {}, /--serve-failures: wanted together with --once/],
    [[], { FUNKYTOWN_PREFIX: 'x'.repeat(65) }, /FUNKYTOWN_PREFIX/],
  ])
    await assertRefused(stage.controller([map, ...args], env), pattern);
  await assertRefused(stage.worker({ FUNKYTOWN_SLOTS: '0' }), /FUNKYTOWN_SLOTS: found "0"/);
  await assertRefused(stage.worker({ SPEC_ROOT: 'nowhere' }), /SPEC_ROOT: found "nowhere", wanted a folder that exists/);
  await assertRefused(stage.worker({}, ['map.json']), /one argument too many/);
});

test('a busy port, a data folder in use, and no redis-server to embed', async (t) => {
  const stage = new Stage(t);
  const map = stage.map('exit 0', ['a']);
  const server = createServer().listen(0, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening');
  const port = String(server.address().port);
  await assertRefused(stage.controller([map, '--http-port', port]), new RegExp(`${port}.*in use`, 'i'));
  await assertRefused(stage.controller([map], { PATH: stage.specs }), /no redis-server or valkey-server in PATH/);
  const first = stage.controller([map]);
  await first.says(/report at/);
  await assertRefused(stage.controller([map]), /FUNKYTOWN_DATA_DIR: found "\.funkytown", which another controller uses/);
  first.kill();
  assert.equal(await first.exit(), 143);
});

test('port 3000, if nobody asked for it and it is taken, is the next free one', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('exit 0', ['a']);
  const server = createServer().listen(3000, '127.0.0.1');
  t.after(() => server.close());
  await once(server, 'listening').catch(() => {}); // somebody else has it already
  const start = (args, env) => stage.spawn('controller', join(stage.bin, 'controller'), [map, ...args], { ...stage.env, ...env });
  await assertRefused(start(['--http-port', '3000'], {}), /^controller: http port 3000 on 127\.0\.0\.1: address already in use$/);
  await assertRefused(start([], { FUNKYTOWN_HTTP_PORT: '3000' }), /^controller: http port 3000 on 127\.0\.0\.1: address already in use$/);
  const controller = start([], {});
  const [, port] = await controller.says(/^http: port 3000 is taken; listening on (30[01]\d)$/m);
  assert.equal(await stage.url(controller), `http://127.0.0.1:${port}`);
  assert.equal((await fetch(`http://127.0.0.1:${port}/livez`)).status, 200);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('a refused password ends both programs', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis(['--requirepass', 'right']);
  const map = stage.map('exit 0', ['a']);
  for (const env of [{}, { REDIS_PASSWORD: 'wrong' }]) {
    const controller = stage.controller([map], env);
    assert.equal(await controller.exit(), 2, controller.output);
    assert.match(controller.stderr, /NOAUTH|WRONGPASS|invalid password/);
    const worker = stage.worker(env);
    assert.equal(await worker.exit(), 2, worker.output);
    assert.match(worker.stderr, /NOAUTH|WRONGPASS|invalid password/);
  }
});

test('Redis that cannot be reached is waited for, and /readyz says it', async (t) => {
  const stage = new Stage(t);
  stage.env = { REDIS_HOST: 'no-such-host.invalid' };
  const controller = stage.controller([stage.map('exit 0', ['a'])]);
  await controller.says(/unknown host/);
  const address = await waitFor('the port', () => controller.output.match(/http:\/\/127\.0\.0\.1:\d+/));
  assert.equal((await fetch(`${address}/livez`)).status, 200);
  const ready = await fetch(`${address}/readyz`);
  assert.equal(ready.status, 503);
  assert.match(await ready.text(), /unknown host/);
  controller.kill();
  assert.equal(await controller.exit(), 143);
});

test('another plan or id while a run is alive is refused and touches nothing', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const first = stage.controller(['--run-id', 'r1', stage.map('exit 0', ['a'])]);
  await first.says(/report at/);
  const before = await stage.hash('funkytown:run');
  await assertRefused(stage.controller(['--once', '--run-id', 'r2', stage.map('exit 0', ['a'])]), /run r1 is alive/);
  await assertRefused(stage.controller(['--once', stage.map('exit 0', ['b'])]), /run r1 is alive/);
  assert.deepEqual(await stage.hash('funkytown:run'), before);
});

test('a finished run is served under its id, and replaced without one', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = stage.map('exit 1', ['a']);
  const first = stage.controller(['--once', '--run-id', 'r1', map]);
  stage.worker();
  assert.equal(await first.exit(), 1, first.output);
  const again = stage.controller(['--once', '--run-id', 'r1', map]);
  assert.equal(await again.exit(), 1, again.output);
  const next = stage.controller(['--once', map]);
  stage.worker();
  assert.equal(await next.exit(), 1, next.output);
  assert.notEqual((await stage.hash('runmeta')).runid, 'r1');
  const history = (await stage.redis('lrange', 'funkytown:history', '0', '-1')).map((line) => JSON.parse(line));
  assert.deepEqual(history.map((run) => [run.run_id, run.verdict]), [['r1', 'failed']]);
});

test('--help, --version and --print-config', async (t) => {
  const stage = new Stage(t);
  for (const program of ['controller', 'worker']) {
    const help = stage[program](...(program === 'controller' ? [['--help']] : [{}, ['--help']]));
    assert.equal(await help.exit(), 0);
    assert.match(help.stdout, /--redis-host \(REDIS_HOST\)/);
    const version = stage[program](...(program === 'controller' ? [['--version']] : [{}, ['--version']]));
    assert.equal(await version.exit(), 0);
    assert.match(version.stdout, new RegExp(`^${program} \\d+\\.\\d+\\.\\d+\n$`));
  }
  const config = stage.controller(['--print-config', '--retries', '2'], { REDIS_PASSWORD: 'geheim', REDIS_PORT: '7000' });
  assert.equal(await config.exit(), 0);
  assert.match(config.stdout, /^FUNKYTOWN_RETRIES=2 \(flag\)$/m);
  assert.match(config.stdout, /^REDIS_PORT=7000 \(environment\)$/m);
  assert.match(config.stdout, /^FUNKYTOWN_LEASE_S=15 \(default\)$/m);
  assert.match(config.stdout, /^REDIS_PASSWORD=\*+ \(environment\)$/m);
  assert.ok(!config.output.includes('geheim'));
});

test('names in Redis that nobody can have crash nobody', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const long = 'x'.repeat(600);
  const controller = stage.controller(['--lease-s', '1', stage.map('until [ -e "$HOME/go" ]; do sleep 0.1; done', ['a', 'b'])]);
  await controller.says(/report at/);
  await waitFor('the run to be open', async () => (await stage.hash('runmeta')).finished === '0');
  await stage.redis('rpush', 'taskqueue', `task:${long}:0`, 'task:g:9', 'no task', '');
  await stage.redis('zadd', 'funkytown:workers', '1', long);
  await stage.redis('rpush', `funkytown:processing:${long}`, long);
  const worker = stage.worker({ FUNKYTOWN_LOG_LEVEL: 'debug' });
  await waitFor('the dead one to be buried', async () => (await stage.redis('zscore', 'funkytown:workers', long))[0] === '');
  stage.file('go', '');
  await controller.says(/^passed: 2\/2/m);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.deepEqual(await stage.redis('llen', 'taskqueue'), ['0']);
});
