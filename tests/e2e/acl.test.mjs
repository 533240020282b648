// Redis users with few rights (deploy/redis/users.acl): what a worker may do, and a run with nothing more than that.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { createHash } from 'node:crypto';
import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { Stage, freePort, projectRoot, waitFor } from './harness.mjs';

const execFileAsync = promisify(execFile);
const sha256 = (text) => createHash('sha256').update(text).digest('hex');
const users = readFileSync(join(projectRoot, 'deploy/redis/users.acl'), 'utf8');
const credentials = (user) => ({ REDIS_USERNAME: user, REDIS_PASSWORD: `${user}'s word` });

// The file as its README says to fill it in, and an operator for what the test does to the server.
class GuardedStage extends Stage {
  async startGuardedRedis({ prefix = '', change = (text) => text, args = [] } = {}) {
    const text = users
      .replace('CONTROLLER_PASSWORD_SHA256', sha256("controller's word"))
      .replace('WORKER_PASSWORD_SHA256', sha256("worker's word"))
      .replace(/^user (?!default).*/gm, (line) => line.replaceAll(' ~', ` ~${prefix}`));
    this.acl = this.file('users.acl', `${change(text)}user operator on >secret ~* +@all\n`);
    return this.startRedis(['--aclfile', this.acl, ...args]);
  }

  // What redis-cli prints, as this user.
  async as(user, ...args) {
    const password = user === 'operator' ? 'secret' : `${user}'s word`;
    const { stdout } = await execFileAsync('redis-cli', ['-p', String(this.redisPort), '--user', user, '--pass', password, '--no-auth-warning', ...args]);
    return stdout.trim();
  }

  redis(...args) {
    return this.as('operator', ...args);
  }

  guardedController(args, env = {}) {
    return this.controller(args, { ...credentials('controller'), ...env });
  }

  guardedWorker(env = {}) {
    return this.worker({ ...credentials('worker'), ...env });
  }
}

const granted = (user, sign) => {
  const line = users.split('\n').find((one) => one.startsWith(`user ${user} `));
  return line.split(' ').filter((word) => word.startsWith(sign)).map((word) => word.slice(1)).sort();
};

