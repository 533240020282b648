// No spec map: what the controller makes of a folder's own configurations, by the real Playwright and WebdriverIO, and by a
// package that stands in for Cypress, whose program can't be had here. No browser is started. PLAYWRIGHT_MODULES names the
// node_modules of another Playwright, of any version.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { existsSync, mkdirSync, readFileSync, symlinkSync } from 'node:fs';
import { join } from 'node:path';
import { test } from 'node:test';
import { freePort, isAlive, projectRoot, Stage, waitFor } from '../e2e/harness.mjs';

const HERE = join(projectRoot, 'tests/runners');
const MODULES = process.env.PLAYWRIGHT_MODULES ?? join(projectRoot, 'specs/node_modules');
const [, MINOR] = JSON.parse(readFileSync(join(MODULES, '@playwright/test/package.json'), 'utf8')).version.split('.').map(Number);
const LIMIT_MS = 300_000; // on a busy machine a start takes half a minute
const HAS_BROWSERS = "launchOptions: { executablePath: '/bin/true' }"; // installed, as far as anybody can tell
const PASSES = "import { test } from '@playwright/test';\ntest('runs', () => {});\n";
const CYPRESS = { 'package.json': '{"name":"cypress","version":"15.0.0"}', 'index.js': 'exports.defineConfig = (config) => config;\n' };

/** A folder with packages, and files in it. */
function lay(t, files, packages = ['@playwright']) {
  const stage = new Stage(t);
  const from = (name) => join(name === '@playwright' ? MODULES : join(HERE, 'node_modules'), name);
  mkdirSync(join(stage.specs, 'node_modules'));
  for (const name of packages.filter((each) => each !== 'cypress')) symlinkSync(from(name), join(stage.specs, 'node_modules', name));
  if (packages.includes('cypress')) for (const [name, text] of Object.entries(CYPRESS)) stage.file(`specs/node_modules/cypress/${name}`, text);
  for (const [name, text] of Object.entries(files)) stage.file(`specs/${name}`, text);
  return stage;
}

const playwrightConfig = (text) => `import { devices } from '@playwright/test';\nexport default { reporter: 'null', ${text} };\n`;

/** { status, notes: lines of standard error, stdout } */
async function ask(stage, args, env = {}) {
  const program = stage.controller(args, { FUNKYTOWN_LOG_LEVEL: 'warn', ...env });
  const status = await program.exit(LIMIT_MS);
  return { status, stdout: program.stdout, notes: program.stderr.split('\n').filter(Boolean).map((line) => line.replace(/^controller: /, '').replaceAll(stage.specs, 'SPECS')) };
}

/** The map that init writes, and its notes. */
async function init(stage, place = stage.specs, root = stage.specs) {
  const { status, notes, stdout } = await ask(stage, ['init', place]);
  assert.equal(status, 0, notes.join('\n'));
  assert.match(stdout, new RegExp(`^wrote ${root}/spec_context_map\\.json: \\d+ tasks; SPEC_ROOT=${root} \\./run ${root}/spec_context_map\\.json runs it\\n$`));
  return { map: JSON.parse(readFileSync(join(root, 'spec_context_map.json'), 'utf8')), notes };
}

async function assertRefused(stage, args, pattern, status = 2) {
  const answer = await ask(stage, args);
  assert.equal(answer.status, status, answer.notes.join('\n'));
  assert.equal(answer.notes.length, 1, answer.notes.join('\n'));
  assert.match(answer.notes[0], pattern);
}

/** The rows of --dry-run, without its heads: "spec viewport browser". */
async function table(stage, args, place = stage.specs) {
  const { status, stdout, notes } = await ask(stage, ['--dry-run', ...args, place]);
  assert.equal(status, 0, notes.join('\n'));
  const [tasks] = stdout.split('\n\n');
  return { rows: tasks.split('\n').slice(1).map((row) => row.split(/ {2,}/).slice(1, 4).join(' ')), stdout, notes };
}

