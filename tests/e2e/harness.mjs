// What the end-to-end tests stand on: the real programs, a private Redis, a temporary folder, and waiting for conditions.
//
// Everything that a test starts is ended when it ends; only those processes are ever signalled. FUNKYTOWN_BUILD names
// the build folder, so that the same tests run on the sanitizers' programs.

import { execFile, execFileSync, spawn } from 'node:child_process';
import { copyFileSync, mkdtempSync, mkdirSync, rmSync, writeFileSync, readdirSync, readFileSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { dirname, join, resolve } from 'node:path';
import { scheduler } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';

const execFileAsync = promisify(execFile);
export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
export const build = resolve(projectRoot, process.env.FUNKYTOWN_BUILD ?? 'build');
const LIMIT_MS = 180_000;
const PAUSE_MS = 20;

// Polls until `condition` returns something true, and returns it; says what it waited for (a text, or a function that
// makes it then) when it takes too long.
export async function waitFor(what, condition, limitMs = LIMIT_MS) {
  const end = Date.now() + limitMs;
  for (;;) {
    const value = await condition();
    if (value) return value;
    if (Date.now() > end) throw new Error(`waited ${limitMs} ms for: ${typeof what === 'function' ? what() : what}`);
    await scheduler.wait(PAUSE_MS);
  }
}

export function freePort() {
  return new Promise((done, failed) => {
    const server = createServer();
    server.on('error', failed);
    server.listen(0, '127.0.0.1', () => {
      const { port } = server.address();
      server.close(() => done(port));
    });
  });
}

// A program under test. `output` grows as it writes; `signals` are those that the test has sent it.
class Program {
  constructor(name, child) {
    this.name = name;
    this.child = child;
    this.stdout = '';
    this.stderr = '';
    this.signals = [];
    child.stdout.on('data', (text) => (this.stdout += text));
    child.stderr.on('data', (text) => (this.stderr += text));
    this.ended = new Promise((done) => child.on('close', (code, signal) => done(code ?? signal)));
  }

  get output() {
    return this.stdout + this.stderr;
  }

  get pid() {
    return this.child.pid;
  }

  get isRunning() {
    return this.child.exitCode === null && this.child.signalCode === null;
  }

  kill(signal = 'SIGTERM') {
    if (this.child.kill(signal)) this.signals.push(signal);
  }

  type(keys) {
    this.child.stdin.write(keys);
  }

  // The first match of the pattern in what it has written or will write.
  async says(pattern) {
    return waitFor(() => `${this.name} to say ${pattern}; it said:\n${this.output}`, () => {
      const match = this.output.match(pattern);
      if (!match && !this.isRunning) throw new Error(`${this.name} ended without ${pattern}:\n${this.output}`);
      return match;
    });
  }

  // Its exit status, or the name of the signal that ended it.
  async exit(limitMs = LIMIT_MS) {
    let status;
    this.ended.then((value) => (status = value));
    await waitFor(() => `${this.name} to end; it said:\n${this.output}`, () => status !== undefined, limitMs);
    if (/loop\.open/.test(this.stderr)) throw new Error(`${this.name} ended with open handles:\n${this.output}`);
    return status;
  }
}

// The stage of one test: `t` is node:test's context.
export class Stage {
  constructor(t) {
    this.folder = mkdtempSync(join(tmpdir(), 'funkytown-e2e-'));
    this.specs = join(this.folder, 'specs');
    mkdirSync(this.specs);
    this.bin = join(build, 'bin');
    this.programs = [];
    this.env = {};
    t.after(() => this.close());
  }

  async close() {
    for (const program of this.programs) if (program.isRunning) program.kill('SIGKILL');
    await Promise.all(this.programs.map((program) => program.ended));
    rmSync(this.folder, { recursive: true, force: true });
  }

  spawn(name, file, args, env = {}, stdin = 'ignore') {
    const clean = { PATH: process.env.PATH, HOME: this.folder, TMPDIR: this.folder, ...env };
    const child = spawn(file, args, { cwd: this.folder, env: clean, stdio: [stdin, 'pipe', 'pipe'] });
    const program = new Program(name, child);
    this.programs.push(program);
    return program;
  }

  async startRedis(args = [], port = undefined) {
    this.redisPort = port ?? (await freePort());
    const redis = this.spawn('redis', 'redis-server', [
      '--port', String(this.redisPort), '--bind', '127.0.0.1', '--save', '', '--dir', this.folder, ...args,
    ]);
    await redis.says(/Ready to accept connections/);
    this.env = { REDIS_HOST: '127.0.0.1', REDIS_PORT: String(this.redisPort) };
    return redis;
  }

  // redis-cli's answer as lines.
  async redis(...args) {
    const { stdout } = await execFileAsync('redis-cli', ['-p', String(this.redisPort), ...args]);
    return stdout.split('\n').slice(0, -1);
  }

  async hash(key) {
    const lines = await this.redis('hgetall', key);
    const hash = {};
    for (let i = 0; i + 1 < lines.length; i += 2) hash[lines[i]] = lines[i + 1];
    return hash;
  }

  file(name, content, mode) {
    const path = join(this.folder, name);
    mkdirSync(dirname(path), { recursive: true });
    writeFileSync(path, typeof content === 'string' ? content : JSON.stringify(content), { mode });
    return path;
  }

  // A spec map whose runner is a shell script; `specs` are names, each for desktop chrome.
  map(script, specs, more = {}) {
    this.file('runner.sh', `#!/bin/sh\n${script}\n`, 0o755);
    return this.file('map.json', {
      runners: { script: { argv: [join(this.folder, 'runner.sh')] } },
      groups: [{ name: 'g', runner: 'script', tasks: specs.map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] })) }],
      ...more,
    });
  }

  controller(args = [], env = {}) {
    const port = args.includes('--http-port') ? [] : ['--http-port', '0'];
    return this.spawn('controller', join(this.bin, 'controller'), [...port, ...args], { ...this.env, ...env });
  }

  // The controller on a terminal of so many columns (script(1) makes one), which its `type` types on.
  controllerOnTerminal(columns, args, env = {}) {
    const words = [join(this.bin, 'controller'), '--http-port', '0', ...args].map((word) => `'${word}'`).join(' ');
    return this.spawn('controller', 'script', ['-qefc', `stty cols ${columns}; exec ${words}`, '/dev/null'],
      { TERM: 'xterm', SHELL: '/bin/sh', ...this.env, ...env }, 'pipe');
  }

  worker(env = {}, args = []) {
    return this.spawn('worker', join(this.bin, 'worker'), args, { ...this.env, SPEC_ROOT: this.specs, ...env });
  }

  // The address of a controller's report, without its path.
  async url(controller) {
    const match = await controller.says(/report at (http:\/\/\S+)\/results/);
    return match[1];
  }

  async api(controller, path) {
    const answer = await fetch(`${await this.url(controller)}/api/v1/runs/current${path}`);
    if (!answer.ok) throw new Error(`${path}: ${answer.status} ${await answer.text()}`);
    return answer.json();
  }

  // What an embedded Redis has written so far, below the default data folder.
  appendOnly() {
    const folder = join(this.folder, '.funkytown/redis/appendonlydir');
    return readdirSync(folder).map((name) => readFileSync(join(folder, name), 'latin1')).join('');
  }

  lines(name) {
    try {
      return readFileSync(join(this.folder, name), 'utf8').split('\n').filter(Boolean);
    } catch {
      return [];
    }
  }
}

const NOBODY = '65534';

// As root nothing is closed to anybody, so then the programs run as somebody else.
export class UnprivilegedStage extends Stage {
  constructor(t) {
    super(t);
    for (const name of ['controller', 'worker']) {
      mkdirSync(join(this.folder, 'bin'), { recursive: true });
      copyFileSync(join(this.bin, name), join(this.folder, 'bin', name));
    }
    this.bin = join(this.folder, 'bin');
  }

  spawn(name, file, args, env, stdin) {
    if (process.getuid() !== 0) return super.spawn(name, file, args, env, stdin);
    execFileSync('chown', ['-R', `${NOBODY}:${NOBODY}`, this.folder]);
    return super.spawn(name, 'setpriv', ['--reuid', NOBODY, '--regid', NOBODY, '--clear-groups', '--', file, ...args], env, stdin);
  }
}

// Whether a process with this pid exists and isn't a zombie.
export function isAlive(pid) {
  try {
    return !/^State:\s+Z/m.test(readFileSync(`/proc/${pid}/status`, 'utf8'));
  } catch {
    return false;
  }
}
