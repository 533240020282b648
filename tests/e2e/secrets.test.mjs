// Passwords and the token: who gets them, and who doesn't.

import assert from 'node:assert/strict';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { isAlive, Stage, UnprivilegedStage, waitFor } from './harness.mjs';

const PASSWORD = 'a "word" #1';
const read = (pid, name) => readFileSync(`/proc/${pid}/${name}`, 'latin1').split('\0');
const children = (pid) => readFileSync(`/proc/${pid}/task/${pid}/children`, 'utf8').split(' ').filter(Boolean);
// Of a process that is closed to us there is nothing to see.
const environ = (pid) => {
  try {
    return read(pid, 'environ');
  } catch (error) {
    if (error.code !== 'EACCES') throw error;
    return [];
  }
};
const named = (pids, name) => pids.filter((pid) => readFileSync(`/proc/${pid}/comm`, 'utf8').trim() === name);

test('what flags tell the controller reaches its workers: by environment, the password not even by that', async (t) => {
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
  for (const pid of workers) {
    assert.equal(read(pid, 'cmdline').filter(Boolean).length, 1, 'its name and nothing else');
    assert.ok(!environ(pid).join(' ').includes(PASSWORD));
  }
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
  for (const text of environ(worker))
    for (const secret of [PASSWORD, 't'.repeat(20)]) assert.ok(!text.includes(secret), text);
  stage.file('go', '');
  assert.equal(await controller.exit(), 0, controller.output);
});

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

// Each worker that is started can be looked into until it has closed itself. `seen` are those moments.
const PEEPER = `
import { appendFileSync, existsSync, readFileSync, writeFileSync } from 'node:fs';
const home = process.env.HOME, parent = (pid) => Number(readFileSync('/proc/' + pid + '/stat', 'latin1').split(') ')[1].split(' ')[1]);
const own = parent(process.ppid), controller = parent(own);
const workers = () => readFileSync('/proc/' + controller + '/task/' + controller + '/children', 'utf8').split(' ').map(Number).filter(Boolean);
const look = (pid, file) => { try { return readFileSync('/proc/' + pid + '/' + file, 'latin1'); } catch { return ''; } };
writeFileSync(home + '/spared', String(own));
while (!existsSync(home + '/enough'))
  for (const pid of workers()) {
    const found = look(pid, 'environ') + look(pid, 'cmdline');
    if (found.includes('SPEC_ROOT=')) appendFileSync(home + '/seen', pid + ' ' + found.includes('PASSWORD-of-this-test') + '\\n');
  }`;

// Kills its fellow workers, but for that of the other spec, again and again.
const KILLER = `
parent() { read -r _ _ _ value _ <"/proc/$1/stat"; echo "$value"; }
own=$(parent $PPID) controller=$(parent "$own") kills=0
until [ -e "$HOME/spared" ]; do sleep 0.05; done
while [ "$kills" -lt 200 ] && [ "$(sort -u "$HOME/seen" 2>/dev/null | wc -l)" -lt 3 ]; do
  for pid in $(cat "/proc/$controller/task/$controller/children"); do
    [ "$pid" = "$own" ] || [ "$pid" = "$(cat "$HOME/spared")" ] || kill -9 "$pid"
    kills=$((kills + 1))
  done
  sleep 0.3
done
touch "$HOME/enough"`;

test('a spec that looks again and again, while another one kills workers, sees no password', async (t) => {
  const stage = new UnprivilegedStage(t);
  const password = 'PASSWORD-of-this-test';
  await stage.startRedis(['--requirepass', password]);
  const peeper = stage.file('peeper.mjs', PEEPER);
  const map = stage.map(`case "$FUNKYTOWN_SPEC" in peep) exec "${process.execPath}" "${peeper}";; esac\n${KILLER}`, ['peep', 'kill']);
  const controller = stage.controller(['--once', '--workers', '4', map], { REDIS_PASSWORD: password, SPEC_ROOT: stage.specs });
  assert.equal(await controller.exit(), 0, controller.output);
  const seen = stage.lines('seen');
  assert.ok(new Set(seen).size >= 3, `it did see workers that had not closed themselves:\n${controller.output}`);
  for (const line of seen) assert.match(line, / false$/);
});
