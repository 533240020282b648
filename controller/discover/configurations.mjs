// Which configurations there are in a folder and below it. Hidden folders, node_modules and what git ignores are left out.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { Refusal } from './asking.mjs';

// In the order in which each runner looks for its own.
const NAMES = {
  playwright: ['ts', 'js', 'mts', 'mjs', 'cts', 'cjs'].map((ending) => `playwright.config.${ending}`),
  cypress: ['js', 'ts', 'mjs', 'cjs'].map((ending) => `cypress.config.${ending}`),
  webdriver: ['ts', 'mts', 'cts', 'js', 'mjs', 'cjs'].map((ending) => `wdio.conf.${ending}`),
};

// Of component tests, which the runner is told of; taken where there is none of the above.
const COMPONENT_NAMES = NAMES.playwright.map((name) => name.replace('playwright.', 'playwright-ct.'));

export const isDefaultName = (file) => Object.values(NAMES).flat().includes(path.basename(file));

/** Whose configuration a file is, by its name. */
export function kindOf(file) {
  const name = path.basename(file);
  const [kind] = [['playwright', /playwright/], ['cypress', /cypress/], ['webdriver', /wdio/]].find(([, pattern]) => pattern.test(name)) ?? [];
  if (!kind || !/\.[cm]?[jt]s$/.test(name)) throw new Refusal(`${file}: wanted a spec map (*.json), a folder, or a playwright.config.*, cypress.config.* or wdio.conf.*`);
  return kind;
}

/** Those of these folders that git ignores; none where there is no git. */
function ignoredAmong(folders, place) {
  if (folders.length === 0) return new Set();
  const { stdout } = spawnSync('git', ['-C', place, 'check-ignore', '-z', '--stdin'], { input: folders.join('\0'), encoding: 'utf8', maxBuffer: 64 << 20 });
  return new Set((stdout ?? '').split('\0'));
}

/** [{ kind, file, others }], the nearest folders first; of one kind one in each folder. */
export function find(place) {
  const found = [];
  const isIgnoredItself = ignoredAmong([place], place).has(place);
  for (let level = [place]; level.length > 0;) {
    const below = [];
    for (const folder of level) {
      const entries = fs.readdirSync(folder, { withFileTypes: true });
      const files = new Set(entries.filter((entry) => !entry.isDirectory()).map(({ name }) => name));
      for (const [kind, names] of Object.entries(NAMES)) {
        const [name, ...others] = [names, kind === 'playwright' ? COMPONENT_NAMES : []].map((list) => list.find((each) => files.has(each))).filter(Boolean);
        if (name) found.push({ kind, file: path.join(folder, name), others: others.map((other) => path.join(folder, other)) });
      }
      below.push(...entries.filter((entry) => entry.isDirectory() && entry.name !== 'node_modules' && !entry.name.startsWith('.')).map(({ name }) => path.join(folder, name)));
    }
    const ignored = isIgnoredItself ? new Set() : ignoredAmong(below, place);
    level = below.filter((folder) => !ignored.has(folder)).sort();
  }
  return found;
}
