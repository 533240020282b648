// Has the web servers of a Playwright configuration running for as long as the controller lives, so that every start reuses
// them: those that each start would start for itself are in each other's way, as the one that ends takes its server along.
//
//   node servers.mjs '[{"command":"npm start","cwd":"/abs","env":{},"url":"http://localhost:3000","port":null,"timeout":60000}]'
//
// It says {} to who has started it when all of them answer, or {"why":"…"} and ends. One that answers already is left
// alone. Our standard input is the controller's: when that ends, so do we, with all that we have started (it is a group).

import { spawn } from 'node:child_process';
import http from 'node:http';
import https from 'node:https';
import net from 'node:net';
import { setTimeout as pause } from 'node:timers/promises';
import { errorLine } from './asking.mjs';

const PAUSE_MS = 100, ANSWER_MS = 5000, KEPT = 64 * 1024;

function isListening(port, host) {
  return new Promise((resolve) => {
    const socket = net.connect({ port, host }, () => resolve(true)).on('error', () => resolve(false)).on('close', () => socket.destroy());
    socket.setTimeout(ANSWER_MS, () => socket.destroy()).on('connect', () => socket.destroy());
  });
}

/** What Playwright takes for an answer: anything but "not found" and what is worse. */
function answers(url, ignoreHTTPSErrors) {
  return new Promise((resolve) => {
    const request = (url.startsWith('https:') ? https : http).get(url, { rejectUnauthorized: !ignoreHTTPSErrors, timeout: ANSWER_MS }, (response) => {
      response.resume();
      resolve(response.statusCode >= 200 && response.statusCode < 404);
    });
    request.on('error', () => resolve(false)).on('timeout', () => request.destroy());
  });
}

async function isUp({ url, port, ignoreHTTPSErrors }) {
  if (!url) return await isListening(port, '127.0.0.1') || isListening(port, '::1');
  if (await answers(url, ignoreHTTPSErrors)) return true;
  const { pathname, href } = new URL(url);
  return pathname === '/' && answers(new URL('/index.html', href).href, ignoreHTTPSErrors);
}

/** Undefined when it answers, else why it doesn't. */
async function bringUp(server) {
  if (await isUp(server)) return undefined;
  const { command, cwd, env, timeout } = server;
  const child = spawn(command, { shell: true, cwd, env: { ...process.env, ...env }, stdio: ['ignore', 'ignore', 'pipe'] });
  let output = '', end;
  child.stderr.setEncoding('utf8').on('data', (text) => { output = (output + text).slice(-KEPT); });
  child.on('close', (code, signal) => { end = `ended with ${signal ?? code}`; }).on('error', ({ message }) => { end = message; });
  for (const until = Date.now() + timeout; Date.now() < until && end === undefined; await pause(PAUSE_MS))
    if (await isUp(server)) return undefined;
  const said = errorLine(output);
  return `its server (${command}) ${end ?? `did not answer within ${timeout / 1000} s`}${said ? `: ${said}` : ''}`;
}

const stop = () => process.kill(0, 'SIGKILL');
process.stdin.on('end', stop).resume();
let why;
for (const server of JSON.parse(process.argv[2])) why ??= await bringUp(server);
process.send({ why }, () => (why ? stop() : process.disconnect()));
