// Where Redis may be: at the end of a path, or one of the nodes of a cluster.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { promisify } from 'node:util';
import { freePort, Stage, waitFor } from './harness.mjs';

const execFileAsync = promisify(execFile);

// ---- a path ----

test('REDIS_HOST is a path: everything goes through that socket, and messages name it', async (t) => {
  const stage = new Stage(t);
  const path = join(stage.folder, 'redis.sock');
  const map = stage.map('exit 0', ['a', 'b', 'c', 'd']);
  stage.env = { REDIS_HOST: path };
  const controller = stage.controller(['--once', '--workers', '1', map], { SPEC_ROOT: stage.specs });
  const worker = stage.worker();
  const missing = `redis ${path}: No such file or directory`;
  await controller.says(new RegExp(`event=controller\\.waiting .*${missing}`));
  await worker.says(new RegExp(`event=redis\\.waiting .*${missing}`));
  await stage.startRedis(['--unixsocket', path]);
  assert.equal(await controller.exit(), 0, controller.output);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.doesNotMatch(controller.output + worker.output, /6379/);
  stage.env = { REDIS_HOST: path };
  const audit = stage.controller(['--audit'], {});
  assert.equal(await audit.exit(), 0, audit.output);
});

test('a path that no socket can have is refused', async (t) => {
  const stage = new Stage(t);
  for (const program of [stage.controller([stage.map('exit 0', ['a'])], { REDIS_HOST: `/${'x'.repeat(107)}` }),
    stage.worker({ REDIS_HOST: `/${'x'.repeat(107)}` })]) {
    assert.equal(await program.exit(), 2, program.output);
    assert.match(program.stderr, /REDIS_HOST: found a path of 108 bytes, wanted at most 107/);
  }
});

// ---- a cluster ----

const SLOTS = 16384;
const PREFIX = '{town}:';

// A node answers with what it has to say, as text.
async function tell(node, ...words) {
  const { stdout } = await execFileAsync('redis-cli', ['-p', String(node.port), ...words]);
  return stdout.trim();
}

async function startNode(stage, index, args) {
  const node = { port: await freePort(), busPort: await freePort() };
  const folder = join(stage.folder, `node-${index}`);
  mkdirSync(folder);
  const program = stage.spawn('node', 'redis-server', [
    '--port', String(node.port), '--bind', '127.0.0.1', '--save', '', '--dir', folder, '--cluster-enabled', 'yes',
    '--cluster-port', String(node.busPort), ...args,
  ]);
  await program.says(/Ready to accept connections/);
  node.id = await tell(node, 'cluster', 'myid');
  return node;
}

// Three masters with a third of the slots each; the first of them that hasn't our keys, the one that has, and the last.
async function startCluster(stage, args = []) {
  const nodes = [];
  for (let i = 0; i < 3; i++) nodes.push(await startNode(stage, i, args));
  const bound = (i) => Math.floor((SLOTS * i) / 3);
  for (const [i, node] of nodes.entries()) await tell(node, 'cluster', 'addslotsrange', String(bound(i)), String(bound(i + 1) - 1));
  for (const node of nodes.slice(1)) await tell(nodes[0], 'cluster', 'meet', '127.0.0.1', String(node.port), String(node.busPort));
  for (const node of nodes)
    await waitFor('the cluster', async () => {
      const info = await tell(node, 'cluster', 'info');
      return /cluster_state:ok/.test(info) && /cluster_known_nodes:3/.test(info);
    });
  const slot = await tell(nodes[0], 'cluster', 'keyslot', PREFIX);
  const owner = nodes.find((_, i) => slot >= bound(i) && slot < bound(i + 1));
  const [given, other] = nodes.filter((node) => node !== owner);
  stage.env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(given.port), FUNKYTOWN_PREFIX: PREFIX };
  return { nodes, slot, given, owner, other };
}

