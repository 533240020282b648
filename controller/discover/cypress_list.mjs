// Tells what a Cypress configuration says of its specs: node cypress_list.mjs /abs/cypress.config.ts. The answer, in the file
// that FUNKYTOWN_ANSWER names:
//
//   { "type": "e2e|component", "others": ["/abs"], "browser", "width", "height", "files": ["/abs"], "asksItsPlugins": false }
//
// Cypress loads its configuration in a Node process too, but by its own program, which need not be there. TypeScript is taken
// as Node takes it, or as the project's typescript compiles it. What setupNodeEvents would change is not known.

import fs from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { globToRegExp } from './glob.mjs';

const DEFAULTS = {
  e2e: { specPattern: 'cypress/e2e/**/*.cy.{js,jsx,ts,tsx}', excludeSpecPattern: '*.hot-update.js', viewportWidth: 1000, viewportHeight: 660 },
  component: { specPattern: '**/*.cy.{js,jsx,ts,tsx}', excludeSpecPattern: ['**/__snapshots__/*', '**/__image_snapshots__/*'], viewportWidth: 500, viewportHeight: 500 },
};

/** Lets require() take TypeScript, for a Node that doesn't by itself. */
function compileTypeScript(config) {
  const typescript = createRequire(config)('typescript');
  for (const ending of ['.ts', '.cts', '.mts'])
    Module._extensions[ending] = (module, file) => {
      const compilerOptions = { module: typescript.ModuleKind.CommonJS, target: typescript.ScriptTarget.ES2022, esModuleInterop: true };
      module._compile(typescript.transpileModule(fs.readFileSync(file, 'utf8'), { compilerOptions, fileName: file }).outputText, file);
    };
}

async function load(config) {
  if (!/\.[cm]?ts$/.test(config) || process.features.typescript) return import(pathToFileURL(config));
  compileTypeScript(config);
  return createRequire(config)(config);
}

function walk(folder, root = folder) {
  return fs.readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const file = path.join(folder, entry.name);
    if (entry.isDirectory()) return entry.name === 'node_modules' || entry.name === '.git' ? [] : walk(file, root);
    return [path.relative(root, file)];
  }).sort();
}

const settingsOf = (config, type) => ({ ...DEFAULTS[type], ...config, ...config[type] });

function matcher(patterns) {
  const all = [patterns].flat().filter(Boolean).map((pattern) => globToRegExp(pattern.includes('/') ? pattern.replace(/^\.\//, '') : `**/${pattern}`));
  return (file) => all.some((pattern) => pattern.test(file));
}

const specMatcher = ({ specPattern }) => matcher([specPattern].flat().map((pattern) => (pattern.includes('/') ? pattern : `./${pattern}`)));

function select(files, settings) {
  const isSpec = specMatcher(settings), isExcluded = matcher(settings.excludeSpecPattern);
  return files.filter((file) => isSpec(file) && !isExcluded(file));
}

const [, , file] = process.argv;
const loaded = await load(file);
const config = loaded.default?.default ?? loaded.default ?? loaded;
const folder = path.dirname(file);
const type = config.e2e || !config.component ? 'e2e' : 'component';
const files = walk(folder);
const isOfE2e = config.e2e ? specMatcher(settingsOf(config, 'e2e')) : () => false;
const ofComponents = config.component ? select(files, settingsOf(config, 'component')).filter((each) => !isOfE2e(each)) : [];
const settings = settingsOf(config, type);
fs.writeFileSync(process.env.FUNKYTOWN_ANSWER, JSON.stringify({
  type,
  files: (type === 'e2e' ? select(files, settings) : ofComponents).map((each) => path.join(folder, each)),
  others: type === 'e2e' ? ofComponents.map((each) => path.join(folder, each)) : [],
  browser: settings.defaultBrowser,
  width: settings.viewportWidth,
  height: settings.viewportHeight,
  asksItsPlugins: typeof settings.setupNodeEvents === 'function',
}));
process.exit(0); // whatever the configuration has left running
