// Two servers, one of which follows the other, and what makes the other one the master.

import { execFile } from 'node:child_process';
import { mkdirSync } from 'node:fs';
import { join } from 'node:path';
import { promisify } from 'node:util';
import { freePort, waitFor } from '../e2e/harness.mjs';
import { DURABLE } from './scene.mjs';

const execFileAsync = promisify(execFile);

export async function tell({ host, port }, ...words) {
  const { stdout } = await execFileAsync('redis-cli', ['-h', host, '-p', String(port), ...words]);
  return stdout;
}

// A field of INFO.
async function info(server, section, field) {
  const text = await tell(server, 'info', section);
  return text.match(new RegExp(`^${field}:([^\\r]*)`, 'm'))?.[1];
}

const replication = (server, field) => info(server, 'replication', field);
const persistence = (server, field) => info(server, 'persistence', field);

// Starts a server of its own folder, as the scene's: { host, port, args, program }.
async function startServer(scene, host, port) {
  const folder = join(scene.folder, `redis-${host}-${port}`);
  mkdirSync(folder);
  const args = [...DURABLE, '--bind', host, '--dir', folder, '--repl-diskless-sync-delay', '0'];
  return { host, port, args, program: await scene.startRedis(args, port) };
}

function use(scene, server) {
  scene.redisPort = server.port;
  scene.server = server.program;
  scene.serverArgs = server.args;
}

// scene.master is the scene's server, and scene.replica follows it.
export async function startBoth(scene, masterHost = '127.0.0.1') {
  const port = await freePort();
  scene.replica = await startServer(scene, '127.0.0.1', port);
  scene.master = await startServer(scene, masterHost, masterHost === '127.0.0.1' ? await freePort() : port);
  await demote(scene.replica, scene.master);
  await waitFor('the replica to follow', async () => (await replication(scene.replica, 'master_link_status')) === 'up');
}

// Until the replica has all that came; nothing more comes while the proxies hold what is sent to the master. It has it on
// disk, too: after a full synchronization it writes a new append-only file, and who is killed before that is done comes
// back with the old one.
export function caughtUp({ master, replica }) {
  return waitFor('the replica to have everything', async () => {
    const [isUp, sent, taken, ...rewriting] = await Promise.all([replication(replica, 'master_link_status'),
      replication(master, 'master_repl_offset'), replication(replica, 'slave_repl_offset'),
      persistence(replica, 'aof_rewrite_scheduled'), persistence(replica, 'aof_rewrite_in_progress')]);
    return isUp === 'up' && sent === taken && rewriting.every((is) => is === '0');
  });
}

export const promote = ({ replica }) => tell(replica, 'replicaof', 'no', 'one');
export const demote = (server, master) => tell(server, 'replicaof', master.host, String(master.port));

// The replica is the master for whoever connects anew through a proxy, and for the checker.
export function lead(scene, ...proxies) {
  for (const proxy of proxies) proxy.targetPort = scene.replica.port;
  scene.master.program = scene.server; // it may have been started again
  [scene.master, scene.replica] = [scene.replica, scene.master];
  use(scene, scene.master);
  scene.env = { REDIS_HOST: scene.master.host, REDIS_PORT: String(scene.master.port) };
}