const STOCK = playwrightConfig(`projects: [
  { name: 'setup', testMatch: /.*\\.setup\\.mjs/ },
  { name: 'chromium', use: { ...devices['Desktop Chrome'], ${HAS_BROWSERS} }, dependencies: ['setup'], testIgnore: /b\\.spec/ },
  { name: 'signed in', use: { ...devices['Desktop Chrome'], ${HAS_BROWSERS} } },
  { name: 'firefox', use: { ...devices['Desktop Firefox'], viewport: { width: 800, height: 600 }, ${HAS_BROWSERS} } },
  { name: 'Mobile Safari', use: { ...devices['iPhone 12'], ${HAS_BROWSERS} }, testMatch: /a\\.spec/ },
  { name: 'wide-chrome', use: { viewport: null, ${HAS_BROWSERS} } },
]`);

test('Playwright\'s projects: each is a viewport and a browser of its own, set-ups are none, groups are what is run alike', async (t) => {
  const stage = lay(t, { 'playwright.config.mjs': STOCK, 'tests/a.spec.mjs': PASSES, 'tests/b.spec.mjs': PASSES, 'tests/sign.setup.mjs': PASSES });
  const { map, notes } = await init(stage);
  assert.deepEqual(map, {
    viewports: { desktop: { width: 1280, height: 720, mobile: false }, 'signed in': { width: 1280, height: 720, mobile: false }, 'desktop-800x600': { width: 800, height: 600, mobile: false }, mobile: { width: 390, height: 664, mobile: true } },
    exclude: [],
    projects: { 'desktop-chromium': 'chromium', 'signed in-chromium': 'signed in', 'desktop-800x600-firefox': 'firefox', 'mobile-webkit': 'Mobile Safari' },
    groups: [
      { name: 'chromium, signed in, firefox, Mobile Safari, wide-chrome', runner: 'playwright', tasks: [
        { spec: 'tests/a.spec.mjs', viewports: ['desktop', 'signed in'], browsers: ['chromium'] },
        { spec: 'tests/a.spec.mjs', viewports: ['desktop-800x600'], browsers: ['firefox'] },
        { spec: 'tests/a.spec.mjs', viewports: ['mobile'], browsers: ['webkit'] },
        { spec: 'tests/a.spec.mjs', viewports: ['wide'], browsers: ['chrome'] }] },
      { name: 'signed in, firefox, wide-chrome', runner: 'playwright', tasks: [
        { spec: 'tests/b.spec.mjs', viewports: ['signed in'], browsers: ['chromium'] },
        { spec: 'tests/b.spec.mjs', viewports: ['desktop-800x600'], browsers: ['firefox'] },
        { spec: 'tests/b.spec.mjs', viewports: ['wide'], browsers: ['chrome'] }] },
    ],
  });
  assert.deepEqual(notes, [
    'playwright.config.mjs: the project "setup" is no task of its own; it is run at each start of "chromium"',
    'playwright.config.mjs: the project "wide-chrome" has no size of a viewport: the window is left as it is',
  ]);
});

test('a folder is run without a map: each spec once in each project that has it, and --rerun knows the run', async (t) => {
  const tells = "import { appendFileSync } from 'node:fs';\nimport { test } from '@playwright/test';\ntest('tells', ({}, info) => appendFileSync(process.env.TOLD, `${info.project.name} ${info.file.split('/').at(-1)}\\n`));\n";
  const stage = lay(t, { 'playwright.config.mjs': STOCK, 'tests/a.spec.mjs': tells, 'tests/b.spec.mjs': tells, 'tests/sign.setup.mjs': PASSES });
  await stage.startRedis();
  const { status, stdout, notes } = await ask(stage, ['--once', '--workers', '2', stage.specs], { TOLD: join(stage.folder, 'told') });
  assert.equal(status, 0, notes.join('\n') + stdout);
  assert.match(stdout, /^passed: 8\/8 /m);
  assert.deepEqual(stage.lines('told').sort(), [
    'Mobile Safari a.spec.mjs', 'chromium a.spec.mjs', 'firefox a.spec.mjs', 'firefox b.spec.mjs', 'signed in a.spec.mjs',
    'signed in b.spec.mjs', 'wide-chrome a.spec.mjs', 'wide-chrome b.spec.mjs']);
  const again = await ask(stage, ['--once', '--rerun', stage.specs]);
  assert.equal(again.status, 0, again.notes.join('\n'));
  assert.equal(stage.lines('told').length, 8);
});

