// Asks each kind of runner, and makes suites of the answers, which are all of one shape:
//
//   { kind, config, version, program, variants: [{ project, base, viewport, browser, width, height, mobile, missing, files }], notes, servers }
//
// A variant is what a spec can be run in: a project of Playwright's, a browser. `viewport` is what it is called by, when its
// name says so; `base` is what it may be called; width is null when it isn't known. A note is a line for people. Of servers only
// Playwright has some: those that every start may reuse (servers.mjs).

import fs from 'node:fs';
import path from 'node:path';
import { askNode, count, errorLine, findPackage, isBefore, needPackage, OUR_FOLDER, Refusal } from './asking.mjs';
import { globToRegExp } from './glob.mjs';

const shown = (names) => names.map((name) => `"${name}"`).join(', ');

function needAnswer({ answer, output }, config) {
  if (answer) return answer;
  throw new Refusal(`${config}: ${errorLine(output) || 'no answer when it was asked for its tests'}`);
}

// ---- Playwright

const BROWSERS = { chromium: ['chrome', 'chromium', 'edge', 'msedge'], firefox: ['firefox'], webkit: ['webkit', 'safari'] };

/** What the spec map calls a project's browser. */
function browserOf({ engine, channel = '' }) {
  if (engine !== 'chromium') return engine;
  return /^msedge/.test(channel) ? 'edge' : /^chrome/.test(channel) ? 'chrome' : 'chromium';
}

function variantOf({ name, width, height, mobile, missing, files, ...project }) {
  const [, viewport, browser] = /^(.+)-([a-z]+)$/.exec(name) ?? [];
  const isNamed = BROWSERS[project.engine]?.includes(browser);
  return {
    project: name || undefined, base: name ? (mobile ? 'mobile' : 'desktop') : 'default', width, height, mobile, missing, files,
    ...(isNamed ? { viewport, browser } : { browser: browserOf(project) }),
  };
}

const isNothingFound = ({ message }) => /No tests found/.test(message);

