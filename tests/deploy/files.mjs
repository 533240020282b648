// What the tests read: the files that people deploy with, and the option tables as the programs print them.

import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { dirname, join, resolve } from 'node:path';
import { fileURLToPath } from 'node:url';
import { parseAllDocuments, parseDocument } from 'yaml';

export const projectRoot = resolve(dirname(fileURLToPath(import.meta.url)), '../..');
const build = resolve(projectRoot, process.env.FUNKYTOWN_BUILD ?? 'build');

export function readText(path) {
  return readFileSync(join(projectRoot, path), 'utf8');
}

function parsed(path, document) {
  const trouble = [...document.errors, ...document.warnings].map((one) => one.message);
  if (trouble.length > 0) throw new Error(`${path}: ${trouble.join('; ')}`);
  return document.toJS();
}

export function readCompose(path) {
  return parsed(path, parseDocument(readText(path), { merge: true }));
}

// [{ path, object }]: every object of every manifest below a folder.
export function readManifests(folder) {
  const paths = readdirSync(join(projectRoot, folder), { recursive: true }).filter((name) => name.endsWith('.yaml'));
  return paths.sort().flatMap((name) => {
    const path = join(folder, name);
    return parseAllDocuments(readText(path)).map((document) => ({ path, object: parsed(path, document) }));
  });
}

// The environment variables that a program knows: Map of name -> default ('' for none).
export function optionsOf(program) {
  const help = execFileSync(join(build, 'bin', program), ['--help'], { encoding: 'utf8' });
  const rows = help.matchAll(/^ {2}--\S+ \(([A-Z_]+)\)(?:, default (.*))?$/gm);
  return new Map([...rows].map(([, name, fallback]) => [name, fallback ?? '']));
}

// A Dockerfile as a list of stages, each { name, base, steps: [{ word, text }] }; what stands before the first is `args`.
export function readDockerfile(path) {
  const lines = readText(path).split('\n').filter((line) => !/^\s*#/.test(line)).join('\n').replace(/\\\n\s*/g, ' ').split('\n');
  const file = { args: [], stages: [] };
  for (const line of lines.filter((one) => one.trim() !== '')) {
    const [, word, text] = line.match(/^([A-Z]+)\s+(.*)$/) ?? [null, '?', line];
    const from = text.match(/^(\S+)(?:\s+AS\s+(\S+))?$/);
    if (word === 'FROM') file.stages.push({ base: from[1], name: from[2], steps: [] });
    else (file.stages.at(-1)?.steps ?? file.args).push({ word, text });
  }
  return file;
}

// Of one stage: what its steps with that word say.
export function textsOf(stage, word) {
  return stage.steps.filter((step) => step.word === word).map((step) => step.text);
}

// Of one stage: its ENV as an object.
export function environmentOf(stage) {
  return Object.fromEntries(textsOf(stage, 'ENV').flatMap((text) => [...text.matchAll(/(\w+)=("[^"]*"|\S+)/g)].map(([, name, value]) => [name, value])));
}
