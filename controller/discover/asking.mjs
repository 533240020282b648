// A question to a runner: a process of its own, whose answer is a JSON file, and one line when there is none.

import { spawn } from 'node:child_process';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

export const OUR_FOLDER = path.dirname(fileURLToPath(import.meta.url));
const KEPT = 64 * 1024; // bytes of output

/** What the user can mend: the text is one line that says so. */
export class Refusal extends Error {}

export const count = (number, what) => `${number} ${what}${number === 1 ? '' : 's'}`;

const ANSI = /\u001b(?:\[[0-9;:?]*[ -/]*[@-~]|\][^\u0007\u001b]*(?:\u0007|\u001b\\)|[@-Z\\-_])/g;

/** The line of a runner's output that says what is wrong. */
export function errorLine(output) {
  const lines = output.replace(ANSI, '').split('\n').map((line) => line.trim()).filter((line) => line && !/^at /.test(line) && !/^[\^~\s|]+$/.test(line));
  return lines.find((line) => /^(?:\[\w+\] )?(?:Uncaught )?\w*Error\b.*: /.test(line)) ?? lines.find((line) => /error|cannot|not found/i.test(line)) ?? lines.at(-1) ?? '';
}

// ---- Yarn without node_modules: packages are in archives, which Node reads with the project's .pnp.cjs

function findUpwards(from, name) {
  for (let folder = from; ; folder = path.dirname(folder)) {
    if (fs.existsSync(path.join(folder, name))) return path.join(folder, name);
    if (folder === path.dirname(folder)) return undefined;
  }
}

const resolvers = new Map(); // of a .pnp.cjs

/** The folder of a package; undefined: it isn't among the dependencies there, or there is no .pnp.cjs. */
function findInArchives(name, from) {
  const file = findUpwards(from, '.pnp.cjs');
  if (!file) return undefined;
  if (!resolvers.has(file)) {
    const resolver = createRequire(file)(file);
    resolver.setup();
    resolvers.set(file, resolver);
  }
  try {
    return resolvers.get(file).resolveToUnqualified(name, `${from}/`);
  } catch {
    return undefined;
  }
}

/** As worker/reporters/pnp.cjs has it. */
function nodeOptionsIn(folder) {
  const file = findUpwards(folder, '.pnp.cjs'), inherited = process.env.NODE_OPTIONS ?? '';
  if (!file || inherited.includes(file)) return {};
  const loader = path.join(path.dirname(file), '.pnp.loader.mjs');
  const words = ['--require', JSON.stringify(file), ...(fs.existsSync(loader) ? ['--experimental-loader', pathToFileURL(loader).href] : [])];
  return { NODE_OPTIONS: [inherited, ...words].filter(Boolean).join(' ') };
}

// ---- questions

/** Starts Node with these arguments; { answer (undefined: none), output }. The answer's file is named by FUNKYTOWN_ANSWER. */
export async function askNode(args, { cwd, env = {}, scratch }) {
  const file = path.join(scratch, `${fs.readdirSync(scratch).length}.json`);
  const child = spawn(process.execPath, args, { cwd, env: { ...process.env, ...nodeOptionsIn(cwd), ...env, FUNKYTOWN_ANSWER: file }, stdio: ['ignore', 'pipe', 'pipe'] });
  let output = '';
  for (const stream of [child.stdout, child.stderr])
    stream.setEncoding('utf8').on('data', (text) => { output = (output + text).slice(-KEPT); });
  await new Promise((resolve, reject) => child.on('close', resolve).on('error', reject));
  const answer = fs.existsSync(file) ? JSON.parse(fs.readFileSync(file, 'utf8')) : undefined;
  return { answer, output };
}

/** The folder of a package as Node finds it from a folder; undefined: not installed. */
export function findPackage(name, from) {
  const archived = findInArchives(name, from);
  if (archived) return archived;
  for (let folder = from; ; folder = path.dirname(folder)) {
    const found = path.join(folder, 'node_modules', name);
    if (fs.existsSync(path.join(found, 'package.json'))) return found;
    if (folder === path.dirname(folder)) return undefined;
  }
}

const INSTALLERS = [['package-lock.json', 'npm ci'], ['npm-shrinkwrap.json', 'npm ci'], ['pnpm-lock.yaml', 'pnpm install'], ['yarn.lock', 'yarn install'], ['bun.lock', 'bun install'], ['bun.lockb', 'bun install']];

/** What installs the packages of a folder, and where: the nearest lock file says so, else the nearest package.json. */
export function howToInstall(from) {
  let described;
  for (let folder = from; ; folder = path.dirname(folder)) {
    const row = INSTALLERS.find(([lock]) => fs.existsSync(path.join(folder, lock)));
    if (row) return `run \`${row[1]}\` in ${folder}`;
    if (!described && fs.existsSync(path.join(folder, 'package.json'))) described = folder;
    if (folder === path.dirname(folder)) return `run \`npm install\` in ${described ?? from}`;
  }
}

/** The package's folder and version; refused when it isn't installed. */
export function needPackage(name, config) {
  const from = path.dirname(config);
  const folder = findPackage(name, from);
  if (!folder) throw new Refusal(`${config}: ${name} is not installed; ${howToInstall(from)}`);
  return { folder, version: JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).version ?? '' };
}

/** Whether a version comes before another: numbers only, so that a preview counts as what it is a preview of. */
export function isBefore(version, bound) {
  const numbers = (text) => text.split(/[.-]/).map((part) => Number.parseInt(part, 10) || 0);
  const [a, b] = [numbers(version), numbers(bound)];
  for (let i = 0; i < 3; i++)
    if ((a[i] ?? 0) !== (b[i] ?? 0)) return (a[i] ?? 0) < (b[i] ?? 0);
  return false;
}
