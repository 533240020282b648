// The house as it was built: which file calls which. It is read from the object files, so no include can hide an arrow.
//
// Dependencies point one way: main -> owner -> parts -> shared, and no two files lean on each other. Who calls back does
// so through a pointer that was handed down, which is no arrow.

import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { readFileSync, readdirSync } from 'node:fs';
import { join, relative, resolve } from 'node:path';
import { test } from 'node:test';
import { projectRoot } from './files.mjs';

const build = resolve(projectRoot, process.env.FUNKYTOWN_BUILD ?? 'build');
const LINES_MAX = 600;

// From the ground up: a file calls its own floor and those below.
const FLOORS = [
  { name: 'shared', holds: /^shared\// },
  { name: 'parts', holds: /^(controller|worker)\/(?!main\.|controller|worker)/ },
  { name: 'owner', holds: /^(controller|worker)\/(controller|worker)/ },
  { name: 'main', holds: /^(controller|worker)\/main\./ },
];

const floorOf = (file) => FLOORS.findIndex(({ holds }) => holds.test(file));
const programOf = (file) => file.split('/')[0];

function symbolsOf(object) {
  const lines = execFileSync('nm', ['--extern-only', '--format=posix', object], { encoding: 'utf8' }).split('\n').filter(Boolean);
  const kinds = lines.map((line) => line.split(' '));
  return {
    defined: kinds.filter(([, kind]) => kind !== 'U').map(([name]) => name),
    wanted: kinds.filter(([, kind]) => kind === 'U').map(([name]) => name),
  };
}

// Map of file -> Set of the files whose functions or data it names.
function readArrows() {
  const files = JSON.parse(readFileSync(join(build, 'compile_commands.json'), 'utf8'))
    .map(({ file, directory, command }) => ({
      file: relative(projectRoot, file),
      ...(floorOf(relative(projectRoot, file)) >= 0 && symbolsOf(resolve(directory, command.match(/ -o (\S+)/)[1]))),
    }))
    .filter(({ defined }) => defined);
  const homes = new Map();
  for (const { file, defined } of files) for (const name of defined) homes.set(`${programOf(file)} ${name}`, file);
  const homeOf = (file, name) => homes.get(`${programOf(file)} ${name}`) ?? homes.get(`shared ${name}`);
  return new Map(files.map(({ file, wanted }) => [file, new Set(wanted.map((name) => homeOf(file, name)).filter(Boolean))]));
}

// The files of each circle, by Tarjan's algorithm (https://doi.org/10.1137/0201010).
function findCircles(arrows) {
  const order = new Map(), low = new Map(), stack = [], circles = [];
  const visit = (file) => {
    order.set(file, order.size);
    low.set(file, order.get(file));
    stack.push(file);
    for (const next of arrows.get(file)) {
      if (!order.has(next)) visit(next);
      if (stack.includes(next)) low.set(file, Math.min(low.get(file), low.get(next)));
    }
    if (low.get(file) !== order.get(file)) return;
    const circle = stack.splice(stack.indexOf(file));
    if (circle.length > 1) circles.push(circle.sort());
  };
  for (const file of arrows.keys()) if (!order.has(file)) visit(file);
  return circles;
}

function sourceFiles(folder) {
  return readdirSync(join(projectRoot, folder), { recursive: true })
    .filter((name) => /\.(c|h|lua|mjs)$/.test(name))
    .map((name) => join(folder, name));
}

const arrows = readArrows();

test('every file of the programs is looked at', () => {
  const built = [...arrows.keys()].sort();
  const written = ['controller', 'shared', 'worker'].flatMap(sourceFiles).filter((file) => file.endsWith('.c')).sort();
  assert.deepEqual(built, written);
});

test('no arrow points up, and none from one program to the other', () => {
  const wrong = [...arrows].flatMap(([file, called]) => [...called]
    .filter((other) => floorOf(other) > floorOf(file) || (programOf(other) !== 'shared' && programOf(other) !== programOf(file)))
    .map((other) => `${file} -> ${other}`));
  assert.deepEqual(wrong, []);
});

test('no two files lean on each other', () => {
  assert.deepEqual(findCircles(arrows), []);
});

test(`no file is longer than ${LINES_MAX} lines`, () => {
  const long = ['controller', 'shared', 'worker'].flatMap(sourceFiles)
    .map((file) => [file, readFileSync(join(projectRoot, file), 'utf8').split('\n').length - 1])
    .filter(([, lines]) => lines > LINES_MAX);
  assert.deepEqual(long, []);
});