test('the users may send what is sent, alone and within scripts, and nothing else', () => {
  const folder = join(projectRoot, 'shared/lua');
  const commandsOf = (name) => {
    const code = readFileSync(join(folder, name), 'utf8').replace(/--.*/g, '');
    return [...code.matchAll(/(?:redis\.p?call|repair)\('([A-Z]+)'/g)].map(([, command]) => command.toLowerCase());
  };
  const forWorkers = ['register', 'renew', 'claim', 'settle', 'release', 'bury'].map((name) => `${name}.lua`);
  const forController = readdirSync(folder).filter((name) => name === 'bury.lua' || !forWorkers.includes(name));
  const sorted = (names, direct) => [...new Set([...direct, ...names.flatMap(commandsOf)])].sort();
  assert.deepEqual(granted('worker', '+'),
    sorted(['prelude.lua', ...forWorkers], ['ping', 'select', 'evalsha', 'brpoplpush', 'xread']));
  assert.deepEqual(granted('controller', '+'), sorted(forController,
    ['ping', 'select', 'script|load', 'evalsha', 'hget', 'hmget', 'hset', 'lrange', 'zrange', 'time', 'xread', 'xrevrange']));
  // Off, but with every right: as this user Redis 7.0 replays its append-only file, and leaves out what it may not do.
  assert.match(users, /^user default off ~\* \+@all$/m);
  for (const user of ['controller', 'worker']) {
    assert.deepEqual(granted(user, '-'), ['@all']);
    assert.ok(granted(user, '~').every((pattern) => /^(runmeta|taskqueue|task:\*|funkytown:[a-z:]*\*?)$/.test(pattern)));
  }
  assert.ok(!granted('worker', '~').some((pattern) => ['funkytown:*', 'funkytown:history', 'funkytown:order'].includes(pattern)));
});

test('a file that nobody filled in opens nothing: Redis refuses to start with it', async (t) => {
  const stage = new Stage(t);
  const redis = stage.spawn('redis', 'redis-server', ['--port', String(await freePort()), '--aclfile', join(projectRoot, 'deploy/redis/users.acl')]);
  assert.notEqual(await redis.exit(), 0);
  assert.match(redis.output, /ACL errors/);
});

test('a run with these users: a worker is killed, a test fails once; nobody was ever refused anything', async (t) => {
  const stage = new GuardedStage(t);
  await stage.startGuardedRedis();
  const script = `
    case "$FUNKYTOWN_SPEC-$FUNKYTOWN_ATTEMPT" in
      lost-1) touch "$HOME/started"; exec tail -f /dev/null;;
      flaky-1) exit 1;;
    esac`;
  const controller = stage.guardedController(['--once', '--lease-s', '1', '--retries', '1', stage.map(script, ['lost', 'flaky', 'c', 'd'])]);
  await controller.says(/report at/);
  const doomed = stage.guardedWorker();
  await waitFor('a task that runs', () => readdirSync(stage.folder).includes('started'));
  doomed.kill('SIGKILL');
  const worker = stage.guardedWorker({ FUNKYTOWN_SLOTS: '2' });
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.match(controller.stdout, /^passed: 4\/4 .*1 flaky/m);
  const audit = stage.guardedController(['--audit']);
  assert.equal(await audit.exit(), 0, audit.output);
  assert.equal(await stage.redis('acl', 'log'), '');
});

test('a worker may not do anything else', async (t) => {
  const stage = new GuardedStage(t);
  await stage.startGuardedRedis({ prefix: 'shop:', args: ['--enable-debug-command', 'yes'] });
  const prefix = { FUNKYTOWN_PREFIX: 'shop:' };
  await stage.redis('set', 'foreign', 'x');
  const controller = stage.guardedController(['--once', stage.map('exit 0', ['a'])], prefix);
  await controller.says(/report at/);
  const sha = await stage.redis('script', 'load', "return redis.call('LRANGE', KEYS[1], 0, -1)");
  const configSha = await stage.redis('script', 'load', "return redis.call('CONFIG', 'GET', '*')");
  const setSha = await stage.redis('script', 'load', "return redis.call('SET', KEYS[1], 'worker')");
  for (const command of [
    'eval|return 1|0', 'eval_ro|return 1|0', 'evalsha_ro|x|0', 'function|list', 'fcall|f|0',
    'script|load|return 1', 'script|flush', 'script|kill', 'script|exists|x',
    'config|get|*', 'config|set|dir|/tmp', 'config|rewrite', 'flushall', 'flushdb', 'keys|*', 'scan|0', 'dbsize', 'randomkey',
    'acl|list', 'acl|whoami', 'acl|setuser|worker|+@all', 'monitor', 'debug|sleep|0', 'shutdown|nosave', 'info', 'client|list',
    'client|kill|type|normal', 'client|pause|1', 'replicaof|127.0.0.1|1', 'save', 'bgsave', 'bgrewriteaof', 'module|list', 'swapdb|0|1',
    'subscribe|x', 'publish|x|y', 'latency|latest', 'slowlog|get', 'memory|stats', 'migrate|127.0.0.1|1|shop:runmeta|0|1',
    'set|shop:funkytown:controller|worker', 'rename|shop:runmeta|x', 'dump|shop:runmeta', 'expire|shop:runmeta|1', 'ltrim|shop:taskqueue|1|0',
    'get|foreign', 'hget|foreign|x', 'del|foreign', 'hgetall|runmeta', 'lpush|taskqueue|x', 'brpoplpush|taskqueue|shop:taskqueue|1',
    'brpoplpush|shop:taskqueue|stolen|1', 'xread|streams|foreign|0', 'hgetall|other:runmeta',
    'lrange|shop:funkytown:history|0|-1', 'lrange|shop:funkytown:order|0|-1', `evalsha|${sha}|1|foreign`, `evalsha|${sha}|1|shop:funkytown:history`,
  ])
    assert.match(await stage.as('worker', ...command.split('|')), /^NOPERM /, command);
  // A script that somebody else has loaded has no more rights than who calls it.
  for (const command of [`evalsha|${configSha}|0`, `evalsha|${setSha}|1|shop:runmeta`])
    assert.match(await stage.as('worker', ...command.split('|')), /^ERR .*script/, command);
  assert.equal(await stage.redis('type', 'shop:runmeta'), 'hash');
  assert.equal(await stage.as('worker', 'lrange', 'shop:taskqueue', '0', '-1'), 'task:g:0');
  const { stdout } = await execFileAsync('redis-cli', ['-p', String(stage.redisPort), 'ping']);
  assert.match(stdout, /^NOAUTH/, 'who has no password can do nothing');
  const worker = stage.guardedWorker(prefix);
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
});

test('workers that may not load scripts wait for a controller that does: at the start, after SCRIPT FLUSH, after a restart', async (t) => {
  const stage = new GuardedStage(t);
  const durable = ['--appendonly', 'yes', '--appendfsync', 'always'];
  const redis = await stage.startGuardedRedis({ args: durable });
  const early = stage.guardedWorker({ FUNKYTOWN_SLOTS: '2' });
  await early.says(/redis.waiting reason="the scripts aren't loaded, and this user may not load them/);
  const script = 'echo "$FUNKYTOWN_SPEC" >>"$HOME/runs"; until [ -e "$HOME/$FUNKYTOWN_SPEC.go" ]; do sleep 0.02; done';
  const specs = ['a', 'b', 'c', 'd', 'e', 'f'];
  // A lease so long that a third of it would be too long to wait.
  const controller = stage.guardedController(['--once', '--lease-s', '60', stage.map(script, specs)]);
  const running = (count) => waitFor(() => `task ${count} to run; ${controller.output}\n${early.output}`, () => stage.lines('runs').length === count);
  const finish = (names) => names.forEach((name) => stage.file(`${name}.go`, ''));
  await running(2);
  await stage.redis('script', 'flush');
  finish(['a', 'b']);
  await running(4);
  redis.kill('SIGKILL');
  await redis.exit();
  await stage.startRedis(['--aclfile', stage.acl, ...durable], stage.redisPort);
  finish(['c', 'd']);
  await running(6);
  await stage.redis('script', 'flush');
  finish(['e', 'f']);
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await early.exit(), 0, early.output);
  assert.match(controller.stdout, /^passed: 6\/6/m);
  assert.deepEqual(stage.lines('runs').sort(), specs, 'none ran twice');
  assert.ok(early.output.match(/may not load them/g).length <= 4, `said once each time:\n${early.output}`);
});

test('a user that lacks a right which is needed: one line and exit 2', async (t) => {
  for (const [change, user, pattern] of [
    [(text) => text.replace(' +script|load', ''), 'controller', /SCRIPT: NOPERM .*'script\|load'/],
    [(text) => text.replaceAll(' ~funkytown:*', ' ~shop:*'), 'controller', /EVALSHA: NOPERM .*key/],
    [(text) => text.replaceAll(' +set', ''), 'controller', /EVALSHA: .*(can't run this command|permissions)/],
    [(text) => text.replaceAll(' +xrevrange', ''), 'controller', /XREVRANGE: NOPERM/],
    [(text) => text.replaceAll(' +xread', ''), 'controller', /XREAD: NOPERM/],
    [(text) => text.replaceAll(' +select', ''), 'controller', /SELECT: NOPERM/],
    [(text) => text.replace(/^(user worker.*) \+evalsha/m, '$1'), 'worker', /EVALSHA: NOPERM/],
    [(text) => text.replace(/ \+brpoplpush/, ''), 'worker', /BRPOPLPUSH: NOPERM/],
    [(text) => text.replace(/^(user worker.*) \+xread/m, '$1'), 'worker', /XREAD: NOPERM/],
    [(text) => text.replace(/^(user worker.*) \+zadd/m, '$1'), 'worker', /EVALSHA: .*(can't run this command|permissions)/],
    [(text) => text.replace(/^(user worker.*) ~funkytown:run /m, '$1 '), 'worker', /EVALSHA: NOPERM .*key/],
  ]) {
    const stage = new GuardedStage(t);
    await stage.startGuardedRedis({ change });
    const db = { REDIS_DB: pattern.source.startsWith('SELECT') ? '1' : '0' };
    const controller = stage.guardedController([stage.map('exit 0', ['a'])], db);
    const program = user === 'controller' ? controller : stage.guardedWorker(db);
    assert.equal(await program.exit(), 2, `${pattern}\n${program.output}`);
    const lines = program.stderr.split('\n').filter((line) => /NOPERM|executing the script|permissions/.test(line));
    assert.equal(lines.length, 1, program.output);
    assert.match(lines[0], pattern);
    assert.match(lines[0], new RegExp(`user \\\\?"${user}\\\\?" may not do what is needed`));
  }
  const stage = new GuardedStage(t);
  await stage.startGuardedRedis();
  const audit = stage.controller(['--audit'], credentials('worker'));
  assert.equal(await audit.exit(), 2);
  assert.match(audit.stderr, /^controller: --audit: redis: .*user "worker" may not do what is needed: SCRIPT: NOPERM.*\n$/);
});
