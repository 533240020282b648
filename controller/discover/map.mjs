// A spec map of what the runners told. Each project is run exactly once for each spec that it has:
//
// - it gets a viewport and a browser that no other has: those that its name says ("desktop-chrome"), else its own size as
//   "desktop", "mobile" or "default", with the size behind it when that name has another one, else its own name;
// - "projects" says which project each such pair is, so that nobody guesses;
// - specs that have the same projects are one group.

import fs from 'node:fs';
import path from 'node:path';
import { findPackage, isBefore, OUR_FOLDER } from './asking.mjs';
import { isDefaultName } from './configurations.mjs';

const SIZE_MAX = 100000;
const NAME_BYTES = 100;
const PACKAGES = { playwright: '@playwright/test', cypress: 'cypress', webdriver: '@wdio/cli' };

/** Without what a spec map's names can't have. */
function cleanName(text) {
  const plain = text.replace(/[\p{C}:]/gu, ' ').replace(/^[-\s]+/, '').trim();
  let name = plain;
  while (Buffer.byteLength(name) > NAME_BYTES) name = name.slice(0, -1).trim();
  return name || 'project';
}

/** The text, or with a number behind it the first that is free. */
function firstFree(text, isFree) {
  for (let i = 1; ; i++) {
    const name = i === 1 ? text : `${text} ${i}`;
    if (isFree(name)) return name;
  }
}

// ---- viewports

const sizeOf = ({ width, height, mobile }) => JSON.stringify(width === null ? null : { width, height, mobile });

class Viewports {
  definitions = {};
  #sizes = new Map(); // name -> JSON of its size
  #taken = new Set(); // of "<viewport>-<browser>", by kind

  #names({ viewport, project, base, width, height, mobile }) {
    const isKnown = width !== null;
    const first = isKnown ? base : 'window';
    const isOtherSize = isKnown && this.#sizes.has(first) && this.#sizes.get(first) !== sizeOf({ width, height, mobile });
    return [viewport, first, isOtherSize && `${first}-${width}x${height}`, project].filter(Boolean).map(cleanName);
  }

  #claim(kind, name, { browser, width, height, mobile }) {
    const size = sizeOf({ width, height, mobile });
    const pair = `${kind} ${name}-${browser}`;
    if ((this.#sizes.get(name) ?? size) !== size || this.#taken.has(pair)) return false;
    this.#sizes.set(name, size);
    this.#taken.add(pair);
    if (width !== null) this.definitions[name] = { width, height, mobile };
    return true;
  }

  /** The name of the variant's viewport. */
  add(kind, variant) {
    const isSane = [variant.width, variant.height].every((side) => Number.isInteger(side) && side >= 1 && side <= SIZE_MAX);
    const sized = isSane ? variant : { ...variant, width: null, height: null };
    const names = this.#names(sized);
    const claim = (name) => this.#claim(kind, name, sized);
    return names.find(claim) ?? firstFree(names.at(-1), claim);
  }
}

// ---- groups

/** { viewports, browsers } whose products are these variants, each once. */
function productsOf(variants) {
  const browsers = new Map();
  for (const { name, browser } of variants) browsers.set(name, [...(browsers.get(name) ?? []), browser]);
  const products = new Map();
  for (const [viewport, list] of browsers) {
    const key = JSON.stringify(list);
    if (!products.has(key)) products.set(key, { viewports: [], browsers: list });
    products.get(key).viewports.push(viewport);
  }
  return [...products.values()];
}

/** [{ variants, files }]: files that have the same variants. */
function bySet(variants) {
  const owners = new Map();
  for (const variant of variants)
    for (const file of variant.files) owners.set(file, [...(owners.get(file) ?? []), variant]);
  const sets = new Map();
  for (const [file, owning] of owners) {
    const key = owning.map((variant) => variants.indexOf(variant)).join();
    if (!sets.has(key)) sets.set(key, { variants: owning, files: [] });
    sets.get(key).files.push(file);
  }
  return [...sets.values()];
}

function groupsOf({ kind, variants }, root, names) {
  const sets = bySet(variants);
  return sets.map(({ variants: owning, files }) => {
    const wanted = sets.length === 1 ? kind : cleanName(owning.map(({ project, browser }) => project ?? browser).join(', '));
    const name = firstFree(wanted, (each) => !names.has(each));
    names.add(name);
    const products = productsOf(owning);
    const specOf = (file) => path.relative(root, file).split(path.sep).join('/');
    return { name, runner: kind, tasks: files.flatMap((file) => products.map((product) => ({ spec: specOf(file), ...product }))) };
  });
}

// ---- runners

