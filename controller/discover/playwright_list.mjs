// Tells which tests a Playwright configuration has, as the reporter of `playwright test --list`. The answer, in the file that
// FUNKYTOWN_ANSWER names:
//
//   { "projects": [{ "name", "engine", "channel", "width", "height", "mobile", "helpers": ["setup"], "isHelper", "missing", "files": ["/abs"],
//                  "folder", "match": ["**/*.spec.ts", "/a\\.spec/i"], "ignore": [] }],
//     "errors": [{ "message", "file" }],
//     "webServers": [{ "command", "cwd", "env", "url", "port", "timeout", "ignoreHTTPSErrors", "isReused" }] }
//
// A configuration without projects has one whose name is empty. isHelper: others depend on it, or it cleans up after them.
// missing: how to get the browser, when it isn't installed. width: null when the window is left as it is.
//
// Whether a browser is installed only Playwright knows. Its registry is not part of its public interface: where it isn't found,
// executablePath() is asked, and of a channel it is believed that it is there.

import fs from 'node:fs';
import { createRequire } from 'node:module';
import path from 'node:path';

/** Below the root and its project; before 1.44 suites don't say what they are. */
function fileOf(test) {
  let suite = test.parent;
  while (suite.parent?.parent?.parent) suite = suite.parent;
  return suite.location?.file ?? test.location.file;
}

/** Each as a text: /regular expression/flags, or a glob. */
const patternsOf = (patterns) => [patterns].flat().filter(Boolean).map(String);

/** Playwright as its program has it: { types, registry } */
function loadPlaywright() {
  let core = createRequire(fs.realpathSync(process.argv[1]));
  for (const name of ['@playwright/experimental-ct-core', 'playwright/package.json', 'playwright-core/package.json']) {
    try {
      core = createRequire(core.resolve(name));
    } catch {
      // only component tests have the first
    }
  }
  const load = (name) => { try { return core(name); } catch { return undefined; } };
  const registry = load('./lib/server/registry/index.js')?.registry ?? load('./lib/coreBundle.js')?.registry?.registry;
  return { types: load('./index.js') ?? {}, registry };
}

/** How to get the browser; undefined: it is there, or is somewhere else. */
function whatIsMissing(use, engine, { types, registry }) {
  const { executablePath } = use.launchOptions ?? {};
  if (use.connectOptions || process.env.PW_TEST_CONNECT_WS_ENDPOINT) return undefined;
  if (executablePath) return fs.existsSync(executablePath) ? undefined : `there is no ${executablePath}`;
  const isHeadless = use.headless ?? use.launchOptions?.headless ?? true;
  const channel = use.channel ?? use.launchOptions?.channel;
  const names = channel ? [channel] : engine === 'chromium' && isHeadless ? ['chromium-headless-shell', 'chromium'] : [engine];
  const known = names.map((name) => registry?.findExecutable?.(name)).find(Boolean);
  if (!known && channel) return undefined;
  const program = known ? known.executablePath('javascript') : types[engine]?.executablePath();
  return program && fs.existsSync(program) ? undefined : `npx playwright install ${channel ?? engine}`;
}

const SERVER_MS = 60_000; // as Playwright has it

/** Of several the public configuration has none. */
function serversOf(config, folder) {
  const internal = Object.getOwnPropertySymbols(config).map((symbol) => config[symbol]).find((each) => Array.isArray(each?.webServers));
  const servers = internal?.webServers ?? [config.webServer].flat().filter(Boolean);
  return servers.map(({ command, cwd, env, url, port, timeout, ignoreHTTPSErrors, reuseExistingServer }) => ({
    command, cwd: path.resolve(folder, cwd ?? ''), env, url, port, timeout: timeout ?? SERVER_MS, ignoreHTTPSErrors, isReused: reuseExistingServer === true && Boolean(url ?? port),
  }));
}

export default class ListReporter {
  #errors = [];

  printsToStdio() {
    return true; // so that Playwright prints no list of its own
  }

  onError(error) {
    this.#errors.push({ message: error.message ?? error.value ?? '', file: error.location?.file });
  }

  onBegin(config, root) {
    this.config = config;
    this.root = root;
  }

  onEnd() {
    const { projects } = this.config;
    const home = path.dirname(this.config.configFile ?? path.join(process.cwd(), 'x'));
    const playwright = loadPlaywright();
    const files = new Map(projects.map(({ name }) => [name, new Set()]));
    for (const test of this.root.allTests()) files.get(test.parent.project()?.name ?? '')?.add(fileOf(test));
    const helpers = new Set(projects.flatMap(({ dependencies, teardown }) => [...(dependencies ?? []), teardown]));
    const describe = (project) => {
      const { use } = project;
      const engine = use.browserName ?? use.defaultBrowserType ?? 'chromium';
      const size = use.viewport === undefined ? { width: 1280, height: 720 } : use.viewport;
      return {
        name: project.name, engine, channel: use.channel ?? use.launchOptions?.channel,
        width: size?.width ?? null, height: size?.height ?? null, mobile: use.isMobile === true,
        helpers: [...(project.dependencies ?? []), ...(project.teardown ? [project.teardown] : [])], isHelper: helpers.has(project.name),
        missing: whatIsMissing(use, engine, playwright), files: [...files.get(project.name)],
        folder: project.testDir, match: patternsOf(project.testMatch), ignore: patternsOf(project.testIgnore),
      };
    };
    const webServers = serversOf(this.config, home);
    fs.writeFileSync(process.env.FUNKYTOWN_ANSWER, JSON.stringify({ projects: projects.map(describe), errors: this.#errors, webServers }));
  }
}
