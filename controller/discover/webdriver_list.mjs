// Tells what a WebdriverIO configuration runs: node webdriver_list.mjs /abs/wdio.conf.ts /abs/node_modules/@wdio/config.
// The answer, in the file that FUNKYTOWN_ANSWER names:
//
//   { "capabilities": [{ "browser": "chrome"|null, "files": ["/abs"] }], "isMultiremote": false, "groups": 0 }
//
// It is WebdriverIO's own ConfigParser that loads the configuration and finds the specs, of each capability its own. groups:
// how many lists of specs there are that share a session.

import fs from 'node:fs';
import path from 'node:path';
import { fileURLToPath, pathToFileURL } from 'node:url';

const [, , file, library] = process.argv;
const { exports } = JSON.parse(fs.readFileSync(path.join(library, 'package.json'), 'utf8'));
const { ConfigParser } = await import(pathToFileURL(path.join(library, exports['./node'].import)));
const parser = new ConfigParser(file, {});
await parser.initialize();

const all = parser.getCapabilities();
const isMultiremote = !Array.isArray(all);
let groups = 0;

function describe(capability) {
  const words = capability.alwaysMatch ?? capability;
  const specs = parser.getSpecs(words.specs ?? words['wdio:specs'], words.exclude ?? words['wdio:exclude']);
  groups = Math.max(groups, specs.filter(Array.isArray).length);
  const toPath = (name) => (name.startsWith('file:') ? fileURLToPath(name) : path.resolve(name));
  return { browser: words.browserName ?? null, files: specs.flat().map(toPath) };
}

const capabilities = isMultiremote ? [{ ...describe({}), browser: 'multiremote' }] : all.map(describe);
fs.writeFileSync(process.env.FUNKYTOWN_ANSWER, JSON.stringify({ capabilities, isMultiremote, groups }));
process.exit(0); // whatever the configuration has left running
