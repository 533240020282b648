// What a runner may do: to itself, to its supervisor, to its pipes and to the machine. Each time a task passes before
// and after it on the same worker, and nothing that it started is left.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { describe, test } from 'node:test';
import { Scene } from './scene.mjs';

// Each process starts the next one and dies, so that there is always one more to kill; for two seconds.
const CHAIN = `cat >"$TMPDIR/link" <<'END'
trap "" TERM
[ $(date +%s) -lt $1 ] || exit
setsid sh "$0" $1 &
END
until=$(($(date +%s) + 2))`;

// Twice as many processes each time, up to the limit of a user; root, whom no limit holds, becomes another user first
// (and can't where it is root of its own namespace only, whose user has a limit).
const BOMB = `set -- setpriv --reuid=54321 --clear-groups
"$@" true 2>/dev/null || set --
"$@" prlimit --nproc=100 sh -c 'b() { b & b & wait; b; }; b' &
sleep 0.3`;

// [what it does, how its task must end, why, its script]
const RUNNERS = [
  ['leaves a daemon in a session of its own', 'passed', '', 'setsid sleep 600 &'],
  ['leaves a daemon that forked twice', 'passed', '', '(setsid sh -c "sleep 600 & exit" &) ; sleep 0.1'],
  ['exits at once and leaves a child that holds the pipes', 'failed', 'exit 1', 'sleep 600 & exit 1'],
  ['exits 127', 'error', 'exit 127', 'exit 127'],
  ['kills itself', 'error', 'signal 9', 'kill -9 $$'],
  ['runs out of memory', 'error', /^signal/, 'exec prlimit --as=200000000 node -e "Buffer.alloc(1e9, 1)"'],
  ['kills its supervisor', 'error', 'the supervisor of the runner was killed', 'sleep 600 & kill -9 "$PPID"; sleep 600'],
  ['stops its supervisor and hangs', 'error', 'timeout after 1 s', 'kill -STOP "$PPID"; sleep 600'],
  ['hangs', 'error', 'timeout after 1 s', 'sleep 600'],
  ['ignores TERM and hangs', 'error', 'timeout after 1 s', 'trap "" TERM; while :; do sleep 600; done'],
  ['stops itself', 'error', 'timeout after 1 s', 'kill -STOP $$'],
  ['writes a gigabyte on one line', 'passed', '', 'head -c 1G /dev/zero | tr "\\0" x'],
  ['writes what is no text', 'passed', '', 'head -c 3000000 /dev/urandom'],
  ['closes its output and goes on', 'passed', '', 'exec >&- 2>&-; sleep 0.2'],
  ['writes garbage instead of events', 'error', /^\d+ event lines can't be read, the first: /, 'head -c 3000000 /dev/urandom >"$FUNKYTOWN_EVENTS"'],
  ['writes half an event', 'error', '1 event line can\'t be read: {"event":"test","status":"pas', 'printf \'{"event":"test","status":"pas\' >"$FUNKYTOWN_EVENTS"'],
  ['tells of its failed test in a line of a megabyte, which is skipped', 'failed', /^the runner says failed; 1 event line can't be read: \{"event":"test","title":\["t"\],"status":"failed"/,
    `{ printf '{"event":"test","title":["t"],"status":"failed","error":{"message":"'; head -c 1M /dev/zero | tr "\\0" x; echo '"}}'
       echo '{"event":"spec","status":"failed"}'; } >"$FUNKYTOWN_EVENTS"; exit 1`],
  ['removes the FIFO for its events', 'passed', '', 'rm "$FUNKYTOWN_EVENTS"'],
  ['writes its events to a file in the place of the FIFO', 'error', "1 event line can't be read: written to a file in the place of the FIFO",
    'rm "$FUNKYTOWN_EVENTS"; echo \'{"event":"test","status":"failed"}\' >"$FUNKYTOWN_EVENTS"'],
  ['removes all of its folders', 'passed', '', 'rm -rf "$TMPDIR" "$FUNKYTOWN_ARTIFACTS" "${FUNKYTOWN_EVENTS%/*}"'],
  ['fills its folder with what is hard to remove', 'passed', '',
    'mkdir -p "$TMPDIR/a/b"; touch "$TMPDIR/a/b/c"; chmod 0 "$TMPDIR/a/b" "$TMPDIR/a"'],
  ['overwrites its title and environment, in a session of its own', 'passed', '',
    'setsid node -e "process.title = \'x\'.repeat(4000); setInterval(() => {}, 1000)" & sleep 0.3'],
  ['is a fork bomb that its limit stops', 'passed', '', BOMB],
  ['leaves two hundred chains of processes of which each starts the next and dies', 'passed', '',
    `${CHAIN}\ni=0; while [ $i -lt 200 ]; do sh "$TMPDIR/link" $until & i=$((i + 1)); done`],
];

describe('a runner that', { concurrency: 3 }, () => {
  for (const [what, result, reason, script] of RUNNERS) {
    test(`${what}: ${result}`, async (t) => {
      const scene = new Scene(t);
      await scene.startRedis();
      const limit = String(reason).startsWith('timeout') ? '1' : '60';
      const specs = ['before', `${result}-nasty`, 'after'];
      const map = scene.map(`case "$FUNKYTOWN_SPEC" in *nasty) :;; *) exit 0;; esac\n${script}`, specs);
      scene.controller(['--once', '--task-timeout-s', limit, map]);
      scene.worker();
      await scene.sound();
      const told = (await scene.hash('task:g:1')).reason;
      if (reason instanceof RegExp) assert.match(told, reason);
      else assert.equal(told, reason);
    });
  }
});

const one = (spec, runner) => ({ spec, runner, viewports: ['desktop'], browsers: ['chrome'] });

test('a runner that cannot be executed is an error of its tasks; other runners go on', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const plain = scene.file('plain.sh', 'exit 0\n', 0o644);
  const map = scene.map('exit 0', ['a', 'error-b', 'error-c', 'd'], {
    runners: { script: { argv: [`${scene.folder}/runner.sh`] }, plain: { argv: [plain] }, missing: { argv: ['/nowhere/at/all'] } },
    groups: [{ name: 'g', runner: 'script', tasks: [one('a'), one('error-b', 'plain'), one('error-c', 'missing'), one('d')] }],
  });
  scene.controller(['--once', map]);
  scene.worker();
  await scene.sound();
  assert.match((await scene.hash('task:g:1')).reason, /^exit 126: cannot start .*plain\.sh: Permission denied$/);
  assert.match((await scene.hash('task:g:2')).reason, /^exit 127: cannot start \/nowhere\/at\/all: No such file/);
});

