// The one checker of every fault: what must hold when a run has come to its end, whatever happened to it.
//
// It trusts nobody: the counts are made again from the tasks in Redis; that each task was counted once is read from
// what the workers wrote when it happened; how each task must end is known beforehand; and a controller that comes
// fresh to the finished run must say the same. Only then the product's own audit is asked.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { readFileSync } from 'node:fs';
import { promisify } from 'node:util';
import { waitFor } from '../e2e/harness.mjs';
import { processesOf } from './processes.mjs';

const execFileAsync = promisify(execFile);
const SNAPSHOT = readFileSync(new URL('snapshot.lua', import.meta.url), 'utf8');
const STATUS = { passed: 0, failed: 1, error: 3 };

// The kinds of flaws, as storm counts them.
export const LOST = 'lost';
export const TWICE = 'counted twice';
export const VERDICT = 'wrong verdict';
export const LEFT = 'process left';
export const COUNTS = 'counts';
export const EXIT = 'exit status';

// ---- what Redis says ----

async function takeSnapshot(scene) {
  const { stdout } = await execFileAsync('redis-cli', ['-p', String(scene.redisPort), 'EVAL', SNAPSHOT, '0'], {
    maxBuffer: 1 << 28,
  });
  const snapshot = JSON.parse(stdout);
  // Lua has one empty table for lists and objects.
  snapshot.queue = Object.values(snapshot.queue);
  snapshot.processing = Object.entries(snapshot.processing).flatMap(([list, tasks]) =>
    Object.values(tasks).map((task) => ({ list, task })));
  return snapshot;
}

function placesOf({ queue, processing }) {
  const places = new Map();
  const add = (task, place) => places.set(task, [...(places.get(task) ?? []), place]);
  for (const task of queue) add(task, 'taskqueue');
  for (const { list, task } of processing) add(task, list);
  return places;
}

function findMisplaced({ tasks, ...lists }, flaw) {
  const places = placesOf(lists);
  for (const [key, task] of Object.entries(tasks)) {
    const found = places.get(key) ?? [];
    const wanted = task.status === 'complete' ? 0 : 1;
    if (found.length !== wanted) flaw(found.length < wanted ? LOST : TWICE, `${key} is ${task.status} and in [${found}]`);
    if (task.status === 'processing' && found[0] !== `funkytown:processing:${task.worker}`)
      flaw(COUNTS, `${key} is processed by ${task.worker} and in ${found}`);
  }
  for (const key of places.keys()) if (!(key in tasks)) flaw(LOST, `${key} is in [${places.get(key)}] and has no hash`);
}

function findMiscounted({ meta, tasks }, expected, flaw) {
  const all = Object.values(tasks);
  const finished = all.filter((task) => task.status === 'complete').length;
  const wanted = {
    tasksremaining: String(all.length - finished),
    tasksfinished: String(finished),
    finished: finished === all.length ? '1' : '0',
  };
  for (const [name, value] of Object.entries(wanted))
    if (meta[name] !== value) flaw(COUNTS, `${name} is ${meta[name]}, the tasks say ${value}`);
  for (const key of expected.keys()) if (!(key in tasks)) flaw(LOST, `${key} isn't there`);
  for (const key of Object.keys(tasks)) if (!expected.has(key)) flaw(COUNTS, `${key} isn't of this run`);
}

function findMisjudged({ tasks }, expected, flaw) {
  for (const [key, result] of expected) {
    const task = tasks[key];
    if (task && task.status !== 'complete') flaw(LOST, `${key} is ${task.status} at the end: ${JSON.stringify(task)}`);
    else if (task && task.result !== result) flaw(VERDICT, `${key} is ${task.result} (${task.reason}), it must be ${result}`);
  }
}

// ---- what the workers wrote ----

function parseLine(line) {
  const fields = {};
  for (const [, name, plain, quoted] of line.matchAll(/(\w+)=(?:"((?:[^"\\]|\\.)*)"|(\S*))/g)) fields[name] = plain ?? quoted;
  return fields;
}

// What a worker did with tasks: [{ event: "claimed" | "settled" | "fenced" | "released", worker, task, attempt, result }]
function readDeeds(worker) {
  return worker.stderr.split('\n')
    .filter((line) => /event=task\.(claimed|settled|fenced|released)/.test(line))
    .map(parseLine)
    .map(({ event, task, attempt, result }) => ({ event: event.slice('task.'.length), worker, task, attempt, result }));
}

