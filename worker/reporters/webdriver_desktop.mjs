// What WebdriverIO doesn't start itself: a display for browsers that need one, and WebKitGTK's driver.
//
// Any number of runners may start side by side: the X server itself chooses a display that is free, and the driver listens
// on a loopback address of its own. Both end with this process.

import { spawn } from 'node:child_process';
import { once } from 'node:events';
import fs from 'node:fs';
import net from 'node:net';
import path from 'node:path';
import { setTimeout } from 'node:timers/promises';

const POLL_MS = 20;

/** The path of the first of these programs that is in PATH. */
export function inPath(...names) {
  for (const name of names)
    for (const folder of (process.env.PATH ?? '').split(path.delimiter)) {
      const file = path.join(folder, name);
      if (folder && fs.existsSync(file)) return file;
    }
  return undefined;
}

/** A child that neither keeps this process alive nor outlives it. */
function startChild(program, args, { extraPipe = 'ignore', env } = {}) {
  const child = spawn(program, args, { stdio: ['ignore', 'ignore', 'pipe', extraPipe], env: { ...process.env, ...env } });
  child.said = '';
  child.stderr.setEncoding('utf8').on('data', (text) => { child.said = (child.said + text).slice(-4096); });
  child.stderr.unref();
  child.unref();
  process.once('exit', () => child.kill());
  return child;
}

const lastLine = (text) => text.trim().split('\n').at(-1);

/** Starts an X server with a screen of this size: the name of its display, ":0". */
export async function startDisplay(width, height) {
  const server = startChild('Xvfb', ['-displayfd', '3', '-screen', '0', `${width}x${height}x24`, '-nolisten', 'tcp'], { extraPipe: 'pipe' });
  const chosen = server.stdio[3];
  const number = await new Promise((resolve, reject) => {
    server.once('error', (error) => reject(new Error(`Xvfb can't be started: ${error.message}`)));
    server.once('close', () => reject(new Error(`Xvfb ended: ${lastLine(server.said)}`)));
    let text = '';
    chosen.setEncoding('utf8').on('data', (part) => {
      text += part;
      if (text.endsWith('\n')) resolve(text.trim());
    });
  });
  chosen.destroy();
  return `:${number}`;
}

/** A loopback address that no other process takes for its own: made of this one's number. */
const OWN_ADDRESS = `127.${process.pid >> 16}.${(process.pid >> 8) & 255}.${process.pid & 255}`;

async function findPort() {
  const server = net.createServer().listen(0, OWN_ADDRESS);
  await once(server, 'listening');
  const { port } = server.address();
  server.close();
  await once(server, 'close');
  return port;
}

const answers = (port) => new Promise((resolve) => {
  const socket = net.connect(port, OWN_ADDRESS, () => { socket.destroy(); resolve(true); }).on('error', () => resolve(false));
});

/** Starts WebKitGTK's driver on this display: { hostname, port } where it listens. */
export async function startWebKitDriver(display) {
  const port = await findPort();
  const driver = startChild('WebKitWebDriver', [`--host=${OWN_ADDRESS}`, `--port=${port}`], { env: { DISPLAY: display } });
  let failure;
  driver.once('error', (error) => { failure = `can't be started: ${error.message}`; });
  driver.once('close', () => { failure ??= `ended: ${lastLine(driver.said)}`; });
  while (!(await answers(port))) {
    if (failure) throw new Error(`WebKitWebDriver ${failure}`);
    await setTimeout(POLL_MS);
  }
  return { hostname: OWN_ADDRESS, port };
}
