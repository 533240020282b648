// The stage of a fault: a run of which it is known beforehand how each task must end, and all of its programs under
// one mark, so that whatever is left of them can be found.

import { execFileSync } from 'node:child_process';
import { randomBytes } from 'node:crypto';
import { closeSync, constants, mkdirSync, openSync, symlinkSync, writeFileSync, writeSync } from 'node:fs';
import { join } from 'node:path';
import { build, Stage, waitFor } from '../e2e/harness.mjs';
import { assertConsistent, assertSound } from './checker.mjs';
import { Proxy } from './proxy.mjs';

// Losing nothing that was acknowledged: a restart must not be noticed by the counts.
export const DURABLE = ['--appendonly', 'yes', '--appendfsync', 'always'];

// The work of a task named "pass-3", "fail-4", "hold-5" …: its line in `started`, some time, its line in `ended`.
const workScript = (seconds) => `
echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"
case "$FUNKYTOWN_SPEC" in hold*) read -r _ <"$HOME/gate";; *) sleep ${seconds};; esac
echo "$FUNKYTOWN_SPEC" >>"$HOME/ended"
case "$FUNKYTOWN_SPEC" in *fail*) exit 1;; esac`;

export class Scene extends Stage {
  constructor(t) {
    super(t);
    this.mark = randomBytes(12).toString('hex');
    this.workers = [];
    this.controllers = [];
    this.expected = new Map(); // task key -> result; what isn't there isn't part of the run
    this.gate = undefined;
    this.closers = [];
    // Under a name of their own the programs can be told from those of other runs by their command lines.
    this.bin = join(this.folder, 'bin');
    mkdirSync(this.bin);
    for (const name of ['controller', 'worker']) symlinkSync(join(build, 'bin', name), join(this.bin, name));
  }

  async close() {
    if (this.gate !== undefined) closeSync(this.gate);
    for (const closer of this.closers) await closer();
    await super.close();
  }

  spawn(name, file, args, env = {}) {
    const clock = name === 'redis' ? this.clockEnv : {};
    return super.spawn(name, file, args, { FUNKYTOWN_TEST_MARK: this.mark, ...clock, ...env });
  }

  // Before the server is started: its clock can be set then, with setClock().
  makeClockSettable() {
    const file = join(this.folder, 'shift');
    writeFileSync(file, Buffer.alloc(8));
    this.clock = openSync(file, 'r+');
    this.closers.push(() => closeSync(this.clock));
    this.clockEnv = { LD_PRELOAD: join(build, 'tests/shifted_clock.so'), CLOCK_SHIFT_FILE: file };
  }

  // From now on Redis' clock is so many seconds ahead.
  setClock(seconds) {
    const bytes = Buffer.alloc(8);
    bytes.writeBigInt64LE(BigInt(seconds));
    writeSync(this.clock, bytes, 0, 8, 0);
  }

  async startRedis(args = DURABLE, port = undefined) {
    this.server = await super.startRedis(args, port);
    this.serverArgs = args;
    return this.server;
  }

  // A proxy before the server; programs that are given its `env` go through it.
  async proxy() {
    const proxy = await Proxy.start(this.redisPort);
    this.closers.push(() => proxy.close());
    return proxy;
  }

  async killRedis() {
    this.server.kill('SIGKILL');
    await this.server.exit();
  }

  restartRedis() {
    return this.startRedis(this.serverArgs, this.redisPort);
  }

  // `specs` are names; a name says how its task ends: with "fail" in it, failed; with "error", error; else passed.
  map(script, specs, more) {
    specs.forEach((spec, i) => {
      const result = spec.includes('fail') ? 'failed' : spec.includes('error') ? 'error' : 'passed';
      this.expected.set(`task:g:${i}`, result);
    });
    this.mapFile = super.map(script, specs, more);
    return this.mapFile;
  }

  // A map of so many tasks that take so long each; every `failing`th of them fails, the first `holding` of them wait
  // until open() is called.
  work(count, { ms = 20, failing = 0, holding = 0, more = {} } = {}) {
    const kind = (i) => (i < holding ? 'hold' : failing && i % failing === failing - 1 ? 'fail' : 'pass');
    const specs = Array.from({ length: count }, (_, i) => `${kind(i)}-${i}`);
    if (holding) execFileSync('mkfifo', [join(this.folder, 'gate')]);
    return this.map(workScript(ms / 1000), specs, more);
  }

  // Lets go of the tasks that hold, and of all that come after.
  open() {
    this.gate = openSync(join(this.folder, 'gate'), constants.O_RDWR | constants.O_NONBLOCK);
    writeSync(this.gate, '\n'.repeat(4096));
  }

  controller(args = [], env = {}) {
    const program = super.controller(args, { FUNKYTOWN_LEASE_S: '1', ...env });
    this.controllers.push(program);
    return program;
  }

  // `wrapper`: a program that becomes the worker, as `prlimit --nofile=24` does.
  worker(env = {}, wrapper = []) {
    const id = env.FUNKYTOWN_WORKER_ID ?? `w${this.workers.length + 1}`;
    const [file, ...args] = [...wrapper, join(this.bin, 'worker')];
    const program = this.spawn('worker', file, args, { ...this.env, SPEC_ROOT: this.specs, ...env, FUNKYTOWN_WORKER_ID: id });
    program.id = id;
    this.workers.push(program);
    return program;
  }

  startWorkers(count, env = {}) {
    return Array.from({ length: count }, () => this.worker(env));
  }

  // The pids of the runners of a spec, in the order in which they were started.
  runners(spec = '') {
    return this.lines('started').filter((line) => line.startsWith(spec)).map((line) => Number(line.split(' ')[1]));
  }

  started(count, limitMs) {
    return waitFor(`${count} runners to have started`, () => this.lines('started').length >= count, limitMs);
  }

  ended(count, limitMs) {
    return waitFor(`${count} runners to have ended`, () => this.lines('ended').length >= count, limitMs);
  }

  // Kills the controller and starts it again; the new one.
  async replaceController(controller, args, env) {
    controller.kill('SIGKILL');
    await controller.exit();
    return this.controller(args, env);
  }

  // What must hold at any moment holds now.
  async consistent() {
    await assertConsistent(this);
  }

  // The run must come to its end, and be what it must be.
  async sound(expectations) {
    await assertSound(this, expectations);
  }
}