// Who was killed, or cut off for good, may have done what it could not tell any more.
const mayHaveBeenSilenced = (worker) =>
  worker.signals.includes('SIGKILL') || worker.mayDie || /event=(worker\.abandoned|redis\.refused)/.test(worker.stderr);

// Each deed that begins must end, in the words of the same worker.
function findUnended(deeds, worker, flaw) {
  const held = new Map();
  for (const { event, task, attempt } of deeds) {
    if (event === 'claimed' && held.has(task)) flaw(COUNTS, `${worker.id} claimed ${task} twice at once`);
    if (event === 'claimed') held.set(task, attempt);
    else held.delete(task);
  }
  if (mayHaveBeenSilenced(worker)) return;
  for (const [task, attempt] of held) flaw(COUNTS, `${worker.id} never said how attempt ${attempt} of ${task} ended`);
}

function findSettledAnew(task, settled, { attempt }, retries, flaw) {
  const failed = settled.filter((deed) => deed.attempt !== attempt && deed.result === 'failed');
  const final = settled.filter((deed) => deed.attempt === attempt || deed.result !== 'failed');
  if (final.length > 1 || failed.length > retries)
    flaw(TWICE, `${task} was settled as ${settled.map((deed) => `${deed.worker.id} ${deed.attempt} ${deed.result}`)}`);
}

// The settlement that Redis holds for good must be in the words of the worker that Redis names.
function findUnsettled(task, settled, hash, scene, flaw) {
  const wasGivenUp = hash.result === 'error' && /( lost|^handed back .*)$/.test(hash.reason);
  const own = settled.find((deed) => deed.attempt === hash.attempt && deed.worker.id === hash.worker);
  const namesakes = scene.workers.filter((worker) => worker.id === hash.worker);
  if (own && own.result !== hash.result) flaw(VERDICT, `${task}: ${own.worker.id} settled ${own.result}, Redis has ${hash.result}`);
  if (!own && !wasGivenUp && !namesakes.some(mayHaveBeenSilenced))
    flaw(LOST, `${task} is complete by attempt ${hash.attempt} of ${hash.worker}, which never settled it`);
}

function findMissettled(snapshot, scene, { hasForgotten = false, retries = 0 }, flaw) {
  const byTask = new Map([...scene.expected.keys()].map((key) => [key, []]));
  for (const worker of scene.workers) {
    const deeds = readDeeds(worker);
    if (!hasForgotten) findUnended(deeds, worker, flaw);
    for (const deed of deeds) if (deed.event === 'settled') byTask.get(deed.task)?.push(deed);
  }
  for (const [task, settled] of byTask) {
    const hash = snapshot.tasks[task];
    if (hash?.status !== 'complete') continue;
    if (!hasForgotten) findSettledAnew(task, settled, hash, retries, flaw);
    findUnsettled(task, settled, hash, scene, flaw);
  }
}

// ---- how the programs ended ----

function verdictOf(expected) {
  const results = [...expected.values()];
  return results.includes('failed') ? 'failed' : results.includes('error') ? 'error' : 'passed';
}

// What a program may end with: by itself, or by what the test has sent it.
function findBadExit(program, status, byItself, flaw) {
  const allowed = program.mayEnd ?? [byItself];
  if (program.signals.includes('SIGTERM')) allowed.push(143);
  if (program.signals.includes('SIGKILL') || program.mayDie) allowed.push('SIGKILL');
  if (!allowed.includes(status)) flaw(EXIT, `${program.id ?? program.name} ended with ${status}, not ${allowed}:\n${program.output}`);
}

async function awaitPrograms(scene, flaw) {
  const verdict = STATUS[verdictOf(scene.expected)];
  for (const program of [...scene.controllers, ...scene.workers]) {
    const byItself = scene.controllers.includes(program) ? verdict : 0;
    findBadExit(program, await program.exit(), byItself, flaw);
  }
}

async function findLeft(scene, flaw) {
  const ours = new Set(scene.programs.filter((program) => program.isRunning).map((program) => program.pid));
  const left = () => processesOf(scene).filter(({ pid }) => !ours.has(pid));
  // A supervisor whose worker was killed kills what it has before it goes.
  await waitFor('nobody to be left', () => left().length === 0, 3000).catch(() => undefined);
  for (const { pid, line } of left()) flaw(LEFT, `${pid} ${line}`);
}

