// What the whole way of a task costs: tasks of a runner that does nothing, from the start of the controller (with a Redis
// of its own) to its verdict, two at a time; against a bare posix_spawn loop, two at a time. The two take turns, so that
// a busy machine slows down both.
//
//     node tests/bench/queue_bench.mjs [TASKS [ROUNDS]]

import { spawn } from 'node:child_process';
import { join } from 'node:path';
import { build, freePort, Stage } from '../e2e/harness.mjs';

const SLOTS = 2;
const [tasks = 20_000, rounds = 3] = process.argv.slice(2).map(Number);

async function seconds(work) {
  const began = performance.now();
  await work();
  return (performance.now() - began) / 1000;
}

const ended = (child) => new Promise((done, failed) => child.on('error', failed).on('close', done));

async function bareLoop() {
  const status = await ended(spawn(join(build, 'bin/bare_bench'), [String(tasks), String(SLOTS)], { stdio: 'inherit' }));
  if (status !== 0) throw new Error(`the bare loop ended with ${status}`);
}

async function funkytown(stage, map) {
  const args = ['--once', '--workers', '1', '--redis-port', String(await freePort()), '--data-dir', join(stage.folder, String(Math.random())), map];
  const controller = stage.controller(args, { SPEC_ROOT: stage.specs, FUNKYTOWN_SLOTS: String(SLOTS), FUNKYTOWN_LOG_LEVEL: 'warn' });
  const status = await controller.exit(600_000);
  if (status !== 0 || !controller.stdout.includes(`passed: ${tasks}/${tasks}`)) throw new Error(`funkytown ended with ${status}: ${controller.output}`);
}

const cleanUps = [];
const stage = new Stage({ after: (cleanUp) => cleanUps.push(cleanUp) });
const specs = Array.from({ length: tasks }, (_, i) => `spec-${i}`);
const map = stage.file('map.json', {
  runners: { nothing: { argv: ['/bin/true'] } },
  groups: [{ name: 'g', runner: 'nothing', tasks: specs.map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] })) }],
});
const ratios = [];
try {
  for (let round = 0; round < rounds; round += 1) {
    const bare = await seconds(bareLoop);
    const ours = await seconds(() => funkytown(stage, map));
    ratios.push(ours / bare);
    console.log(`${tasks} tasks, ${SLOTS} at a time: bare ${bare.toFixed(1)} s, funkytown ${ours.toFixed(1)} s, ratio ${(ours / bare).toFixed(2)}`);
  }
} finally {
  for (const cleanUp of cleanUps) await cleanUp();
}
console.log(`median ratio ${ratios.sort((a, b) => a - b)[Math.floor(ratios.length / 2)].toFixed(2)}`);