const SHOP = {
  'server.cjs': `const { appendFileSync } = require('node:fs');
appendFileSync(process.env.TOLD, process.pid + '\\n');
require('node:http').createServer((request, response) => {
  if (request.url === '/sign-in') response.setHeader('set-cookie', 'user=ann');
  response.end(/user=ann/.test(request.headers.cookie) ? 'Hello Ann' : 'Hello');
}).listen(process.env.PORT, '127.0.0.1');
`,
  'playwright.config.ts': `import { defineConfig } from '@playwright/test';
const url = 'http://127.0.0.1:' + process.env.PORT + '/';
export default defineConfig({ testDir: 'tests', reporter: 'null', retries: 1, grep: /@shop|signs in/, grepInvert: /@later/, globalSetup: './global_setup.ts', use: { baseURL: url, ${HAS_BROWSERS} },
  webServer: [{ command: 'node server.cjs', url, reuseExistingServer: process.env.REUSES !== 'no', timeout: 20_000 }],
  projects: [{ name: 'setup', testMatch: '*.setup.ts' }, { name: 'chromium', use: { storageState: 'state.json' }, dependencies: ['setup'] }] });
`,
  'global_setup.ts': "export default async () => { process.env.SET_UP = 'yes'; };\n",
  'tsconfig.json': '{ "compilerOptions": { "baseUrl": ".", "paths": { "@shop/*": ["src/*"] } } }',
  'src/words.ts': "export const greeting: string = 'Hello Ann';\n",
  'tests/sign.setup.ts': "import { test } from '@playwright/test';\ntest('signs in', async ({ request }) => { await request.get('/sign-in'); await request.storageState({ path: 'state.json' }); });\n",
  'tests/a.spec.ts': `import { expect, test as base } from '@playwright/test';
import { greeting } from '@shop/words';
const test = base.extend<{ words: string }>({ words: async ({}, use) => { await use(greeting); } });
test('is signed in @shop', async ({ request, words }) => { expect(await (await request.get('/')).text()).toBe(words); expect(process.env.SET_UP).toBe('yes'); });
test('fails as it should @shop', async () => { test.fail(); throw new Error('known'); });
test('is left out', async () => { throw new Error('ran'); });
test('is left out as well @shop @later', async () => { throw new Error('ran'); });
`,
  'tests/b.spec.cjs': `const { expect, test } = require('@playwright/test');
test.describe.serial('in order @shop', () => {
  test('one', () => {});
  test('two', ({}, info) => { expect(info.retry).toBe(1); });
  test('three', async ({ request }) => { expect((await request.get('/')).ok()).toBe(true); });
});
`,
  'tests/c.spec.mjs': "import { expect, test } from '@playwright/test';\nconst { ok } = await import('node:assert');\ntest('module @shop', async ({ request }) => { ok((await request.get('/')).ok()); });\n",
};

test('a suite as people have it: set-up and its state, aliases, fixtures, serial groups, retries, one server for all starts', async (t) => {
  const stage = lay(t, { ...SHOP, 'package.json': '{}' });
  await stage.startRedis();
  const env = { TOLD: join(stage.folder, 'told'), PORT: String(await freePort()), REDIS_PASSWORD: '' };
  const { status, stdout, notes } = await ask(stage, ['--once', '--workers', '2', stage.specs], env);
  assert.equal(status, 0, stdout + notes.join('\n'));
  assert.match(stdout, /^passed: 3\/3 +✓ 3 passed in .* \(9 tests, 0 failed\)$/m); // the set-up's is one of each start
  assert.ok(notes.includes('playwright.config.ts: its server (node server.cjs) is started once, before the first spec; each start reuses it'), notes.join('\n'));
  const servers = stage.lines('told');
  assert.equal(servers.length, 1);
  await waitFor('the server to end', () => !isAlive(Number(servers[0])));

  const dry = await ask(stage, ['--dry-run', stage.specs], { ...env, REUSES: 'no' });
  assert.equal(dry.status, 0, dry.notes.join('\n'));
  assert.ok(dry.notes.includes('playwright.config.ts: its server (node server.cjs) is started anew for each spec, and two at a time are in each other\'s way: have reuseExistingServer, and a url or port'), dry.notes.join('\n'));
  stage.file('specs/server.cjs', "throw new Error('no port today');\n");
  const broken = await ask(stage, ['--once', '--workers', '1', stage.specs], env);
  assert.equal(broken.status, 2, broken.notes.join('\n'));
  assert.equal(broken.notes.at(-1), 'SPECS/playwright.config.ts: its server (node server.cjs) ended with 1: Error: no port today');
  assert.equal(stage.lines('told').length, 1);
});