/** A regular expression in a template: a brace before a letter would be a placeholder. */
const asTemplate = (pattern) => pattern.replace(/(?<!\\)((?:\\\\)*)\\?\{(?=[a-z])/g, '$1\\x7b');

/** The built-in runner of this kind, for a package of this version. */
function builtinRunner(kind, version) {
  const { runner, older = [] } = JSON.parse(fs.readFileSync(path.join(OUR_FOLDER, `${kind}.json`), 'utf8'));
  return { ...runner, ...older.find(({ before }) => isBefore(version, before))?.runner };
}

/** What the map has to say of the runner; undefined: nothing, it is as built in. */
function runnerOf({ kind, config, version, program, isComponent }, { root, filters }) {
  const inRoot = path.relative(root, config).split(path.sep).join('/');
  const isPlain = isDefaultName(config) && path.dirname(config) === root;
  const builtin = builtinRunner(kind, version);
  const inSight = findPackage(PACKAGES[kind], root); // of a worker, which looks from SPEC_ROOT
  const isFound = inSight !== undefined && program.startsWith(`${inSight}${path.sep}`);
  const argv = builtin.argv.map((word) => (word === `{${kind}}` && !isFound ? path.relative(root, program) : word));
  if (kind === 'playwright') {
    const options = [...(isPlain ? [] : [`--config=${inRoot}`]), ...(filters.forPlaywright === undefined ? [] : [`--grep=${asTemplate(filters.forPlaywright)}`])];
    argv.splice(argv.indexOf('test') + 1, 0, ...options);
  }
  if (kind === 'cypress')
    argv.splice(argv.indexOf('run') + 1, 0, ...(isComponent ? ['--component'] : []), ...(isPlain ? [] : ['--config-file', inRoot]));
  const env = { ...(isFound ? {} : builtin.env), ...(kind === 'webdriver' && !isPlain ? { WDIO_CONFIG: inRoot } : {}) };
  const definition = { ...(argv.join('\0') === builtin.argv.join('\0') ? {} : { argv }), ...(Object.keys(env).length > 0 ? { env } : {}) };
  return Object.keys(definition).length > 0 ? definition : undefined;
}

// ---- browsers that aren't installed

function exclusionsOf({ kind, config, variants }) {
  const rules = [], notes = [];
  const missing = variants.filter((variant) => variant.missing && variant.files.length > 0);
  for (const { name, browser, missing: how } of missing)
    rules.push({ viewport: name, browser, runner: kind, reason: `${browser} is not installed: ${how}` });
  for (const how of new Set(missing.map((variant) => variant.missing))) {
    const those = missing.filter((variant) => variant.missing === how);
    const number = those.reduce((sum, { files }) => sum + files.length, 0);
    notes.push({ how, browser: those[0].browser, number, folder: path.dirname(config) });
  }
  return { rules, notes };
}

function noteMissing({ how, browser, number, folder }, forRun) {
  const what = forRun ? `${number === 1 ? 'one combination is' : `${number} combinations are`} left out` : 'its tasks will be errors';
  return `${browser} is not installed, so ${what} (${how}${how.startsWith('npx') ? `, in ${folder}` : ''})`;
}

// ---- the text

function inOneLine(value) {
  if (Array.isArray(value)) return `[${value.map(inOneLine).join(', ')}]`;
  if (typeof value !== 'object' || value === null) return JSON.stringify(value);
  return `{ ${Object.entries(value).map(([key, each]) => `${JSON.stringify(key)}: ${inOneLine(each)}`).join(', ')} }`;
}

function block(open, rows, close, indent) {
  return rows.length === 0 ? `${open}${close}` : `${open}\n${rows.map((row) => `${indent}  ${row}`).join(',\n')}\n${indent}${close}`;
}

/** As a person would write it: a task is a line. */
function format({ groups, ...rest }) {
  const member = ([key, value]) => {
    if (Array.isArray(value)) return `${JSON.stringify(key)}: ${block('[', value.map(inOneLine), ']', '  ')}`;
    return `${JSON.stringify(key)}: ${block('{', Object.entries(value).map(([name, each]) => `${JSON.stringify(name)}: ${inOneLine(each)}`), '}', '  ')}`;
  };
  const group = ({ name, runner, tasks }) => `{ "name": ${JSON.stringify(name)}, "runner": ${JSON.stringify(runner)}, "tasks": ${block('[', tasks.map(inOneLine), ']', '    ')} }`;
  return `${block('{', [...Object.entries(rest).map(member), `"groups": ${block('[', groups.map(group), ']', '  ')}`], '}', '')}\n`;
}

/** { map: its text, notes } */
export function writeMap(suites, { root, forRun, filters }) {
  const viewports = new Viewports();
  const projects = {}, runners = {}, exclude = [], notes = [], names = new Set(), groups = [];
  for (const suite of suites) {
    suite.variants = suite.variants.filter(({ files }) => files.length > 0);
    for (const variant of suite.variants) {
      variant.name = viewports.add(suite.kind, variant);
      const pair = `${variant.name}-${variant.browser}`;
      if (variant.project !== undefined && variant.project !== pair) projects[pair] = variant.project;
    }
    groups.push(...groupsOf(suite, root, names));
    const runner = runnerOf(suite, { root, filters });
    if (runner) runners[suite.kind] = runner;
    const missing = exclusionsOf(suite);
    if (forRun) exclude.push(...missing.rules);
    notes.push(...missing.notes.map((note) => noteMissing(note, forRun)));
  }
  const map = {
    viewports: viewports.definitions, exclude,
    ...(Object.keys(projects).length > 0 ? { projects } : {}), ...(Object.keys(runners).length > 0 ? { runners } : {}), groups,
  };
  return { map: format(map), notes };
}
