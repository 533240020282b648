// What funkytown's worker starts WebdriverIO 8 and 9 with: the project's own configuration, and in it a reporter that tells
// what happens, one JSON line an event, into the FIFO named by FUNKYTOWN_EVENTS. The events are those that playwright.mjs
// describes.
//
//   WDIO_SPEC=tests/a.wdio.js wdio run /abs/path/to/webdriver.mjs
//
// `config` is that of the file that WDIO_CONFIG names, else of wdio.conf.* in the spec's folder or the nearest above it, with
//
// - the one spec, in one process, once: trying again is funkytown's (specFileRetries is set to 0);
// - one capability: the project's entry for FUNKYTOWN_BROWSER, else a plain one (headless). Where neither says which program
//   to use, and chromedriver and Chrome or Chromium are in PATH, these are; else WebdriverIO gets its own. For webkit it is
//   WebKitGTK, whose driver is started here;
// - a display of its own for a browser that needs one, when there is none and Xvfb is in PATH. WebdriverIO 9 would take
//   xvfb-run, whose displays can clash (autoXvfb is set to false);
// - forbidOnly for Mocha, unless the project says otherwise: a forgotten it.only would leave out its neighbours, and pass;
// - a window whose page is FUNKYTOWN_WIDTH x FUNKYTOWN_HEIGHT, as far as the browser can be made so small; for a mobile
//   viewport Chrome emulates a telephone of that size;
// - this reporter beside the project's own.
//
// WebdriverIO reads a configuration twice: in its launcher, and in the process that runs the spec, where the reporter is. A
// process that is killed tells nothing more; a file that does not load, a session that can't be had: an "error".
// WebdriverIO's reporters are not told of tests that a failed hook kept from running: a root hook of Mocha's lists all of them.

import { EventEmitter } from 'node:events';
import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import common from './events.cjs';
import shared from './results.cjs';
import { inPath, startDisplay, startWebKitDriver } from './webdriver_desktop.mjs';

const { Events, plain, short } = common;
const { Results, describe, hookTitle } = shared;

const SPEC = process.env.WDIO_SPEC ?? process.env.FUNKYTOWN_SPEC ?? '';
const BROWSER = process.env.FUNKYTOWN_BROWSER ?? 'chrome';
const WIDTH = Number(process.env.FUNKYTOWN_WIDTH ?? 0);
const HEIGHT = Number(process.env.FUNKYTOWN_HEIGHT ?? 0);
const IS_MOBILE = process.env.FUNKYTOWN_MOBILE === '1';
const IS_LAUNCHER = process.env.WDIO_WORKER_ID === undefined;

// ---- the reporter

const KEPT_STEPS = 100;

const keyOf = (title) => title.join('\0');

class FunkytownReporter extends EventEmitter {
  isSynchronised = true; // every line is written at once