test('component tests: their configuration and their package, in the place of which Playwright itself stands here', async (t) => {
  const from = '@playwright/experimental-ct-react';
  const stage = lay(t, { 'playwright-ct.config.mjs': playwrightConfig(`use: { ${HAS_BROWSERS} }`).replace('@playwright/test', from), 'src/a.spec.mjs': PASSES.replace('@playwright/test', from) }, []);
  mkdirSync(join(stage.specs, 'node_modules/@playwright'));
  symlinkSync(join(MODULES, '@playwright/test'), join(stage.specs, 'node_modules', from));
  await stage.startRedis();
  const { status, stdout, notes } = await ask(stage, ['--once', '--workers', '1', stage.specs]);
  assert.equal(status, 0, stdout + notes.join('\n'));
  assert.match(stdout, /^passed: 1\/1 .*\(1 tests?, 0 failed\)/m);
  symlinkSync(join(MODULES, '@playwright/test'), join(stage.specs, 'node_modules/@playwright/test'));
  stage.file('specs/playwright.config.mjs', playwrightConfig(`testDir: 'src', use: { ${HAS_BROWSERS} }`));
  const both = await table(stage, []);
  assert.deepEqual(both.rows, ['src/a.spec.mjs default chromium']);
  assert.equal(both.notes[0], 'left out (it can be run by its own): playwright-ct.config.mjs');
});

test('without projects there is one viewport, of the size that `use` has', async (t) => {
  const config = playwrightConfig(`use: { browserName: 'firefox', viewport: { width: 1000, height: 700 }, ${HAS_BROWSERS} }`);
  const stage = lay(t, { 'playwright.config.mjs': config, 'a.spec.mjs': PASSES });
  await stage.startRedis();
  const { rows } = await table(stage, []);
  assert.deepEqual(rows, ['a.spec.mjs default firefox']);
  const { status, stdout } = await ask(stage, ['--once', '--workers', '1', stage.specs]);
  assert.equal(status, 0, stdout);
});

test('a configuration of another name, or one whose specs lie beside it, is named on the command line', async (t) => {
  const stage = lay(t, { 'e2e/playwright.smoke.config.mjs': playwrightConfig(`testDir: '../tests', use: { ${HAS_BROWSERS} }`), 'tests/a.spec.mjs': PASSES });
  await stage.startRedis();
  const place = join(stage.specs, 'e2e/playwright.smoke.config.mjs');
  const { map } = await init(stage, place);
  assert.ok(map.runners.playwright.argv.includes('--config=e2e/playwright.smoke.config.mjs'), JSON.stringify(map.runners));
  assert.deepEqual(map.groups[0].tasks, [{ spec: 'tests/a.spec.mjs', viewports: ['default'], browsers: ['chromium'] }]);
  const { status, stdout, notes } = await ask(stage, ['--once', '--workers', '1', place]);
  assert.equal(status, 0, stdout + notes.join('\n'));
});

test('a browser that is not installed is excluded with its reason, and init only says so', async (t) => {
  const config = playwrightConfig(`projects: [{ name: 'chromium', use: { ${HAS_BROWSERS} } }, { name: 'webkit', use: { ...devices['Desktop Safari'] } }]`);
  const stage = lay(t, { 'playwright.config.mjs': config, 'a.spec.mjs': PASSES });
  const { rows, stdout, notes } = await table(stage, []);
  assert.deepEqual(rows, ['a.spec.mjs desktop chromium']);
  assert.match(stdout, /^EXCLUDED .*REASON\n.*a\.spec\.mjs +desktop +webkit +webkit is not installed: npx playwright install webkit\n\n1 task, 1 excluded\n$/m);
  assert.deepEqual(notes, ['webkit is not installed, so one combination is left out (npx playwright install webkit, in SPECS)']);
  const { map, notes: told } = await init(stage);
  assert.deepEqual(map.exclude, []);
  assert.deepEqual(told, ['webkit is not installed, so its tasks will be errors (npx playwright install webkit, in SPECS)']);
  stage.file('specs/playwright.config.mjs', playwrightConfig("use: { browserName: 'webkit' }"));
  const nothing = await ask(stage, ['--once', stage.specs]);
  assert.equal(nothing.status, 5, nothing.notes.join('\n'));
});

