// Finds the packages of runners where Yarn has put a .pnp.cjs in the place of node_modules. The worker asks once, by
//
//   node pnp.cjs /abs/.pnp.cjs /abs/spec/root '{"playwright":{"package":"@playwright/test","program":"cli.js"}}'
//
// and is told, as one JSON line, where each program is and of which version, and what Node has to be started with:
//
//   {"nodeOptions":"--require /abs/.pnp.cjs","playwright":{"path":"/abs/.yarn/cache/….zip/…/cli.js","version":"1.56.1"}}

'use strict';

const fs = require('node:fs');
const path = require('node:path');
const { pathToFileURL } = require('node:url');

const quoted = (word) => (/[\s"\\]/.test(word) ? `"${word.replace(/["\\]/g, '\\$&')}"` : word);

/** What `yarn run` puts into NODE_OPTIONS, behind what is there. */
function nodeOptionsFor(file) {
  const inherited = process.env.NODE_OPTIONS ?? '';
  if (inherited.includes(file)) return inherited;
  const loader = path.join(path.dirname(file), '.pnp.loader.mjs');
  const words = ['--require', quoted(file), ...(fs.existsSync(loader) ? ['--experimental-loader', pathToFileURL(loader).href] : [])];
  return [inherited, ...words].filter(Boolean).join(' ');
}

const [, , file, root, question] = process.argv;
const answer = { nodeOptions: nodeOptionsFor(file) };
const pnp = require(file);
pnp.setup();
for (const [name, { package: wanted, program }] of Object.entries(JSON.parse(question))) {
  try {
    const folder = pnp.resolveToUnqualified(wanted, `${root}/`);
    if (fs.existsSync(path.join(folder, program)))
      answer[name] = { path: path.join(folder, program), version: JSON.parse(fs.readFileSync(path.join(folder, 'package.json'), 'utf8')).version };
  } catch {
    // not among its dependencies
  }
}
process.stdout.write(`${JSON.stringify(answer)}\n`);
