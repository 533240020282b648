// Whether a result is of this code: what is resumed, what is begun anew, and what is said of it.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { test } from 'node:test';
import { freePort, Stage, waitFor } from './harness.mjs';

const GREEN = 'echo "$FUNKYTOWN_SPEC" >>"$HOME/ran"\n';
const RED = `${GREEN}exit 1\n`;
// Runs until the file `go` is there.
const LONG = `${GREEN}until [ -e "$HOME/go" ]; do sleep 0.02; done\n`;

// Specs that are shell scripts, below SPEC_ROOT.
function shellMap(stage, specs) {
  for (const [name, text] of Object.entries(specs)) stage.file(`specs/${name}`, text);
  const tasks = Object.keys(specs).map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
  return stage.file('map.json', { runners: { sh: { argv: ['sh', '{spec}'] } }, groups: [{ name: 'g', runner: 'sh', tasks }] });
}

const ran = (stage, spec) => stage.lines('ran').filter((line) => line === spec).length;

// A run whose first task has passed and whose second one is at work; `end` then ends all of it.
async function interrupted(stage, end, env = {}) {
  const args = ['--once', '--workers', '1', '--redis-port', String(await freePort()), shellMap(stage, { 'a.sh': GREEN, 'b.sh': LONG })];
  const first = stage.controller(args, env);
  const [, runid] = await first.says(/funkytown (\S+): 2 tasks/);
  await waitFor('the second task', () => ran(stage, 'b.sh') === 1);
  await waitFor('the first one to be seen', async () => (await stage.api(first, '')).counts.passed === 1);
  // The append-only file is synced once a second: only what it holds can be resumed.
  await waitFor('its claim to be on disk', () => stage.appendOnly().split('processing').length > 3);
  await end(first);
  stage.file('go', '');
  return { first, runid, again: (more = []) => stage.controller([...more, ...args], env) };
}

const ENDS = {
  SIGINT: async (program) => {
    program.kill('SIGINT');
    assert.equal(await program.exit(), 130, program.output);
    assert.match(program.stdout, /^interrupted: 1 of 2 done; the same command resumes$/m);
  },
  'kill -9': async (program) => {
    program.kill('SIGKILL');
    await program.exit();
  },
};

for (const [name, end] of Object.entries(ENDS)) {
  test(`${name}, and the same command: it resumes, and says how much is carried over`, async (t) => {
    const stage = new Stage(t);
    const { runid, again } = await interrupted(stage, end, { FUNKYTOWN_LOG_LEVEL: 'error', FUNKYTOWN_LEASE_S: '1' });
    const second = again();
    assert.equal(await second.exit(), 0, second.output);
    assert.match(second.stdout, new RegExp(`^resuming run ${runid} of \\d\\d:\\d\\d: 1 of 2 done, 1 passed$`, 'm'));
    assert.equal(ran(stage, 'a.sh'), 1);
  });

  test(`${name}, and a spec is changed: the run is begun anew, and says why`, async (t) => {
    const stage = new Stage(t);
    const { runid, again } = await interrupted(stage, end);
    stage.file('specs/a.sh', RED);
    const began = Date.now();
    const second = again();
    assert.equal(await second.exit(), 1, second.output);
    assert.ok(Date.now() - began < 10_000, 'no lease of a dead worker is waited for');
    assert.match(second.stdout, new RegExp(
      `^the specs have changed since run ${runid} \\(source specs:\\w+ → specs:\\w+\\): beginning anew; ${runid} is in the history$`, 'm'));
    assert.match(second.stdout, /^failed: 2\/2/m);
    assert.doesNotMatch(second.output, /resuming/);
  });

  test(`${name}, and --fresh: the run is begun anew`, async (t) => {
    const stage = new Stage(t);
    const { runid, again } = await interrupted(stage, end);
    const second = again(['--fresh']);
    assert.equal(await second.exit(), 0, second.output);
    assert.match(second.stdout, new RegExp(`^--fresh: beginning anew; ${runid} is in the history$`, 'm'));
    assert.equal(ran(stage, 'a.sh'), 2);
  });
}

