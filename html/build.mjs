// Bundles the page: html/src -> html/dist, or the folder given as the first argument. Every file but index.html carries
// a hash of its content in its name, so the server may let browsers keep it for ever.
//
// And the page as one file, with a comment <!--run--> where a run is to be written: html/report, or the second
// argument's folder. It loads nothing, and its policy lets nothing run but what it brings.

import { createHash } from 'node:crypto';
import { mkdir, readFile, readdir, rm, writeFile } from 'node:fs/promises';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const here = dirname(fileURLToPath(import.meta.url));
const source = (name) => join(here, 'src', name);
const dist = resolve(process.argv[2] ?? join(here, 'dist'));
const reportFolder = resolve(process.argv[3] ?? join(here, 'report'));
const files = new Map();

function add(stem, extension, content) {
  const name = `${stem}-${createHash('sha256').update(content).digest('hex').slice(0, 10)}.${extension}`;
  files.set(name, content);
  return `assets/${name}`;
}

const common = { bundle: true, write: false, minify: true, target: ['chrome123', 'firefox121', 'safari17.5'], logLevel: 'warning', absWorkingDir: here };

// The licences of what gets bundled have to go where the bundle goes.
const inputs = await build({ ...common, entryPoints: [source('main.js')], format: 'esm', metafile: true, define: { __LICENSES__: '""' } });
const packages = new Set(Object.keys(inputs.metafile.inputs).flatMap((path) => /^node_modules\/((?:@[^/]+\/)?[^/]+)/.exec(path)?.[1] ?? []));
const notices = await Promise.all([...packages].sort().map(async (name) => {
  const { version } = JSON.parse(await readFile(join(here, 'node_modules', name, 'package.json'), 'utf8'));
  return `${name} ${version}\n\n${(await readFile(join(here, 'node_modules', name, 'LICENSE'), 'utf8')).trim()}\n`;
}));
const licenses = add('licenses', 'txt', notices.join(`\n${'-'.repeat(72)}\n\n`));

const script = await build({ ...common, entryPoints: [source('main.js')], format: 'esm', define: { __LICENSES__: JSON.stringify(licenses) } });
const style = await build({ ...common, entryPoints: [source('style/index.css')] });
const addresses = {
  script: add('app', 'js', script.outputFiles[0].text),
  style: add('app', 'css', style.outputFiles[0].text),
  favicon: add('favicon', 'svg', (await readFile(source('favicon.svg'), 'utf8')).trim()),
};
const page = await readFile(source('index.html'), 'utf8');
files.set('index.html', page.replace(/\{(\w+)\}/g, (_, name) => addresses[name]));

// Only what an earlier build left goes: the folder may be somebody's own.
const OURS = /^(?:app|favicon|licenses)-[0-9a-f]{10}\.(?:js|css|svg|txt)$/;
await mkdir(dist, { recursive: true });
for (const name of await readdir(dist)) if (OURS.test(name) && !files.has(name)) await rm(join(dist, name));
for (const [name, content] of files) await writeFile(join(dist, name), content);

const keptScript = await build({ ...common, entryPoints: [source('report.js')], format: 'esm', define: { __LICENSES__: '""' } });
// Inside <script> and <style> their end tags alone have a meaning, and a comment that opens.
const inline = (bundle) => bundle.outputFiles[0].text.trim().replace(/<(?=\/(?:script|style)|!--)/gi, '\\x3c');
const hashOf = (text) => `'sha256-${createHash('sha256').update(text).digest('base64')}'`;
const parts = {
  script: inline(keptScript),
  style: inline(style),
  favicon: `data:image/svg+xml;base64,${Buffer.from(files.get(addresses.favicon.replace('assets/', ''))).toString('base64')}`,
  licenses: notices.join('\n').replaceAll('--', '- -'),
};
parts.policy = `default-src 'none'; script-src ${hashOf(parts.script)}; style-src ${hashOf(parts.style)}; img-src data:; base-uri 'none'; form-action 'none'; require-trusted-types-for 'script'`;
const report = await readFile(source('report.html'), 'utf8');
await mkdir(reportFolder, { recursive: true });
await writeFile(join(reportFolder, 'report.html'), report.replace(/\{(\w+)\}/g, (_, name) => parts[name]));