test('a runner that deletes the folder it was started in: the next one there is an error; others go on', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  scene.file('specs/cellar/.keep', '');
  const argv = [`${scene.folder}/runner.sh`];
  const map = scene.map('case "$FUNKYTOWN_SPEC" in *digs) rm -rf "$PWD";; esac', ['a', 'digs', 'error-falls', 'd'], {
    runners: { script: { argv }, cellar: { argv, cwd: 'cellar' } },
    groups: [{ name: 'g', runner: 'script', tasks: [one('a'), one('digs', 'cellar'), one('error-falls', 'cellar'), one('d')] }],
  });
  scene.controller(['--once', map]);
  scene.worker();
  await scene.sound();
  assert.match((await scene.hash('task:g:2')).reason, /^cannot enter the folder that /);
});

test('a runner that leaves mounts in its folders: what is behind them stays, and the next one finds nothing of it', async (t) => {
  const scene = new Scene(t);
  await scene.startRedis();
  const kept = join(scene.folder, 'kept');
  scene.file('kept/precious', 'of somebody');
  scene.closers.push(() => scene.lines('mounts').reverse().forEach((path) => execFileSync('umount', ['-l', path])));
  const script = `ls -A "$TMPDIR" "$FUNKYTOWN_ARTIFACTS" | grep -v : >>"$HOME/found"
    case "$FUNKYTOWN_SPEC" in *mounts) :;; *) exit 0;; esac
    mkdir "$TMPDIR/bound"; touch "$TMPDIR/file"
    mount --bind "${kept}" "$TMPDIR/bound" && echo "$TMPDIR/bound" >>"$HOME/mounts"
    mount -t tmpfs tmpfs "$FUNKYTOWN_ARTIFACTS" && echo "$FUNKYTOWN_ARTIFACTS" >>"$HOME/mounts" && echo secret >"$FUNKYTOWN_ARTIFACTS/file"`;
  scene.controller(['--once', scene.map(script, ['before', 'mounts', 'after', 'last'])]);
  const worker = scene.worker();
  await scene.sound();
  assert.equal(scene.lines('mounts').length, 2);
  assert.deepEqual(readdirSync(kept), ['precious']);
  assert.deepEqual(scene.lines('found').filter(Boolean), []);
  assert.deepEqual(worker.stderr.match(/event=folder\.left task=\S+/g), ['event=folder.left task=task:g:1']);
  assert.match(worker.stderr, /event=folder\.left .*: Device or resource busy"/);
});