test('a file that does not load is a task, of the projects that would have it', async (t) => {
  const config = playwrightConfig(`use: { ${HAS_BROWSERS} }, projects: [{ name: 'one' }, { name: 'two', testMatch: /a\\.spec/ }]`);
  const stage = lay(t, { 'playwright.config.mjs': config, 'a.spec.mjs': PASSES, 'b.spec.mjs': 'test(', 'c.spec.mjs': 'test(' });
  const { rows, notes } = await table(stage, []);
  assert.deepEqual(rows, ['a.spec.mjs desktop chromium', 'a.spec.mjs two chromium', 'b.spec.mjs desktop chromium', 'c.spec.mjs desktop chromium']);
  assert.equal(notes.length, 2);
  assert.match(notes[0], /^SPECS\/b\.spec\.mjs does not load, and will be an error: SyntaxError: .*b\.spec\.mjs: Unexpected token/);
});

test('a file that does not load, and that a spec imports, is that spec\'s error; from 1.65 on Playwright tells of no spec, and it is one for all', async (t) => {
  const stage = lay(t, { 'playwright.config.mjs': playwrightConfig(`use: { ${HAS_BROWSERS} }`), 'a.spec.mjs': `import './help.mjs';\n${PASSES}`, 'b.spec.mjs': PASSES, 'help.mjs': 'help(' });
  if (MINOR >= 65) return assertRefused(stage, [stage.specs], /^SPECS\/playwright\.config\.mjs: SyntaxError: SPECS\/help\.mjs: Unexpected token/);
  const { rows, notes } = await table(stage, []);
  assert.deepEqual(rows, ['b.spec.mjs default chromium', 'a.spec.mjs default chromium']);
  assert.match(notes[0], /^SPECS\/a\.spec\.mjs does not load, and will be an error: SyntaxError: .*help\.mjs: Unexpected token/);
});

const cypressFiles = {
  'cypress.config.js': "const { defineConfig } = require('cypress');\nmodule.exports = defineConfig({ viewportWidth: 1200, viewportHeight: 800, e2e: { excludeSpecPattern: '**/later/*', setupNodeEvents() {} }, component: {} });\n",
  'cypress/e2e/cart.cy.js': '', 'cypress/e2e/later/sale.cy.js': '', 'cypress/e2e/notes.txt': '', 'src/button.cy.jsx': '',
};

test('Cypress: its configuration is loaded, its patterns are followed (a stand-in for the package)', async (t) => {
  const stage = lay(t, cypressFiles, ['cypress']);
  const { map, notes } = await init(stage);
  assert.deepEqual(map, {
    viewports: { default: { width: 1200, height: 800, mobile: false } }, exclude: [],
    groups: [{ name: 'cypress', runner: 'cypress', tasks: [{ spec: 'cypress/e2e/cart.cy.js', viewports: ['default'], browsers: ['electron'] }] }],
  });
  assert.deepEqual(notes, [
    "cypress.config.js doesn't say which browser: Cypress's own is taken, electron",
    'cypress.config.js: what its setupNodeEvents changes is not known before Cypress runs',
    'cypress.config.js: 1 component spec left out, as it has e2e specs too',
  ]);
});

test('Cypress: components only, a browser, a pattern of its own', async (t) => {
  const stage = lay(t, { 'cypress.config.mjs': "import cypress from 'cypress';\nexport default cypress.defineConfig({ defaultBrowser: 'firefox', component: { specPattern: ['src/**/*.{spec,test}.tsx', '!(dist)/x.cy.ts'] } });\n",
    'src/a.spec.tsx': '', 'src/deep/er/b.test.tsx': '', 'lib/x.cy.ts': '', 'dist/x.cy.ts': '', 'c.spec.tsx': '' }, ['cypress']);
  const { map, notes } = await init(stage);
  assert.deepEqual(map.groups[0].tasks.map(({ spec }) => spec), ['lib/x.cy.ts', 'src/a.spec.tsx', 'src/deep/er/b.test.tsx']);
  assert.deepEqual(map.groups[0].tasks[0].browsers, ['firefox']);
  assert.deepEqual(map.viewports, { default: { width: 500, height: 500, mobile: false } });
  assert.deepEqual(map.runners.cypress.argv.slice(0, 4), ['node', '{cypress}', 'run', '--component']);
  assert.deepEqual(notes, []);
});

