// Tells what a Cypress configuration says of its specs: node cypress_list.mjs /abs/cypress.config.ts. The answer, in the file
// that FUNKYTOWN_ANSWER names:
//
//   { "type": "e2e|component", "others": ["/abs"], "browser", "width", "height", "files": ["/abs"], "asksItsPlugins": false }
//
// Cypress loads its configuration in a Node process too, but by its own program, which need not be there. TypeScript is taken
// as Node takes it, or as the project's typescript or esbuild compiles it. What setupNodeEvents would change is not known.

import fs from 'node:fs';
import { createRequire, Module } from 'node:module';
import path from 'node:path';
import { pathToFileURL } from 'node:url';
import { globToRegExp } from './glob.mjs';

const DEFAULTS = {
  e2e: { specPattern: 'cypress/e2e/**/*.cy.{js,jsx,ts,tsx}', excludeSpecPattern: '*.hot-update.js', viewportWidth: 1000, viewportHeight: 660 },
  component: { specPattern: '**/*.cy.{js,jsx,ts,tsx}', excludeSpecPattern: ['**/__snapshots__/*', '**/__image_snapshots__/*'], viewportWidth: 500, viewportHeight: 500 },
};

const COMPILERS = {
  typescript: ({ transpileModule, ModuleKind, ScriptTarget }) => transpileModule && ((text, fileName) => {
    const compilerOptions = { module: ModuleKind.CommonJS, target: ScriptTarget.ES2022, esModuleInterop: true };
    return transpileModule(text, { compilerOptions, fileName }).outputText;
  }),
  esbuild: ({ transformSync }) => (text, sourcefile) => transformSync(text, { loader: 'ts', format: 'cjs', target: 'es2022', sourcefile }).code,
};

/** Of the project; from version 7 on the package typescript is none that can be called. */
function findCompiler(config) {
  const need = createRequire(config);
  for (const [name, make] of Object.entries(COMPILERS)) {
    try {
      const compile = make(need(name));
      if (compile) return compile;
    } catch (error) {
      if (error.code !== 'MODULE_NOT_FOUND') throw error;
    }
  }
  throw new Error(`Node ${process.versions.node} can't load TypeScript: install esbuild in the project, or have Node 22.18 or later in PATH`);
}

async function load(config) {
  if (!/\.[cm]?ts$/.test(config) || process.features.typescript) return import(pathToFileURL(config));
  const compile = findCompiler(config);
  for (const ending of ['.ts', '.cts', '.mts'])
    Module._extensions[ending] = (module, file) => module._compile(compile(fs.readFileSync(file, 'utf8'), file), file);
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