function git(stage, ...args) {
  const who = ['-c', 'user.name=n', '-c', 'user.email=n@example'];
  return execFileSync('git', [...who, ...args], { cwd: stage.folder, env: { PATH: process.env.PATH, HOME: stage.folder }, encoding: 'utf8' });
}

test('in a work tree of git the app beside the specs counts, and what the run writes does not', async (t) => {
  const stage = new Stage(t);
  const leave = 'mkdir -p test-results "$HOME/logs"; date >test-results/$$; date >>"$HOME/logs/log"\n';
  const map = shellMap(stage, { 'a.sh': leave + GREEN, 'b.sh': leave + LONG });
  stage.file('app/index.html', 'one\n');
  stage.file('.gitignore', '/logs/\n/ran\n/go\n');
  git(stage, 'init', '-q', '-b', 'trunk');
  git(stage, 'add', '-A');
  git(stage, 'commit', '-q', '-m', 'one');
  const args = ['--workers', '1', '--redis-port', String(await freePort()), map];
  let controller = stage.controller(['--once', ...args]);
  const [, first] = await controller.says(/funkytown (\S+): 2 tasks/);
  await waitFor('the second task', () => ran(stage, 'b.sh') === 1);
  controller.kill('SIGINT');
  await controller.exit();
  controller = stage.controller(['--once', ...args]);
  await controller.says(new RegExp(`resuming run ${first} of`));
  controller.kill('SIGINT');
  await controller.exit();
  stage.file('app/index.html', 'two\n');
  stage.file('go', '');
  controller = stage.controller(args);
  await controller.says(/^passed: 2\/2/m);
  const commit = git(stage, 'rev-parse', 'HEAD').trim();
  assert.match(controller.stdout, new RegExp(`the specs have changed since run ${first} \\(source ${commit.slice(0, 10)} → ${commit.slice(0, 10)}\\+`));
  const { source } = await stage.api(controller, '');
  assert.match(source.id, new RegExp(`^${commit}\\+[0-9a-f]{32}$`));
  assert.deepEqual([source.branch, source.url], ['trunk', null]);
  const runs = await (await fetch(`${await stage.url(controller)}/api/v1/runs`)).json();
  assert.deepEqual(runs.map((run) => run.source.id), [source.id, commit]);
});

test('what a CI says of the commit, the branch and its job stands in the summary, and tells runs apart', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = shellMap(stage, { 'a.sh': GREEN });
  const github = (commit) => ({
    GITHUB_SHA: commit, GITHUB_REF_NAME: '7/merge', GITHUB_HEAD_REF: 'topic', GITHUB_SERVER_URL: 'https://github.example',
    GITHUB_REPOSITORY: 'o/r', GITHUB_RUN_ID: '42', FUNKYTOWN_RUN_ID: 'nightly',
  });
  stage.worker();
  const first = stage.controller([map], github('aaa'));
  await first.says(/^passed/m);
  assert.deepEqual((await stage.api(first, '')).source, { id: 'aaa', branch: 'topic', url: 'https://github.example/o/r/actions/runs/42' });
  first.kill();
  await first.exit();
  stage.worker();
  const second = stage.controller(['--once', map], github('bbb'));
  assert.equal(await second.exit(), 0, second.output);
  assert.match(second.stdout, /the specs have changed since run nightly \(source aaa → bbb\): beginning anew; nightly is in the history/);
  assert.equal(ran(stage, 'a.sh'), 2);
  const third = stage.controller(['--once', map], { ...github('ccc'), FUNKYTOWN_SOURCE: 'bbb' });
  assert.equal(await third.exit(), 0, third.output);
  assert.match(third.stdout, /^run nightly finished at \d\d:\d\d; nothing was run now$/m);
  assert.equal(ran(stage, 'a.sh'), 2);
});