/** Whether one of Playwright's patterns, as texts, is of this absolute path. */
function isMatched(file, patterns) {
  return patterns.some((pattern) => {
    const [, source, flags] = /^\/(.*)\/([a-z]*)$/s.exec(pattern) ?? [];
    if (source !== undefined) return new RegExp(source, flags.replace(/[gy]/g, '')).test(file);
    return globToRegExp(pattern.startsWith('/') || pattern.startsWith('**/') ? pattern.replace(/^\//, '') : `**/${pattern}`).test(file.slice(1));
  });
}

/** A file that does not load is listed by nobody: it is a task of each project that it would belong to. */
function addBroken(projects, broken, filters, notes) {
  for (const { file, message } of broken) {
    const takes = ({ folder, match, ignore, isHelper }) => !isHelper && file.startsWith(`${folder}${path.sep}`) && isMatched(file, match) && !isMatched(file, ignore);
    if (!filters.isAny) for (const project of projects.filter(takes)) project.files.push(file);
    notes.push(`${file} does not load, and ${filters.isAny ? `is left out by ${filters.said}` : 'will be an error'}: ${errorLine(message)}`);
  }
}

function noteHelpers(projects, name, notes) {
  const named = new Map(projects.map((project) => [project.name, project]));
  for (const helper of projects.filter(({ isHelper, files }) => isHelper && files.length > 0)) {
    const users = projects.filter(({ helpers, isHelper }) => !isHelper && helpers.some((each) => each === helper.name || named.get(each)?.helpers.includes(helper.name)));
    notes.push(`${name}: the project "${helper.name}" is no task of its own; it is run at each start of ${shown(users.map((user) => user.name)) || 'others'}`);
  }
}

/** One project a name, as that is how it is asked for. */
function mergeNames(projects) {
  const merged = new Map();
  for (const project of projects) {
    const known = merged.get(project.name);
    if (known) known.files = [...new Set([...known.files, ...project.files])];
    else merged.set(project.name, project);
  }
  return [...merged.values()];
}

const escapeForRegExp = (text) => text.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&');

/**
 * Playwright's answer, and of which files it is not: one that does not load keeps Playwright from listing the others, so it
 * is asked again without it. Errors that this doesn't help against stay in the answer.
 */
async function listTests(words, { config, ...how }) {
  const broken = new Map();
  for (;;) {
    const others = broken.size === 0 ? [] : [`/^(?!(?:${[...broken.keys()].map(escapeForRegExp).join('|')})$)/`];
    const answer = needAnswer(await askNode([...words, ...others], how), config);
    answer.errors = answer.errors.filter((error) => !isNothingFound(error));
    const more = answer.errors.filter(({ file }) => file && !broken.has(file));
    if (more.length === 0) {
      for (const { file } of answer.errors) broken.delete(file); // a file that others import
      return { answer, broken: [...broken.values()] };
    }
    for (const error of more) broken.set(error.file, error);
  }
}

function noteServers(servers, name, notes) {
  for (const { command, isReused } of servers)
    notes.push(isReused ? `${name}: its server (${command}) is started once, before the first spec; each start reuses it`
      : `${name}: its server (${command}) is started anew for each spec, and two at a time are in each other's way: have reuseExistingServer, and a url or port`);
}

const COMPONENTS = ['react', 'vue', 'svelte', 'react17', 'solid', 'vue2'].map((framework) => `@playwright/experimental-ct-${framework}`);

/** Component tests have a package, and a program, of their own. */
function packageOf(config) {
  const isThere = (name) => findPackage(name, path.dirname(config)) !== undefined;
  const isPlain = !/-ct\b/.test(path.basename(config)) && isThere('@playwright/test');
  return (isPlain ? undefined : COMPONENTS.find(isThere)) ?? '@playwright/test';
}

export async function askPlaywright({ kind, config, folder, filters, scratch }) {
  const { folder: home, version } = needPackage(packageOf(config), config);
  const byPlaywright = filters.onlyChanged !== undefined && !isBefore(version, '1.46');
  const name = path.basename(config);
  const words = [
    path.join(home, 'cli.js'), 'test', '--list', `--config=${name}`, `--reporter=${path.join(OUR_FOLDER, 'playwright_list.mjs')}`,
    ...(filters.forPlaywright === undefined ? [] : [`--grep=${filters.forPlaywright}`]),
    ...(byPlaywright ? [`--only-changed${filters.onlyChanged ? `=${filters.onlyChanged}` : ''}`] : []),
  ];
  const { answer, broken } = await listTests(words, { config, cwd: folder, env: { FORCE_COLOR: '0' }, scratch });
  const notes = [];
  const projects = mergeNames(answer.projects);
  addBroken(projects, broken, filters, notes);
  for (const { message } of answer.errors) {
    if (projects.every(({ files }) => files.length === 0)) throw new Refusal(`${config}: ${errorLine(message)}`);
    notes.push(`${name}: ${errorLine(message)}`);
  }
  noteHelpers(projects, name, notes);
  noteServers(answer.webServers, name, notes);
  const variants = projects.filter(({ isHelper }) => !isHelper).map(variantOf);
  if (filters.onlyChanged !== undefined && !byPlaywright)
    for (const variant of variants) variant.files = variant.files.filter((file) => filters.isChanged(file, folder));
  for (const { project, width, files } of variants)
    if (width === null && files.length > 0) notes.push(`${name}: ${project ? `the project "${project}"` : 'it'} has no size of a viewport: the window is left as it is`);
  return { kind, config, version, program: path.join(home, 'cli.js'), variants, notes, servers: answer.webServers.filter(({ isReused }) => isReused) };
}

// ---- Cypress

export async function askCypress({ kind, config, folder, filters, scratch }) {
  const { folder: home, version } = needPackage('cypress', config);
  const asked = await askNode([path.join(OUR_FOLDER, 'cypress_list.mjs'), config], { cwd: folder, scratch });
  const { type, files, others, browser, width, height, asksItsPlugins } = needAnswer(asked, config);
  const name = path.basename(config);
  const notes = [];
  if (!browser) notes.push(`${name} doesn't say which browser: Cypress's own is taken, electron`);
  if (asksItsPlugins) notes.push(`${name}: what its setupNodeEvents changes is not known before Cypress runs`);
  if (others.length > 0) notes.push(`${name}: ${count(others.length, 'component spec')} left out, as it has e2e specs too`);
  const kept = filters.keepSpecs(files, { folder, name, notes });
  const variant = { base: 'default', browser: browser ?? 'electron', width, height, mobile: false, files: kept };
  return { kind, config, version, program: path.join(home, 'bin/cypress'), isComponent: type === 'component', variants: [variant], notes };
}

// ---- WebdriverIO

const WEBDRIVER_NAMES = { chromium: 'chrome', msedge: 'edge', microsoftedge: 'edge', minibrowser: 'webkit' };

/** What WebdriverIO starts itself with for TypeScript, from 9 on. */
function loaderFor(config, home) {
  const tsx = /\.[cm]?ts$/.test(config) ? findPackage('tsx', home) : undefined;
  return tsx ? ['--import', path.join(tsx, 'dist/loader.mjs')] : [];
}

export async function askWebdriver({ kind, config, folder, filters, scratch }) {
  const { folder: found, version } = needPackage('@wdio/cli', config);
  const home = fs.realpathSync(found);
  const library = findPackage('@wdio/config', home);
  if (!library) throw new Refusal(`${config}: @wdio/config is not beside @wdio/cli in ${home}`);
  const asked = await askNode([...loaderFor(config, home), path.join(OUR_FOLDER, 'webdriver_list.mjs'), config, library], { cwd: folder, env: { WDIO_LOG_LEVEL: 'error' }, scratch });
  const { capabilities, isMultiremote, groups } = needAnswer(asked, config);
  const name = path.basename(config);
  const notes = [];
  if (isMultiremote) notes.push(`${name}: its capabilities are several browsers at once: they are called "multiremote"`);
  if (groups > 0) notes.push(`${name}: specs that share a session there are run one by one, each with a session of its own`);
  const variants = [];
  for (const { browser, files } of capabilities) {
    const called = browser === null ? null : WEBDRIVER_NAMES[browser.toLowerCase()] ?? browser.toLowerCase();
    if (called === null) notes.push(`${name}: a capability without a browserName is left out`);
    else if (variants.some((variant) => variant.browser === called)) notes.push(`${name}: a second capability for ${called} is left out: the first is the one that is taken`);
    else variants.push({ base: 'window', browser: called, width: null, height: null, mobile: false, files: [...new Set(files)] });
  }
  for (const variant of variants) variant.files = filters.keepSpecs(variant.files, { folder, name, notes });
  return { kind, config, version, program: path.join(found, 'bin/wdio.js'), variants, notes: [...new Set(notes)] };
}
