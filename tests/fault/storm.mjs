// A storm: runs of many tasks under a random mix of everything, and the checker after each.
//
//     node tests/fault/storm.mjs RUNS [--seed S] [--tasks 500] [--workers 50]
//
// The seed decides what happens and after how many started tasks; with the same seed the same is tried again. Ends with
// the totals, and 1 if there was a flaw.

import { rmSync } from 'node:fs';
import { parseArgs } from 'node:util';
import { waitFor } from '../e2e/harness.mjs';
import { Chance } from './chance.mjs';
import { COUNTS, EXIT, findFlaws, LEFT, LOST, TWICE, VERDICT } from './checker.mjs';
import { Scene } from './scene.mjs';
import { caughtUp, demote, lead, promote, startBoth, tell } from './servers.mjs';

const { values, positionals } = parseArgs({ allowPositionals: true, options: {
  seed: { type: 'string' }, tasks: { type: 'string', default: '500' }, workers: { type: 'string', default: '50' },
} });
const RUNS = Number(positionals[0] ?? 1);
const TASKS = Number(values.tasks);
const WORKERS = Number(values.workers);
// A storm is no reason to give a task up.
const ENV = { FUNKYTOWN_MAX_CRASHES: '1000' };

// Some take longer, some leave a daemon behind, some fail: as their names say. In the second edition of the specs those
// that are slow fail as well.
const SCRIPT = `
while [ -e "$HOME/held" ]; do sleep 0.5; done
echo "$FUNKYTOWN_SPEC $$" >>"$HOME/started"
case "$FUNKYTOWN_SPEC" in *daemon*) setsid sleep 600 & ;; esac
case "$FUNKYTOWN_SPEC" in *slow*) sleep 0.3;; *) sleep 0.03;; esac
case "$FUNKYTOWN_SPEC" in *fail*) exit 1;; esac
case "$FUNKYTOWN_SPEC" in *slow*) [ ! -e "$HOME/second-edition" ] || exit 1;; esac`;

const specName = (i) => ['slow', 'quick', 'quick', 'daemon', 'quick', 'quick-fail', 'quick', 'slow-daemon-fail'][i % 8] + `-${i}`;

class Storm {
  constructor(scene, chance) {
    Object.assign(this, { scene, chance, stopped: [], earlier: 0, source: 'first' });
    this.deeds = { killed: 0, stopped: 0, redis: 0, controller: 0, failover: 0, clock: 0, impostor: 0, edited: 0 };
  }

  async begin() {
    const { scene, chance } = this;
    scene.makeClockSettable();
    await startBoth(scene);
    this.proxy = await scene.proxy();
    this.tellPrograms();
    const failing = chance.next() < 0.5;
    this.specs = Array.from({ length: TASKS }, (_, i) => (failing ? specName(i) : specName(i).replace('-fail', '')));
    this.map = scene.map(SCRIPT, this.specs);
    this.controller = scene.controller(this.args, ENV);
    scene.startWorkers(WORKERS);
  }

  // With an id, a controller that is started when the run has already ended serves it, and doesn't begin another.
  get args() {
    return ['--once', '--run-id', 'storm', this.map];
  }

  // Where Redis is and what is tested, to whoever is started from now on.
  tellPrograms() {
    this.scene.env = { ...this.proxy.env, FUNKYTOWN_SOURCE: this.source };
  }

  aWorker() {
    return this.chance.pick(this.scene.workers.filter((worker) => worker.isRunning && !this.stopped.includes(worker)));
  }

  killWorker() {
    this.aWorker()?.kill('SIGKILL');
    this.scene.worker();
    this.deeds.killed += 1;
  }

  // Goes on after one of the next faults: sometimes within its lease, sometimes long after.
  stopWorker() {
    const worker = this.aWorker();
    if (!worker) return;
    worker.kill('SIGSTOP');
    this.stopped.push(worker);
    this.deeds.stopped += 1;
  }

  continueWorker() {
    this.stopped.shift()?.kill('SIGCONT');
  }

  async restartRedis() {
    await this.scene.killRedis();
    await this.scene.restartRedis();
    this.tellPrograms();
    this.deeds.redis += 1;
  }

  async restartController() {
    this.controller = await this.scene.replaceController(this.controller, this.args, ENV);
    this.deeds.controller += 1;
  }

  // Nothing that was acknowledged is lost, as what the master has received and not done yet waits, too; half of the time
  // the connections to the old master are kept.
  async failOver() {
    const { scene, proxy } = this;
    proxy.set({ up: 'hold' });
    await tell(scene.master, 'client', 'pause', '60000', 'write');
    await caughtUp(scene);
    await promote(scene);
    lead(scene, proxy);
    this.tellPrograms();
    await demote(scene.replica, scene.master);
    await tell(scene.replica, 'client', 'unpause');
    if (this.chance.next() < 0.5) await tell(scene.replica, 'client', 'kill', 'type', 'normal');
    proxy.set({ up: 'flow' });
    this.deeds.failover += 1;
  }

  setClock() {
    this.scene.setClock(this.chance.pick([30, -40, 3600, -3600, 2, -2, 0]));
    this.deeds.clock += 1;
  }