// ---- what a controller says that comes fresh to the finished run ----

function countsOf(snapshot) {
  const counts = { total: 0, queued: 0, running: 0, passed: 0, failed: 0, flaky: 0, error: 0, cancelled: 0, skipped: 0 };
  for (const task of Object.values(snapshot.tasks)) {
    counts.total++;
    if (task.status === 'complete') counts[task.result === 'passed' && task.flaky === '1' ? 'flaky' : task.result]++;
  }
  return counts;
}

async function findMisreported(scene, snapshot, flaw) {
  const args = ['--run-id', snapshot.meta.runid, scene.mapFile];
  const verdict = verdictOf(scene.expected);
  const server = scene.spawn('controller', `${scene.bin}/controller`, ['--http-port', '0', ...args], scene.env);
  const summary = await waitFor('a summary of the finished run', async () => {
    const found = await scene.api(server, '').catch(() => undefined);
    return found?.state === 'finished' && found;
  });
  server.kill('SIGTERM');
  const status = await server.exit();
  if (status !== 143) flaw(EXIT, `a controller that serves the run ended with ${status} after SIGTERM`);
  if (summary.verdict !== verdict) flaw(VERDICT, `the API says ${summary.verdict}, it must be ${verdict}`);
  for (const [name, count] of Object.entries(countsOf(snapshot)))
    if (summary.counts[name] !== count) flaw(COUNTS, `the API counts ${summary.counts[name]} ${name}, Redis has ${count}`);
  const teller = scene.spawn('controller', `${scene.bin}/controller`, ['--http-port', '0', '--once', ...args], scene.env);
  const told = await teller.exit();
  if (told !== STATUS[verdict]) flaw(VERDICT, `a controller of the finished run ended with ${told}, it must be ${STATUS[verdict]}`);
}

async function findAudited(scene, flaw) {
  const audit = scene.spawn('audit', `${scene.bin}/controller`, ['--audit'], scene.env);
  if ((await audit.exit()) !== 0) flaw(COUNTS, `the audit says:\n${audit.output}`);
}

function findMistold(scene, flaw) {
  const verdict = verdictOf(scene.expected);
  const total = scene.expected.size;
  for (const { stdout } of scene.controllers) {
    const line = stdout.match(/^(?:passed|failed|error|cancelled|skipped): .*$/m)?.[0];
    if (line && !line.startsWith(`${verdict}: ${total}/${total} `)) flaw(VERDICT, `a controller said "${line}"`);
  }
}

// ---- all of it ----

// Waits for the end of the run and of its programs. [{ kind, text }], empty when all is as it must be.
//   hasForgotten   Redis came back with an older state: what was settled may have been settled again
//   retries        how often a task may fail before it has failed
export async function findFlaws(scene, expectations = {}) {
  const flaws = [];
  const flaw = (kind, text) => flaws.push({ kind, text });
  await awaitPrograms(scene, flaw);
  await findLeft(scene, flaw);
  const snapshot = await takeSnapshot(scene);
  findMisplaced(snapshot, flaw);
  findMiscounted(snapshot, scene.expected, flaw);
  findMisjudged(snapshot, scene.expected, flaw);
  findMissettled(snapshot, scene, expectations, flaw);
  findMistold(scene, flaw);
  await findMisreported(scene, snapshot, flaw);
  await findAudited(scene, flaw);
  return flaws;
}

// As many of them as a reader can bear.
const SHOWN = 20;

function assertNone(flaws) {
  const shown = flaws.slice(0, SHOWN).map(({ kind, text }) => `${kind}: ${text}`);
  if (flaws.length > 0) assert.fail(`${flaws.length} flaws\n${shown.join('\n')}`);
}

export async function assertSound(scene, expectations) {
  assertNone(await findFlaws(scene, expectations));
}

// What must hold at every moment of an open run: each task in one place, and the counts those of the tasks.
export async function assertConsistent(scene) {
  const flaws = [];
  const flaw = (kind, text) => flaws.push({ kind, text });
  const snapshot = await takeSnapshot(scene);
  findMisplaced(snapshot, flaw);
  findMiscounted(snapshot, scene.expected, flaw);
  await findAudited(scene, flaw);
  assertNone(flaws);
}