test('Cypress: a configuration in TypeScript, by what the project has for it; or one line that says what is wanted', async (t) => {
  const files = { 'cypress.config.ts': "import { defineConfig } from 'cypress';\nconst width: number = 800;\nexport default defineConfig({ e2e: { viewportWidth: width, defaultBrowser: 'chrome' } });\n", 'cypress/e2e/a.cy.ts': '' };
  const stage = lay(t, files, ['cypress', 'esbuild']);
  stage.file('specs/node_modules/typescript/package.json', '{"name":"typescript","version":"7.0.2","main":"index.js"}');
  stage.file('specs/node_modules/typescript/index.js', "exports.version = '7.0.2';\n"); // as it is from 7 on
  const { map } = await init(stage);
  assert.deepEqual(map.groups[0].tasks, [{ spec: 'cypress/e2e/a.cy.ts', viewports: ['default'], browsers: ['chrome'] }]);
  assert.equal(map.viewports.default.width, 800);
  if (process.features.typescript) return;
  const bare = lay(t, files, ['cypress']);
  await assertRefused(bare, [bare.specs], /^SPECS\/cypress\.config\.ts: Error: Node \S+ can't load TypeScript: install esbuild in the project, or have Node 22\.18 or later in PATH$/);
});

const wdioConf = (type) => `export const config${type} = { runner: 'local', framework: 'mocha', specs: ['./tests/*.js', ['./pair/a.js', './pair/b.js']], exclude: ['./tests/later.js'],
  capabilities: [{ browserName: 'chrome' }, { browserName: 'MicrosoftEdge', 'wdio:exclude': ['./pair/*.js'] }, { browserName: 'chrome', 'goog:chromeOptions': {} }, {}] };\n`;
const wdioFiles = { 'tests/cart.js': '', 'tests/later.js': '', 'pair/a.js': '', 'pair/b.js': '' };

for (const [name, type] of [['wdio.conf.mjs', ''], ['wdio.conf.ts', ': Record<string, unknown>']])
  test(`WebdriverIO finds its specs itself, of each capability its own: ${name}`, async (t) => {
    const stage = lay(t, { [name]: wdioConf(type), ...wdioFiles }, ['@wdio']);
    const { map, notes } = await init(stage);
    assert.deepEqual(map, {
      viewports: {}, exclude: [],
      groups: [
        { name: 'chrome, edge', runner: 'webdriver', tasks: [{ spec: 'tests/cart.js', viewports: ['window'], browsers: ['chrome', 'edge'] }] },
        { name: 'chrome', runner: 'webdriver', tasks: ['pair/a.js', 'pair/b.js'].map((spec) => ({ spec, viewports: ['window'], browsers: ['chrome'] })) },
      ],
    });
    assert.deepEqual(notes, [
      `${name}: specs that share a session there are run one by one, each with a session of its own`,
      `${name}: a second capability for chrome is left out: the first is the one that is taken`,
      `${name}: a capability without a browserName is left out`,
    ]);
  });

test('several kinds in one folder are one map; what is in other folders is told', async (t) => {
  const stage = lay(t, { 'playwright.config.mjs': playwrightConfig(`testMatch: '*.spec.mjs', use: { ${HAS_BROWSERS} }`), 'a.spec.mjs': PASSES, ...cypressFiles, 'wdio.conf.mjs': wdioConf(''), ...wdioFiles,
    'other/wdio.conf.js': '', 'node_modules/x/playwright.config.js': '', '.hidden/playwright.config.js': '' }, ['@playwright', '@wdio', 'cypress']);
  const { rows, notes } = await table(stage, []);
  assert.deepEqual(rows, ['a.spec.mjs default chromium', 'cypress/e2e/cart.cy.js default-1200x800 electron', 'tests/cart.js window chrome', 'tests/cart.js window edge', 'pair/a.js window chrome', 'pair/b.js window chrome']);
  assert.equal(notes[0], 'left out, as they are in other folders (each can be run by its own): other/wdio.conf.js');
});

test('a configuration below the folder is found, but for what git ignores; of several one is to be named', async (t) => {
  const stage = lay(t, { '.gitignore': 'dist\n', 'web/e2e/playwright.config.mjs': playwrightConfig(`use: { ${HAS_BROWSERS} }`), 'web/e2e/a.spec.mjs': PASSES, 'dist/playwright.config.js': '' });
  execFileSync('git', ['init', '-q', stage.specs]);
  const { rows } = await table(stage, []);
  assert.deepEqual(rows, ['a.spec.mjs default chromium']);
  stage.file('specs/app/cypress.config.js', '');
  await assertRefused(stage, [stage.specs], /^SPECS: found app\/cypress\.config\.js, web\/e2e\/playwright\.config\.mjs; wanted the folder of one of them, or its file$/);
});

const TAGGED = "import { test } from '@playwright/test';\ntest('puts in {it} @smoke', () => {});\ntest('takes out', { tag: '@smoker' }, () => { throw new Error('ran'); });\n";

test('--grep and --tag: Playwright lists what fits and runs only that; for others the path counts', async (t) => {
  const stage = lay(t, { 'playwright.config.mjs': playwrightConfig(`testMatch: '*.spec.mjs', use: { ${HAS_BROWSERS} }`), 'a.spec.mjs': TAGGED, 'b.spec.mjs': PASSES, ...cypressFiles }, ['@playwright', 'cypress']);
  await stage.startRedis();
  const both = async (...args) => (await table(stage, args)).rows.map((row) => row.split(' ')[0]);
  assert.deepEqual(await both('--grep', 'cart|runs'), ['b.spec.mjs', 'cypress/e2e/cart.cy.js']);
  assert.deepEqual(await both('--tag', 'smoke'), ['a.spec.mjs']);
  assert.deepEqual(await both('--tag', '@smoke', '--grep', '/PUTS/i'), ['a.spec.mjs']);
  const { status, stdout, notes } = await ask(stage, ['--once', '--workers', '1', '--grep', 'puts in {it}|nothing', '--tag=smoke', stage.specs]);
  assert.equal(status, 0, stdout + notes.join('\n'));
  assert.match(stdout, /^passed: 1\/1 .*\(1 tests?, 0 failed\)/m);
  assert.ok(notes.includes("cypress.config.js can't say which of its tests have the tag smoke: 1 spec left out"), notes.join('\n'));
});

test('--only-changed: spec files that differ from the commit, or are new; Playwright follows imports, from 1.46 on', async (t) => {
  const stage = lay(t, { '.gitignore': 'node_modules\n', 'playwright.config.mjs': playwrightConfig(`testMatch: '*.spec.mjs', use: { ${HAS_BROWSERS} }`),
    'a.spec.mjs': PASSES, 'b.spec.mjs': "import './help.mjs';\n" + PASSES, 'help.mjs': '', ...cypressFiles }, ['@playwright', 'cypress']);
  const git = (...words) => execFileSync('git', ['-C', stage.specs, '-c', 'user.name=a', '-c', 'user.email=a@b', ...words]);
  git('init', '-q');
  git('add', '-A');
  git('commit', '-qm', 'one');
  await assertRefused(stage, ['--only-changed', stage.specs], /^--only-changed: found no such test by playwright\.config\.mjs, cypress\.config\.js, wanted at least one$/);
  stage.file('specs/help.mjs', 'export const changed = true;\n');
  stage.file('specs/cypress/e2e/till.cy.js', '');
  const { rows } = await table(stage, ['--only-changed']);
  const changed = [...(MINOR >= 46 ? ['b.spec.mjs'] : []), 'cypress/e2e/till.cy.js'];
  assert.deepEqual(rows.map((row) => row.split(' ')[0]), changed);
  git('add', '-A');
  git('commit', '-qm', 'two');
  assert.deepEqual((await table(stage, ['--only-changed=HEAD~1'])).rows.map((row) => row.split(' ')[0]), changed);
});

test('what cannot be made a run of is refused with one line, and nothing is written', async (t) => {
  const stage = lay(t, { 'empty/readme': '', 'spec.js': '', 'playwright.config.mjs': "throw new Error('no config today');", 'map.json': { groups: [] } });
  for (const [args, pattern] of [
    [[join(stage.specs, 'empty')], /^SPECS\/empty: found no playwright\.config\.\*, cypress\.config\.\* or wdio\.conf\.\* in or below it, wanted one$/],
    [[join(stage.specs, 'spec.js')], /^SPECS\/spec\.js: wanted a spec map \(\*\.json\), a folder, or a playwright\.config\.\*/],
    [[stage.specs], /^SPECS\/playwright\.config\.mjs: Error: no config today$/],
    [['--grep', '(', stage.specs], /^--grep: found "\(", wanted a regular expression \(/],
    [['--tag', 'a b', stage.specs], /^--tag: found "a b", wanted one tag/],
    [['--only-changed=--output=x', stage.specs], /^--only-changed: found "--output=x", wanted a commit/],
    [['--tag', 'a', join(stage.specs, 'map.json')], /^--tag: found SPECS\/map\.json, wanted a folder or a runner's configuration$/],
    [['init', join(stage.specs, 'map.json')], /^init: found SPECS\/map\.json, wanted a folder or a runner's configuration$/],
    [['init'], /^init: a folder or a runner's configuration is wanted after it$/],
    [['--dry-run', 'init', stage.specs], /^--dry-run: wanted without init/],
  ]) await assertRefused(stage, args, pattern);
  assert.equal(existsSync(join(stage.specs, 'spec_context_map.json')), false);
  assert.deepEqual(stage.lines('.funkytown'), []);
});

test('a package that is missing is named, with what installs it', async (t) => {
  for (const [config, name] of [['playwright.config.ts', '@playwright/test'], ['cypress.config.ts', 'cypress'], ['wdio.conf.ts', '@wdio/cli']]) {
    const stage = lay(t, { [`e2e/${config}`]: '', 'package.json': '{}' }, []);
    await assertRefused(stage, [stage.specs], new RegExp(`^SPECS/e2e/${config}: ${name} is not installed; run \`npm install\` in SPECS$`));
    stage.file('specs/e2e/package-lock.json', '{}');
    await assertRefused(stage, [stage.specs], new RegExp(`^SPECS/e2e/${config}: ${name} is not installed; run \`npm ci\` in SPECS/e2e$`));
  }
});

test('a map that is there is not overwritten', async (t) => {
  const stage = lay(t, { 'playwright.config.mjs': playwrightConfig(''), 'a.spec.mjs': PASSES, 'spec_context_map.json': 'mine' });
  const { status, notes } = await ask(stage, ['init', stage.specs]);
  assert.equal(status, 2);
  assert.match(notes.at(-1), /^SPECS\/spec_context_map\.json: found a file, wanted none/);
  assert.equal(readFileSync(join(stage.specs, 'spec_context_map.json'), 'utf8'), 'mine');
});

test('a configuration sees no secret, and nothing is left of one that never ends when the controller is killed', async (t) => {
  const config = "import { writeFileSync } from 'node:fs';\nimport { dirname } from 'node:path';\nwriteFileSync(process.env.TOLD, JSON.stringify({ pid: process.pid, secrets: [process.env.REDIS_PASSWORD, process.env.FUNKYTOWN_TOKEN], kept: process.env.BASE_URL }));\nawait new Promise((done) => setTimeout(done, 1e9));\n";
  const stage = lay(t, { 'playwright.config.mjs': config });
  const controller = stage.controller([stage.specs], { TOLD: join(stage.folder, 'told'), REDIS_PASSWORD: 'x', FUNKYTOWN_TOKEN: 'y', BASE_URL: 'z' });
  const told = await waitFor('the configuration to be loaded', () => stage.lines('told')[0] && JSON.parse(stage.lines('told')[0]));
  assert.deepEqual([told.secrets, told.kept], [[null, null], 'z']);
  controller.kill('SIGKILL');
  await waitFor('the runner to end', () => !isAlive(told.pid));
});
