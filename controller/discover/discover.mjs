// Makes a spec map of the configurations that a folder has, by asking the runners that these are for. The controller starts it
// once, before a run (controller/discovery.h), as
//
//   node discover.mjs '{"place":"/abs/folder or file","grep":null,"tag":null,"onlyChanged":null,"forRun":true,"serves":true}'
//
// and it answers with one JSON line on standard output:
//
//   {"root":"/abs","map":"{…}","notes":["…"]}    SPEC_ROOT, the spec map's text, and a line for each thing that it could not know
//   {"refused":"…"}                              why there is no map, as one line
//
// Nothing is guessed from sources: Playwright lists its tests (playwright_list.mjs), the configurations of Cypress and
// WebdriverIO are loaded by Node (cypress_list.cjs, webdriver_list.mjs), each in a process of its own, as they are other
// people's code. When our standard input ends, the controller has gone, and so do we with all that we have started.
//
// Of several configurations in one folder all are taken. forRun: a browser that isn't installed is excluded, with its reason;
// a map that is to be kept has no such exclusions, as somebody may install it. serves: the web servers that the starts would
// reuse are started, and stay (servers.mjs).

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import os from 'node:os';
import path from 'node:path';
import { OUR_FOLDER, Refusal } from './asking.mjs';
import { find, kindOf } from './configurations.mjs';
import { Filters } from './filters.mjs';
import { askCypress, askPlaywright, askWebdriver } from './kinds.mjs';
import { writeMap } from './map.mjs';

const ASK = { playwright: askPlaywright, cypress: askCypress, webdriver: askWebdriver };

/** The configurations to ask, and what is said of others. */
function choose(place) {
  if (fs.statSync(place).isFile()) return { chosen: [{ kind: kindOf(place), file: place }], notes: [] };
  const found = find(place);
  const folders = [...new Set(found.map(({ file }) => path.dirname(file)))];
  const shown = (files) => files.map((file) => path.relative(place, file)).join(', ');
  if (found.length === 0) throw new Refusal(`${place}: found no playwright.config.*, cypress.config.* or wdio.conf.* in or below it, wanted one`);
  const own = folders.includes(place) ? place : folders[0];
  if (own !== place && folders.length > 1)
    throw new Refusal(`${place}: found ${shown(found.map(({ file }) => file))}; wanted the folder of one of them, or its file`);
  const isOwn = ({ file }) => path.dirname(file) === own;
  const others = found.filter((each) => !isOwn(each)).map(({ file }) => file);
  const notes = others.length > 0 ? [`left out, as they are in other folders (each can be run by its own): ${shown(others)}`] : [];
  const chosen = found.filter(isOwn), beside = chosen.flatMap((each) => each.others);
  if (beside.length > 0) notes.push(`left out (it can be run by its own): ${shown(beside)}`);
  return { chosen, notes };
}

/** The nearest folder that has all of these in or below it. */
function commonFolder(folder, files) {
  while (files.some((file) => path.relative(folder, file).startsWith('..'))) folder = path.dirname(folder);
  return folder;
}

/** They outlive us: they get our standard input, which is the controller's. */
async function startServers({ config, servers = [] }) {
  if (servers.length === 0) return;
  const keeper = spawn(process.execPath, [path.join(OUR_FOLDER, 'servers.mjs'), JSON.stringify(servers)], { detached: true, stdio: ['inherit', 'ignore', 'ignore', 'ipc'] });
  const { why } = await new Promise((resolve) => keeper.on('message', resolve).on('close', (code, signal) => resolve({ why: `its servers ended with ${signal ?? code}` })));
  if (why) throw new Refusal(`${config}: ${why}`);
  keeper.unref();
}

async function discover({ place: asked, grep, tag, onlyChanged, forRun, serves }, scratch) {
  const place = fs.realpathSync(asked);
  const filters = new Filters({ grep, tag, onlyChanged });
  const { chosen, notes } = choose(place);
  const suites = [];
  for (const { kind, file } of chosen)
    suites.push(await ASK[kind]({ kind, config: file, folder: path.dirname(file), filters, scratch }));
  const folder = path.dirname(chosen[0].file);
  const root = commonFolder(folder, suites.flatMap(({ variants }) => variants.flatMap(({ files }) => files)));
  if (fs.existsSync(path.join(folder, 'spec_context_map.json')) && forRun)
    notes.push(`${path.join(folder, 'spec_context_map.json')} is not used: what the configurations list is run`);
  if (suites.every(({ variants }) => variants.every(({ files }) => files.length === 0)))
    throw new Refusal(`${filters.isAny ? `${filters.said}: ` : ''}found no ${filters.isAny ? 'such test' : 'test'} by ${chosen.map(({ file }) => path.relative(place, file) || path.basename(file)).join(', ')}, wanted at least one`);
  if (serves) for (const suite of suites) await startServers(suite);
  const { map, notes: unknown } = writeMap(suites, { root, forRun, filters });
  return { root, map, notes: [...notes, ...suites.flatMap((suite) => suite.notes), ...unknown] };
}

const scratch = fs.mkdtempSync(path.join(os.tmpdir(), 'funkytown-ask-'));
process.stdin.on('end', () => {
  fs.rmSync(scratch, { recursive: true, force: true });
  process.kill(0, 'SIGKILL');
}).resume();
let answer;
try {
  answer = await discover(JSON.parse(process.argv[2]), scratch);
} catch (error) {
  if (!(error instanceof Refusal)) throw error;
  answer = { refused: error.message };
} finally {
  fs.rmSync(scratch, { recursive: true, force: true });
}
process.stdout.write(`${JSON.stringify(answer)}\n`, () => process.exit(0));