test('a given id that has finished is served and says so; with a changed spec it is run again', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--once', '--workers', '1', '--run-id', 'nightly', shellMap(stage, { 'a.sh': GREEN })];
  const env = { FUNKYTOWN_LOG_LEVEL: 'error' };
  assert.equal(await stage.controller(args, env).exit(), 0);
  const served = stage.controller(args, env);
  assert.equal(await served.exit(), 0, served.output);
  assert.match(served.stdout, /^run nightly finished at \d\d:\d\d; nothing was run now$/m);
  assert.equal(ran(stage, 'a.sh'), 1);
  stage.file('specs/a.sh', RED);
  const changed = stage.controller(args, env);
  assert.equal(await changed.exit(), 1, changed.output);
  assert.match(changed.stdout, /^the specs have changed since run nightly /m);
  const fresh = stage.controller(['--fresh', ...args], env);
  assert.equal(await fresh.exit(), 1, fresh.output);
  assert.equal(ran(stage, 'a.sh'), 3);
  const history = (await stage.redis('lrange', 'funkytown:history', '0', '-1')).map(JSON.parse);
  assert.deepEqual(history.map((run) => [run.run_id, run.verdict]), [['nightly', 'failed'], ['nightly', 'passed']]);
});

test('a changed spec while a worker of the run lives: exit 2 with the cause, and nothing is touched', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--once', '--run-id', 'r', shellMap(stage, { 'a.sh': GREEN, 'b.sh': LONG })];
  const first = stage.controller(args);
  stage.worker({ FUNKYTOWN_WORKER_ID: 'w1' });
  await waitFor('the second task', () => ran(stage, 'b.sh') === 1);
  for (const [more, why] of [[['--source', 'x'], /and the specs have changed since run r \(source specs:\w+ → x\)/], [['--fresh'], /and --fresh begins anew only when nobody works on it/]]) {
    const refused = stage.controller([...more, ...args]);
    assert.equal(await refused.exit(), 2);
    assert.match(refused.stderr, /run r is alive under this prefix \(controller /);
    assert.match(refused.stderr, why);
  }
  first.kill('SIGKILL');
  await first.exit();
  const refused = stage.controller(['--source', 'x', ...args]);
  assert.equal(await refused.exit(), 2, refused.output);
  assert.match(refused.stderr, /run r is alive under this prefix \(worker w1\), and the specs have changed since run r/);
  assert.deepEqual(await stage.redis('exists', 'funkytown:controller'), ['1'], 'the lease of the dead one is as it was');
  stage.file('go', '');
  const second = stage.controller(args);
  assert.equal(await second.exit(), 0, second.output);
});

test('of a worker on another machine nothing is known: its lease is waited for, and it is said', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--once', '--lease-s', '3', shellMap(stage, { 'a.sh': GREEN, 'b.sh': LONG })];
  const first = stage.controller(args);
  const worker = stage.worker({ FUNKYTOWN_WORKER_ID: 'far' });
  await waitFor('the second task', () => ran(stage, 'b.sh') === 1);
  await stage.redis('hset', 'funkytown:worker:far', 'identity', 'elsewhere/boot/1.1/1/1/1');
  for (const program of [worker, first]) {
    program.kill('SIGKILL');
    await program.exit();
  }
  stage.file('go', '');
  const second = stage.controller(['--source', 'x', ...args]);
  await second.says(/^waiting for worker far of run \S+, which may be alive: its lease ends in [1-3] s$/m);
  await second.says(/beginning anew/);
  stage.worker();
  assert.equal(await second.exit(), 0, second.output);
  assert.equal(ran(stage, 'a.sh'), 2);
});

test('who renews its lease on another machine is alive: exit 2', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--once', '--lease-s', '2', '--run-id', 'r', shellMap(stage, { 'a.sh': LONG })];
  const first = stage.controller(args);
  stage.worker({ FUNKYTOWN_WORKER_ID: 'far' });
  await waitFor('the task', () => ran(stage, 'a.sh') === 1);
  await stage.redis('hset', 'funkytown:worker:far', 'identity', 'elsewhere/boot/1.1/1/1/1');
  first.kill('SIGKILL');
  await first.exit();
  const second = stage.controller(['--source', 'x', ...args]);
  assert.equal(await second.exit(), 2, second.output);
  assert.match(second.stderr, /run r is alive under this prefix \(worker far\)/);
  stage.file('go', '');
});

