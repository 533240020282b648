// Older Playwrights under the real daemons, in the places where package managers put them: the worker finds the package
// as Node would, or Yarn, reads its version, and adds the reporter in the way that this version knows. Installs them from npm.

import assert from 'node:assert/strict';
import { execFile } from 'node:child_process';
import { cpSync, mkdirSync, symlinkSync, writeFileSync } from 'node:fs';
import path from 'node:path';
import { test } from 'node:test';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { projectRoot, Stage } from '../e2e/harness.mjs';

const HERE = path.dirname(fileURLToPath(import.meta.url));

/** Puts that version into `folder`/node_modules. */
async function install(folder, version) {
  mkdirSync(folder, { recursive: true });
  writeFileSync(path.join(folder, 'package.json'), '{ "private": true }');
  await promisify(execFile)('npm', ['install', '--silent', '--no-fund', '--no-audit', '--ignore-scripts', '--prefer-offline', `@playwright/test@${version}`], { cwd: folder });
}

/** An npm or yarn workspace: the package lies above SPEC_ROOT. */
const hoisted = (stage, version) => install(stage.folder, version);

/** A monorepo's package that has a version of its own: the one above SPEC_ROOT is another. */
async function nested(stage, version) {
  symlinkSync(path.join(projectRoot, 'specs/node_modules'), path.join(stage.folder, 'node_modules'));
  await install(stage.specs, version);
}

/** As Yarn lays it: no node_modules, but archives that only Yarn's own file can find and that Node reads only with it. */
async function archived(stage, version) {
  stage.file('specs/package.json', { private: true, devDependencies: { '@playwright/test': version } });
  stage.file('specs/yarn.lock', '');
  stage.file('specs/.yarnrc.yml', 'nodeLinker: pnp\nenableGlobalCache: false\nenableTelemetry: false\nnpmRegistryServer: "https://registry.npmjs.org"\n');
  await promisify(execFile)(process.execPath, [path.join(HERE, 'node_modules/@yarnpkg/cli-dist/bin/yarn.js'), 'install', '--no-immutable'], { cwd: stage.specs });
}

/** As pnpm lays it: a symbolic link into a store, beside what the package needs. */
async function linked(stage, version) {
  await install(path.join(stage.folder, 'store'), version);
  const scope = path.join(stage.specs, 'node_modules/@playwright');
  mkdirSync(scope, { recursive: true });
  symlinkSync(path.join(stage.folder, 'store/node_modules/@playwright/test'), path.join(scope, 'test'));
}

const config = (project) => `
export default {
  testDir: '.',
  reporter: [['json', { outputFile: process.env.FUNKYTOWN_ARTIFACTS + '/native.json' }]],
  projects: [{ name: '${project}', use: { browserName: 'chromium', launchOptions: { executablePath: '/usr/bin/chromium-headless-shell', args: ['--no-sandbox'] } } }],
};
`;

const WANTED = {
  'passes.spec.mjs': ['passed', [['cart › when empty › adds', 'passed'], ['attaches a file', 'passed']]],
  'fails.spec.mjs': ['failed', [['passes first', 'passed'], ['compares', 'failed'], ['compares elsewhere', 'failed'], ['is soft', 'failed'], ['throws a string', 'failed']]],
  'greeting.spec.mjs': ['passed', [['greets', 'passed']]],
  'broken.spec.mjs': ['error', []],
};

const WAYS = [
  ['1.40.1', 'above SPEC_ROOT and with a stock project', hoisted, 'chromium', Object.keys(WANTED)],
  ['1.56.1', 'behind a symbolic link', linked, 'desktop-chrome', ['greeting.spec.mjs']],
  ['1.56.1', "in Yarn's archives", archived, 'desktop-chrome', ['passes.spec.mjs']],
  ['1.56.1', 'nearer than another version', nested, 'desktop-chrome', ['passes.spec.mjs']],
];

for (const [version, how, lay, project, specs] of WAYS) {
  test(`Playwright ${version}, ${how}`, async (t) => {
    const stage = new Stage(t);
    await stage.startRedis();
    await lay(stage, version);
    cpSync(path.join(HERE, 'fixtures/playwright'), stage.specs, { recursive: true });
    cpSync(path.join(projectRoot, 'tests/e2e/fixtures/playwright/tests/greeting.spec.mjs'), path.join(stage.specs, 'greeting.spec.mjs'));
    writeFileSync(path.join(stage.specs, 'playwright.config.mjs'), config(project));
    const tasks = specs.map((spec) => ({ spec, viewports: ['desktop'], browsers: ['chrome'] }));
    const controller = stage.controller([stage.file('map.json', { groups: [{ name: 'g', tasks }] })]);
    const worker = stage.worker({ FUNKYTOWN_SLOTS: '2' });
    await controller.says(/^(passed|failed|error): .*\n/m);
    assert.equal(await worker.exit(), 0, worker.output);
    for (const [i, spec] of specs.entries()) {
      const { status, attempts } = await stage.api(controller, `/tasks/task:g:${i}`);
      const told = attempts[0].tests.map((each) => [each.title.join(' › '), each.status]);
      assert.deepEqual([status, told], WANTED[spec], `${spec}: ${attempts[0].reason}\n${worker.output}`);
    }
    if (lay !== archived) return;
    const listed = stage.controller(['--dry-run', path.join(stage.specs, 'playwright.config.mjs')]);
    assert.equal(await listed.exit(), 0, listed.output);
    for (const spec of specs) assert.match(listed.stdout, new RegExp(` ${spec.replaceAll('.', '\\.')} .* playwright$`, 'm'));
  });
}
