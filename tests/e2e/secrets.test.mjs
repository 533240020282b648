// Passwords and the token: who gets them, and who doesn't.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { Stage, isAlive, waitFor } from './harness.mjs';

const PASSWORD = 'a "word" #1';
const read = (pid, name) => readFileSync(`/proc/${pid}/${name}`, 'latin1').split('\0');
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
const named = (pids, name) => pids.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name);

test('what flags tell the controller reaches its workers, by environment and not by command line', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis(['--requirepass', PASSWORD]);
  const { REDIS_PORT } = stage.env;
  stage.env = { SPEC_ROOT: stage.specs };
  const map = stage.map('until [ -e "$HOME/go" ]; do sleep 0.02; done', ['a', 'b']);
  const controller = stage.controller([
    '--once', '--workers', '2', '--redis-host', '127.0.0.1', '--redis-port', REDIS_PORT, '--redis-username', 'default',
    '--redis-password', PASSWORD, '--redis-db', '3', '--prefix', 'p:', '--log-format', 'json', '--log-level', 'info', map,
  ]);
  await waitFor(() => `two tasks that run:\n${controller.output}`, () => controller.stderr.match(/"event":"task.claimed"/g)?.length === 2);
  const workers = named(children(controller.pid), 'worker');
  assert.equal(workers.length, 2);
  assert.ok(!read(controller.pid, 'cmdline').join(' ').includes(PASSWORD));
  for (const pid of workers) assert.equal(read(pid, 'cmdline').filter(Boolean).length, 1, 'its name and nothing else');
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
});

test("the embedded server's password is in nobody's command line, and in no environment that it inherits", async (t) => {
  const stage = new Stage(t);
  const controller = stage.controller(['--once', '--workers', '1', stage.map('until [ -e "$HOME/go" ]; do sleep 0.02; done', ['a'])],
    { REDIS_PASSWORD: PASSWORD, REDIS_USERNAME: 'somebody', FUNKYTOWN_TOKEN: 't'.repeat(20), SPEC_ROOT: stage.specs });
  await controller.says(/report at/);
  await waitFor('the worker', () => named(children(controller.pid), 'worker').length === 1);
  const [server] = named(children(controller.pid), 'redis-server');
  const [worker] = named(children(controller.pid), 'worker');
  for (const text of [read(server, 'cmdline'), read(worker, 'cmdline'), read(server, 'environ')].flat())
    for (const secret of [PASSWORD, 'somebody', 't'.repeat(20)]) assert.ok(!text.includes(secret), text);
  assert.ok(!read(worker, 'environ').some((text) => text.includes('t'.repeat(20))), 'a worker has no token');
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
});

// As root nothing is closed, so then the programs run as somebody else.
const NOBODY = '65534';

class UnprivilegedStage extends Stage {
  constructor(t) {
    super(t);
    for (const name of ['controller', 'worker']) {
      mkdirSync(join(this.folder, 'bin'), { recursive: true });
      copyFileSync(join(this.bin, name), join(this.folder, 'bin', name));
    }
    this.bin = join(this.folder, 'bin');
  }

  spawn(name, file, args, env) {
    if (process.getuid() !== 0) return super.spawn(name, file, args, env);
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, this.folder]);
    return super.spawn(name, 'setpriv', ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--', file, ...args], env);
  }
}

test('a spec can look into none of our processes, though it runs as the same user; it can of others', async (t) => {
  const stage = new UnprivilegedStage(t);
  const script = `
    parent() { while read -r name value _; do [ "$name" != PPid: ] || echo "$value"; done <"/proc/$1/status"; }
    worker=$(parent $PPID) controller=$(parent "$(parent $PPID)")
    look() { for file in environ maps mem auxv; do head -c 1 "/proc/$2/$file" >/dev/null 2>&1 && echo "$1 $file"; done; }
    { look supervisor $PPID; look worker "$worker"; look controller "$controller"; } >"$HOME/open"
    tail -f /dev/null & echo $! >"$HOME/stray"
    look stray $! >>"$HOME/open"
    for pid in $(cat "/proc/$controller/task/$controller/children") "$controller" "$worker" $PPID $$; do
      tr '\\0' '\\n' <"/proc/$pid/environ"; tr '\\0' '\\n' <"/proc/$pid/cmdline"
    done >"$HOME/readable" 2>/dev/null
    exit 0`;
  const secrets = ['PASSWORD-of-this-test', 'TOKEN-of-this-test-0001'];
  const controller = stage.controller(['--once', '--workers', '1', stage.map(script, ['a', 'b'])],
    { REDIS_PASSWORD: secrets[0], FUNKYTOWN_TOKEN: secrets[1], SPEC_ROOT: stage.specs });
  assert.equal(await controller.exit(), 0, controller.output);
  assert.deepEqual(stage.lines('open'), ['stray environ', 'stray maps', 'stray auxv'], 'what it may look into');
  assert.ok(stage.lines('readable').some((line) => line.startsWith('FUNKYTOWN_TASK=')), 'it did look');
  for (const secret of secrets) assert.ok(!stage.lines('readable').some((line) => line.includes(secret)));
  // And what it leaves behind is found and ended all the same.
  const [stray] = stage.lines('stray');
  await waitFor('the end of what a spec left behind', () => !isAlive(stray));
});
