// --grep, --tag and --only-changed: what each kind of runner makes of them.
//
//                  Playwright                              Cypress, WebdriverIO, which can't say which tests they have
//   --grep RE      its own --grep: project, path, titles   the spec's path
//   --tag TAG      its own --grep, for @TAG                leaves all of them out, and says so
//   --only-changed its own (from 1.46 on, with imports)    the spec files that git says have changed since REF, or are new
//
// Playwright gets --grep for each start too, so that only these tests are run.

import { spawnSync } from 'node:child_process';
import fs from 'node:fs';
import path from 'node:path';
import { count, Refusal } from './asking.mjs';

/** "RE" or "/RE/flags", as Playwright reads it. */
function readPattern(text) {
  const [, source = text, said = 'i'] = /^\/(.*)\/([gi]*)$/s.exec(text) ?? [];
  const flags = said.replace('g', '');
  try {
    return { source, flags, pattern: new RegExp(source, flags) };
  } catch (error) {
    throw new Refusal(`--grep: found "${text}", wanted a regular expression (${error.message})`);
  }
}

export class Filters {
  #changed;

  constructor({ grep, tag, onlyChanged }) {
    this.grep = grep ?? undefined;
    this.read = grep ? readPattern(grep) : undefined;
    this.tag = tag?.replace(/^@/, '');
    this.onlyChanged = onlyChanged ?? undefined;
    if (tag !== null && tag !== undefined && !/^[^\s@]+$/.test(this.tag)) throw new Refusal(`--tag: found "${tag}", wanted one tag, as "smoke"`);
    if (this.onlyChanged?.startsWith('-')) throw new Refusal(`--only-changed: found "${onlyChanged}", wanted a commit, a branch or a tag of git`);
  }

  get isAny() {
    return this.grep !== undefined || this.tag !== undefined || this.onlyChanged !== undefined;
  }

  /** As it stood on the command line. */
  get said() {
    return [this.grep !== undefined && `--grep ${this.grep}`, this.tag !== undefined && `--tag ${this.tag}`,
      this.onlyChanged !== undefined && `--only-changed${this.onlyChanged && `=${this.onlyChanged}`}`].filter(Boolean).join(' ');
  }

  /** One regular expression for Playwright's --grep; undefined: none. */
  get forPlaywright() {
    if (this.tag === undefined) return this.grep;
    const tag = `(?:^|\\s)@${this.tag.replace(/[\\^$.*+?()[\]{}|/]/g, '\\$&')}(?=\\s|$)`;
    return this.read ? `/(?=[^]*?(?:${this.read.source}))(?=[^]*?${tag})/${this.read.flags}` : tag;
  }

  #listChanged(folder) {
    const git = (...words) => {
      const { stdout, stderr, status, error } = spawnSync('git', ['-C', folder, ...words], { encoding: 'utf8', maxBuffer: 256 << 20 });
      if (status !== 0) throw new Refusal(`--only-changed: ${error?.message ?? stderr.trim().split('\n')[0]}`);
      return stdout;
    };
    const top = git('rev-parse', '--show-toplevel').trimEnd();
    const names = [git('diff', '--name-only', '-z', this.onlyChanged || 'HEAD', '--'), git('-C', top, 'ls-files', '--others', '--exclude-standard', '-z')];
    return new Set(names.join('\0').split('\0').filter(Boolean).map((name) => path.join(fs.realpathSync(top), name)));
  }

  isChanged(file, folder) {
    this.#changed ??= this.#listChanged(folder);
    return this.#changed.has(fs.realpathSync(file));
  }

  /** Of the spec files of a runner that can't list tests. */
  keepSpecs(files, { folder, name, notes }) {
    if (this.tag !== undefined && files.length > 0) {
      notes.push(`${name} can't say which of its tests have the tag ${this.tag}: ${count(files.length, 'spec')} left out`);
      return [];
    }
    return files.filter((file) => (!this.read || this.read.pattern.test(path.relative(folder, file))) && (this.onlyChanged === undefined || this.isChanged(file, folder)));
  }
}