  constructor() {
    super();
    FunkytownReporter.current = this;
    this.results = new Results(new Events(process.env.FUNKYTOWN_EVENTS));
    this.results.spec(SPEC);
    this.suites = [];
    this.record = null; // of the test that runs
    this.retried = null; // the attempts that failed before: { record, error, count }
    this.steps = []; // the commands of the test that runs
    this.on('suite:start', ({ title }) => this.suites.push(short(title)));
    this.on('suite:end', () => this.suites.pop());
    this.on('test:start', (test) => this.#begin(test));
    this.on('test:pass', (test) => this.#onPass(test));
    this.on('test:fail', (test) => this.#onFail(test));
    this.on('test:pending', (test) => this.results.end(this.#recordOf(test), { status: 'skipped' }));
    this.on('test:retry', (test) => this.#onRetry(test));
    this.on('client:beforeCommand', () => { this.commandAt = performance.now(); });
    this.on('client:afterCommand', (command) => this.#onCommand(command));
    this.on('hook:end', (hook) => hook.error && this.#onHookFail(hook));
    this.on('runner:end', (end) => this.#onEnd(end));
  }

  /** All tests below Mocha's root suite. */
  expectAll(suite, above = []) {
    for (const test of suite.tests) this.results.expect(SPEC, [...above, short(test.title)]);
    for (const inner of suite.suites) this.expectAll(inner, [...above, short(inner.title)]);
  }

  fail(error) {
    this.results.failSpec(SPEC, describe(error));
  }

  /** Titles may be the same: the first that has no result yet. */
  #find(title, isWanted = (record) => !record.hasResult) {
    return this.results.tests.find((record) => keyOf(record.title) === keyOf(title) && isWanted(record));
  }

  #begin({ title }) {
    const all = [...this.suites, short(title)];
    const isRetried = this.retried && keyOf(this.retried.record.title) === keyOf(all) && !this.retried.record.hasResult;
    this.record = isRetried ? this.retried.record : this.#find(all) ?? this.results.expect(SPEC, all);
    this.results.begin(this.record);
    this.steps = [];
    return this.record;
  }

  #recordOf(test) {
    const isRunning = this.record && !this.record.hasResult && keyOf(this.record.title) === keyOf([...this.suites, short(test.title)]);
    return isRunning ? this.record : this.#begin(test);
  }

  #retriesOf(record) {
    return this.retried?.record === record ? this.retried.count : 0;
  }

  #onRetry(test) {
    const record = this.#recordOf(test);
    this.retried = { record, error: test.error, steps: this.steps, count: this.#retriesOf(record) + 1 };
  }

  /** Of what was sent only what says where it went: what is typed may be a secret. */
  #onCommand({ command, method, endpoint, body, result }) {
    const sent = /^find/.test(command) ? body?.value : body?.url;
    const title = [command ?? `${method} ${endpoint}`, typeof sent === 'string' ? sent : ''].join(' ').trim();
    this.steps.push({ title, duration: performance.now() - this.commandAt, failed: Boolean(result?.error) });
    if (this.steps.length > 2 * KEPT_STEPS) this.steps.splice(0, KEPT_STEPS);
  }

  #onPass(test) {
    const record = this.#recordOf(test), retry = this.#retriesOf(record);
    const why = retry > 0 ? { ...describe(this.retried.error), steps: this.retried.steps } : {};
    this.results.end(record, { status: retry > 0 ? 'flaky' : 'passed', duration: test.duration, retry, ...why });
  }

  /** Also of one that had passed, when something that it left behind fails. */
  #onFail(test) {
    const title = [...this.suites, short(test.title)];
    const record = this.record && keyOf(this.record.title) === keyOf(title) ? this.record : this.#begin(test);
    this.results.failLate(record, short(test.title), { status: 'failed', duration: test.duration, retry: this.#retriesOf(record), ...describe(test.error), steps: this.steps });
  }

  #onHookFail({ title, currentTest, error, duration }) {
    const hook = hookTitle(title) ?? short(title);
    const of = currentTest === undefined ? undefined : [...this.suites, short(currentTest)];
    const last = this.record && of && keyOf(this.record.title) === keyOf(of) ? this.record : undefined;
    const record = (/^"after/.test(hook) ? last : undefined) ?? (of && (this.#find(of) ?? this.#find(of, () => true)));
    const result = { status: 'failed', duration, ...describe(error, hook), steps: this.steps };
    if (record) this.results.failLate(record, hook, result);
    else this.results.end(this.results.expect(SPEC, [...this.suites, hook]), result);
  }

  #onEnd({ failures, error }) {
    const spec = this.results.spec(SPEC);
    if (error) this.fail({ message: error });
    else if (failures > 0 && this.results.tests.every((record) => !record.hasResult)) this.fail({ message: 'No test ran: WebdriverIO’s output says why.' });
    else if (failures > 0 && spec.counts.failed === 0 && !this.results.held) this.fail({ message: 'WebdriverIO says that the spec failed, though no test did.' });
    this.results.finish();
  }
}

// ---- the browser

// What a spec map calls a browser, and what WebDriver does.
const NAMES = { chrome: ['chrome', 'chromium'], firefox: ['firefox'], edge: ['MicrosoftEdge', 'msedge', 'edge'], safari: ['safari'], webkit: ['MiniBrowser', 'safari'] };
const HEADLESS = {
  chrome: { 'goog:chromeOptions': { args: ['--headless=new'] } },
  edge: { 'ms:edgeOptions': { args: ['--headless=new'] } },
  firefox: { 'moz:firefoxOptions': { args: ['-headless'] } },
};

/** Chrome's sandbox needs user namespaces, which root and containers usually do not have. */
const IS_UNSANDBOXED = process.getuid?.() === 0 || 'KUBERNETES_SERVICE_HOST' in process.env || ['/.dockerenv', '/run/.containerenv'].some((file) => fs.existsSync(file));

const wordsOf = (capability) => capability.alwaysMatch ?? capability;

const isWebKitGtk = (capability) => wordsOf(capability).browserName === 'MiniBrowser';

function chooseCapability(theirs) {
  const names = NAMES[BROWSER] ?? [BROWSER];
  const found = theirs.find((capability) => names.includes(wordsOf(capability).browserName));
  if (found) return structuredClone(found);
  if (BROWSER === 'webkit' && inPath('WebKitWebDriver')) return { browserName: 'MiniBrowser' };
  if (HEADLESS[BROWSER] || BROWSER === 'safari') return { browserName: names[0], ...structuredClone(HEADLESS[BROWSER]) };
  const have = theirs.map((capability) => wordsOf(capability).browserName).join(', ') || 'none';
  const hint = BROWSER === 'webkit' ? ' For WebKitGTK install its driver (Debian: apt-get install webkit2gtk-driver xvfb).' : '';
  throw new Error(`No capability for the browser “${BROWSER}” in the WebdriverIO configuration; it has: ${have}.${hint}`);
}

function completeChrome(words, isElsewhere) {
  const options = words['goog:chromeOptions'] ??= {};
  const isHeadless = options.args?.some((argument) => /^-*headless/.test(argument));
  const driver = inPath('chromedriver'), program = inPath('google-chrome', ...(isHeadless ? ['chromium-headless-shell'] : []), 'chromium');
  if (!isElsewhere && !options.binary && !words.browserVersion && !words['wdio:chromedriverOptions'] && driver && program) {
    options.binary = program;
    words['wdio:chromedriverOptions'] = { binary: driver };
    if (IS_UNSANDBOXED) options.args = [...(options.args ?? []), '--no-sandbox']; // it refuses to start otherwise
  }
  if (IS_MOBILE && WIDTH > 0) options.mobileEmulation ??= { deviceMetrics: { width: WIDTH, height: HEIGHT, pixelRatio: 2, touch: true, mobile: true } };
}

const isRemote = (configuration, capability) => Boolean(configuration.hostname ?? configuration.port ?? configuration.user ?? capability.hostname ?? capability.port);

/** What a local browser needs that WebdriverIO doesn't start; in the launcher, whose environment the others get. */
async function prepareDesktop(capability) {
  if (process.platform !== 'linux') return;
  const isHeadless = /headless/.test(JSON.stringify(capability));
  if (!isHeadless && !process.env.DISPLAY && !process.env.WAYLAND_DISPLAY && (inPath('Xvfb') || isWebKitGtk(capability)))
    process.env.DISPLAY = await startDisplay(Math.max(1600, 2 * WIDTH), Math.max(1200, 2 * HEIGHT));
  if (!isWebKitGtk(capability)) return;
  Object.assign(capability, await startWebKitDriver(process.env.DISPLAY));
  wordsOf(capability)['wdio:enforceWebDriverClassic'] ??= true; // it knows no other protocol
}

/** The page, not the window, has the size that is wanted. */
async function sizeWindow(capabilities, specs, browser) {
  const words = wordsOf(capabilities);
  if (!(WIDTH > 0 && HEIGHT > 0) || browser.isMultiremote || words['goog:chromeOptions']?.mobileEmulation) return;
  await browser.setWindowSize(WIDTH, HEIGHT);
  const [width, height] = await browser.execute('return [window.innerWidth, window.innerHeight]');
  if (width !== WIDTH || height !== HEIGHT) await browser.setWindowSize(2 * WIDTH - width, 2 * HEIGHT - height);
}

// ---- the configuration

function findConfiguration() {
  if (process.env.WDIO_CONFIG) return path.resolve(process.env.WDIO_CONFIG);
  for (let folder = path.dirname(path.resolve(SPEC)); ; folder = path.dirname(folder)) {
    for (const ending of ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs']) {
      const file = path.join(folder, `wdio.conf.${ending}`);
      if (fs.existsSync(file)) return file;
    }
    if (folder === path.dirname(folder)) throw new Error(`No wdio.conf.* in the folder of ${SPEC} or above it.`);
  }
}

/** WebdriverIO 9 brings a loader for TypeScript, which its launcher uses only for a configuration that is named so. */
async function loadTypeScript() {
  let loader;
  try {
    loader = createRequire(fs.realpathSync(process.argv[1])).resolve('tsx');
  } catch {
    return; // version 8 has none: Node says what it can't load
  }
  await import(pathToFileURL(loader));
}

async function configure() {
  const file = findConfiguration();
  if (IS_LAUNCHER && file.endsWith('ts')) await loadTypeScript();
  const module = await import(pathToFileURL(file));
  const theirs = module.config ?? module.default?.config ?? {};
  let capabilities = theirs.capabilities ?? [];
  if (Array.isArray(capabilities)) {
    const chosen = chooseCapability(capabilities);
    if (NAMES.chrome.includes(wordsOf(chosen).browserName)) completeChrome(wordsOf(chosen), isRemote(theirs, chosen));
    if (IS_LAUNCHER && !isRemote(theirs, chosen)) await prepareDesktop(chosen);
    capabilities = [chosen];
  }
  const expectAll = function () { FunkytownReporter.current?.expectAll(this.test.parent); };
  const hooks = theirs.mochaOpts?.rootHooks ?? {};
  return {
    ...theirs,
    rootDir: theirs.rootDir ?? path.dirname(file),
    specs: [path.resolve(SPEC)],
    suites: {},
    exclude: [],
    maxInstances: 1,
    specFileRetries: 0,
    autoXvfb: false,
    capabilities,
    mochaOpts: { forbidOnly: true, ...theirs.mochaOpts, rootHooks: { ...hooks, beforeAll: [expectAll, ...[hooks.beforeAll ?? []].flat()] } },
    reporters: [...(theirs.reporters ?? []), [FunkytownReporter, {}]],
    before: [sizeWindow, ...[theirs.before ?? []].flat()],
    after: [(result) => { if (result instanceof Error) FunkytownReporter.current?.fail(result); }, ...[theirs.after ?? []].flat()],
  };
}

async function configureOrTell() {
  try {
    return await configure();
  } catch (error) {
    if (IS_LAUNCHER) {
      const events = new Events(process.env.FUNKYTOWN_EVENTS);
      events.write({ event: 'error', spec: SPEC, ...describe(error) });
      events.close();
    }
    throw new Error(plain(error.message), { cause: error });
  }
}

export const config = await configureOrTell();