  // Somebody begins a run of changed specs while ours is alive: it is refused, and nothing of ours is touched. (After an
  // outage that was longer than a lease nobody is known to be, until the controller has renewed its own.) Meanwhile no
  // task begins: a finished run whose controller has gone is replaced, and rightly so.
  async sendImpostor() {
    const { scene } = this;
    const gate = scene.file('held', '');
    if (Number(await scene.redis('hget', 'runmeta', 'tasksremaining')) <= WORKERS) {
      rmSync(gate);
      return;
    }
    await waitFor('the controller to hold its lease', async () => (await scene.redis('exists', 'funkytown:controller'))[0] === '1');
    const impostor = scene.spawn('controller', `${scene.bin}/controller`, ['--http-port', '0', ...this.args],
      { ...scene.env, ...ENV, FUNKYTOWN_SOURCE: 'an impostor' });
    const status = await impostor.exit();
    rmSync(gate);
    if (status !== 2) throw new Error(`an impostor ended with ${status}, not 2:\n${impostor.output}`);
    this.deeds.impostor += 1;
  }

  // Everything is killed, the specs are changed, and all begins anew: nothing of the first edition may count.
  async editSpecs() {
    const { scene, chance } = this;
    const signal = chance.pick(['SIGKILL', 'SIGTERM']);
    while (this.stopped.length > 0) this.continueWorker();
    const programs = [this.controller, ...scene.workers].filter((program) => program.isRunning);
    for (const program of programs) program.kill(signal);
    for (const program of programs) await program.exit();
    scene.workers.length = 0;
    scene.controllers.length = 0;
    scene.file('second-edition', '');
    for (const [i, spec] of this.specs.entries()) if (spec.includes('slow')) scene.expected.set(`task:g:${i}`, 'failed');
    this.source = 'second';
    this.tellPrograms();
    this.earlier = scene.lines('started').length;
    this.controller = scene.controller(this.args, ENV);
    await this.controller.says(/beginning anew/); // whoever came earlier would work for the first edition
    scene.startWorkers(WORKERS);
    this.deeds.edited += 1;
  }

  async rage() {
    const { scene, chance } = this;
    const faults = [() => this.killWorker(), () => this.killWorker(), () => this.stopWorker(), () => this.stopWorker(),
      () => this.continueWorker(), () => this.restartRedis(), () => this.restartController(), () => this.failOver(),
      () => this.setClock()];
    let editAt = chance.next() < 0.5 ? TASKS * chance.between(1, 5) / 10 : Infinity;
    for (let seen = 0; seen < TASKS * 0.9; seen += chance.between(1, TASKS / 20)) {
      await scene.started(this.earlier + seen);
      if (seen >= editAt) {
        await this.editSpecs();
        editAt = Infinity;
        seen = 0;
      } else {
        const early = seen < TASKS / 2 ? [() => this.sendImpostor()] : [];
        await chance.pick([...faults, ...early])();
      }
    }
    while (this.stopped.length > 0) this.continueWorker();
  }
}

const KINDS = { [LOST]: 0, [TWICE]: 0, [VERDICT]: 0, [LEFT]: 0, [COUNTS]: 0, [EXIT]: 0 };

// Where everything is when a run doesn't come to its end.
async function describe(scene, storm) {
  const audit = scene.spawn('audit', `${scene.bin}/controller`, ['--audit'], scene.env);
  await audit.exit();
  const held = "local r = {} for _, k in ipairs(redis.call('KEYS', 'funkytown:processing:*')) do "
    + "r[#r + 1] = k .. ' ' .. table.concat(redis.call('LRANGE', k, 0, -1), ' ') end return r";
  const asked = [['hgetall', 'runmeta'], ['lrange', 'taskqueue', '0', '-1'], ['eval', held, '0'],
    ['zrange', 'funkytown:workers', '0', '-1', 'withscores'], ['zrange', 'funkytown:graves', '0', '-1'], ['time']];
  const answers = [];
  for (const words of asked) answers.push(`${words.slice(0, 2)}: ${await scene.redis(...words)}`);
  const running = scene.workers.filter((worker) => worker.isRunning)
    .map((worker) => `${worker.id} (${worker.signals}): ${worker.stderr.split('\n').slice(-8).join('\n    ')}`);
  return [audit.output, ...answers, ...running, storm.controller.output].join('\n');
}

async function play(number, seed) {
  const began = performance.now();
  const closers = [];
  const scene = new Scene({ after: (close) => closers.push(close) });
  const storm = new Storm(scene, new Chance(seed));
  let flaws;
  try {
    await storm.begin();
    await storm.rage();
    flaws = await findFlaws(scene);
  } catch (error) {
    flaws = [{ kind: LOST, text: `${error.stack}\n${await describe(scene, storm)}` }];
  } finally {
    for (const close of closers) await close();
  }
  for (const { kind } of flaws) KINDS[kind] += 1;
  const deeds = Object.entries(storm.deeds).map(([deed, count]) => `${deed} ${count}`).join(', ');
  const took = ((performance.now() - began) / 1000).toFixed(1);
  console.log(`run ${number}, seed ${seed}: ${deeds}; ${took} s: ${flaws.length === 0 ? 'sound' : `${flaws.length} FLAWS`}`);
  for (const { kind, text } of flaws.slice(0, 20)) console.log(`    ${kind}: ${text.split('\n').slice(0, 300).join('\n        ')}`);
}

const first = new Chance(values.seed === undefined ? undefined : Number(values.seed)).seed;
console.log(`${RUNS} runs of ${TASKS} tasks and ${WORKERS} workers, first seed ${first}`);
for (let i = 0; i < RUNS; i += 1) await play(i + 1, first + i);
console.log(Object.entries(KINDS).map(([kind, count]) => `${count} ${kind}`).join(', '));
process.exit(Object.values(KINDS).some((count) => count > 0) ? 1 : 0); // Node's own end was seen to spin for ever