test('Redis Cluster: with a tag in the prefix everybody goes to the node that has the keys', async (t) => {
  const stage = new Stage(t);
  const { given, owner } = await startCluster(stage);
  const map = stage.map('[ "$FUNKYTOWN_SPEC" != bad ]', ['a', 'b', 'bad', 'c', 'd', 'e']);
  const env = { SPEC_ROOT: stage.specs, FUNKYTOWN_RETRIES: '1', FUNKYTOWN_LOG_LEVEL: 'debug' };
  const controller = stage.controller(['--once', '--workers', '1', map], env);
  const worker = stage.worker();
  assert.equal(await controller.exit(), 1, controller.output);
  assert.match(controller.stdout, /^failed: 6\/6 .*5 passed/m);
  assert.equal(await worker.exit(), 0, worker.output);
  assert.doesNotMatch(controller.stderr + worker.stderr, /event=(controller|redis)\.waiting/);
  assert.match(controller.stderr, new RegExp(`event=redis\\.moved reason="redis 127\\.0\\.0\\.1:${given.port}: MOVED \\d+ 127\\.0\\.0\\.1:${owner.port}"`));
  assert.match(await tell(owner, 'hgetall', `${PREFIX}runmeta`), /finished\n1/);
  const audit = stage.controller(['--audit']);
  assert.equal(await audit.exit(), 0, audit.output);
});

test('Redis Cluster: without a tag, or with another database, both programs say which prefix to use, and exit 2', async (t) => {
  const stage = new Stage(t);
  await startCluster(stage);
  const map = stage.map('exit 0', ['a']);
  for (const env of [{ FUNKYTOWN_PREFIX: '' }, { FUNKYTOWN_PREFIX: 'town:' }, { REDIS_DB: '1' }]) {
    for (const program of [stage.controller(['--once', map], env), stage.worker(env)]) {
      assert.equal(await program.exit(), 2, program.output);
      const lines = program.stderr.split('\n').filter((line) => /cluster/.test(line));
      assert.equal(lines.length, 1, program.output);
      assert.match(lines[0], /wanted REDIS_DB=0 and a FUNKYTOWN_PREFIX with a tag in braces, such as FUNKYTOWN_PREFIX=\{funkytown\}:/);
    }
  }
});

// All keys of the slot, as a resharding does it.
async function migrate({ nodes, slot, owner, other }) {
  await tell(other, 'cluster', 'setslot', slot, 'importing', owner.id);
  await tell(owner, 'cluster', 'setslot', slot, 'migrating', other.id);
  for (let keys; (keys = await tell(owner, 'cluster', 'getkeysinslot', slot, '1000')) !== '';)
    await tell(owner, 'migrate', '127.0.0.1', String(other.port), '', '0', '5000', 'keys', ...keys.split('\n'));
  for (const node of [other, owner, ...nodes]) await tell(node, 'cluster', 'setslot', slot, 'node', other.id);
}

test('Redis Cluster: the slot is moved to another node in mid-run: everybody follows', async (t) => {
  const stage = new Stage(t);
  const cluster = await startCluster(stage);
  const specs = Array.from({ length: 40 }, (_, i) => `spec-${i}`);
  const map = stage.map('sleep 0.02; echo "$FUNKYTOWN_SPEC" >>"$HOME/ran"', specs);
  const controller = stage.controller(['--once', map]);
  const workers = [stage.worker({ FUNKYTOWN_SLOTS: '2' }), stage.worker()];
  await waitFor('some tasks to have run', () => stage.lines('ran').length >= 10);
  await migrate(cluster);
  assert.equal(await controller.exit(), 0, controller.output);
  for (const worker of workers) assert.equal(await worker.exit(), 0, worker.output);
  assert.deepEqual(stage.lines('ran').sort(), specs.sort());
  assert.match(await tell(cluster.other, 'hgetall', `${PREFIX}runmeta`), /finished\n1/);
});

test('Redis Cluster: a node whose name cannot be reached from here is said in one line', async (t) => {
  const stage = new Stage(t);
  const { given } = await startCluster(stage, ['--cluster-announce-hostname', 'nowhere.invalid', '--cluster-preferred-endpoint-type', 'hostname']);
  const controller = stage.controller(['--once', stage.map('exit 0', ['a'])], { FUNKYTOWN_DEADLINE_S: '1' });
  await controller.says(/event=controller\.waiting for=redis reason="redis nowhere\.invalid:\d+, where 127\.0\.0\.1:\d+ says that our keys are: unknown host/);
  assert.equal(await controller.exit(), 4, controller.output);
  assert.equal(controller.stderr.match(/event=controller\.waiting/g).length, 1, controller.output);
  assert.match(controller.stdout, new RegExp(`missing: redis: redis (nowhere|127\\.0\\.0\\.1:${given.port})`));
});