test('a finished run that is still being served: the next one takes over, and the first says so', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = shellMap(stage, { 'a.sh': GREEN });
  const first = stage.controller(['--lease-s', '1', map]);
  const [, old] = await first.says(/funkytown (\S+): 1 tasks/);
  stage.worker();
  await first.says(/^report: /m);
  stage.file('specs/a.sh', RED);
  const second = stage.controller(['--once', '--workers', '1', '--deadline-s', '20', map]);
  assert.equal(await second.exit(), 1, second.output);
  const [, id] = await second.says(/funkytown (\S+): 1 tasks/);
  assert.notEqual(id, old);
  await first.says(new RegExp(`^run ${id} has replaced run ${old}; this report goes on showing run ${old} as it ended$`, 'm'));
  const summary = await stage.api(first, '');
  assert.deepEqual([summary.run_id, summary.verdict], [old, 'passed']);
  first.kill();
  assert.equal(await first.exit(), 143);
});

test('a finished run of a given id that is still being served: the next one serves it too', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--lease-s', '1', '--run-id', 'r', shellMap(stage, { 'a.sh': RED })];
  const first = stage.controller(args);
  stage.worker();
  await first.says(/^report: /m);
  const second = stage.controller(['--once', ...args]);
  assert.equal(await second.exit(), 1, second.output);
  assert.match(second.stdout, /^run r finished at \d\d:\d\d; nothing was run now$/m);
  await first.says(/^another controller has taken run r over; this report goes on showing it as it ended$/m);
  assert.equal((await stage.api(first, '')).verdict, 'failed');
  const other = stage.file('other.json', { runners: { sh: { argv: ['true'] } }, groups: [{ name: 'o', runner: 'sh', tasks: [{ spec: 'x', viewports: ['desktop'], browsers: ['chrome'] }] }] });
  const third = stage.controller(args);
  await third.says(/nothing was run now/);
  const refused = stage.controller(['--once', other]);
  assert.equal(await refused.exit(), 2, refused.output);
  assert.match(refused.stderr, /run r has finished, but is still served under this prefix \(controller .*\), and run r is of another spec map/);
});

test('--rerun after a mended spec goes on with the last run, and says what is carried forward', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = shellMap(stage, { 'a.sh': GREEN, 'b.sh': RED });
  assert.equal(await stage.controller(['--once', '--workers', '1', map]).exit(), 1);
  stage.file('specs/b.sh', GREEN);
  const again = stage.controller(['--once', '--rerun', '--workers', '1', map]);
  assert.equal(await again.exit(), 0, again.output);
  assert.match(again.stdout, /^--rerun: the specs have changed since run \S+ \(.*\); what passed then is carried forward as it is$/m);
  assert.doesNotMatch(again.stdout, /nothing was run now/);
  assert.deepEqual([ran(stage, 'a.sh'), ran(stage, 'b.sh')], [1, 2]);
});

test('when nobody works it is said after 10 s, with what to do', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const map = shellMap(stage, { 'a.sh': GREEN });
  const controllers = [
    stage.controller(['--once', '--prefix', 'p:', map]),
    stage.controllerOnTerminal(80, ['--once', '--prefix', 'q:', map]),
  ];
  for (const controller of controllers) {
    await controller.says(/funkytown \S+: 1 tasks/);
    await controller.says(new RegExp(`no worker has come yet: start some with REDIS_HOST=127\\.0\\.0\\.1 REDIS_PORT=${stage.redisPort} FUNKYTOWN_PREFIX=[pq]:\r?\n`));
  }
  stage.worker({ FUNKYTOWN_PREFIX: 'p:' });
  stage.worker({ FUNKYTOWN_PREFIX: 'q:' });
  for (const controller of controllers) assert.equal(await controller.exit(), 0, controller.output);
});

test('the deadline names what it really waited for', async (t) => {
  const stage = new Stage(t);
  await stage.startRedis();
  const args = ['--once', shellMap(stage, { 'a.sh': LONG })];
  stage.controller(args);
  stage.worker();
  await waitFor('the task', () => ran(stage, 'a.sh') === 1);
  const second = stage.controller(['--deadline-s', '2', ...args]);
  assert.equal(await second.exit(), 4, second.output);
  assert.match(second.stdout, /the deadline of 2 s is over: 1 of 1 tasks unfinished, no run was opened here; missing: the lease of this run: /);
  stage.file('go', '');
});
